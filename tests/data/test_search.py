"""Search over all passages: the likest first, in any language, and passages that share names."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import re
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from data.search import PassageSearch
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Span


def passage(text: str, number: int = 0, heading: str = "") -> Chunk:
    span = Span(document_id=f"d_{number}", start=0, end=len(text))
    return Chunk(
        id=Chunk.identify(span), document_id=span.document_id, span=span, text=text, tokens=9,
        heading_path=(heading,) if heading else (), text_sha256=sha256(text),
    )  # fmt: skip


def passages(*texts: str) -> list[Chunk]:
    return [passage(text, number) for number, text in enumerate(texts)]


TOWN = passages(
    "The mill was restored in 1996 by the Corvin Society. It is closed on Mondays.",
    "The ferry carries 12 cars and is closed in storms.",
    "The lighthouse was built in 1874 by the engineer Maria Holt.",
    "Before she came to Aldern, Maria Holt had built two bridges in Norway.",
    "Der Leuchtturm wurde 1874 von der Ingenieurin Maria Holt gebaut.",
    "東京タワーは1958年に完成した。",
    "大阪城は1583年に築かれた。",
)


def test_the_likest_passage_comes_first() -> None:
    search = PassageSearch(TOWN)
    assert search.like("Who restored the mill?", 1) == [TOWN[0]]
    assert search.like("Welcher LEUCHTTURM wurde gebaut?", 1) == [TOWN[4]]
    assert search.like("東京タワーはいつ完成しましたか。", 1) == [TOWN[5]]
    assert search.like("Who restored the mill?", 9)[:1] == [TOWN[0]]
    assert search.like("zebra", 3) == []
    assert search.like("", 3) == []
    assert PassageSearch([]).like("mill", 3) == []


def test_unwanted_passages_and_their_copies_are_left_out() -> None:
    chunks = [*TOWN, passage(TOWN[0].text, 90), passage("The mill stands.", 91), passage("The mill stands.", 92)]
    search = PassageSearch(chunks)
    assert search.like("Who restored the mill?", 1, [TOWN[0]]) == [chunks[8]]
    assert [chunk.text for chunk in search.like("mill", 9)].count("The mill stands.") == 1


def test_headings_are_searched() -> None:
    chunks = [passage("It is closed.", 1, "Pond"), passage("It is closed.  ", 2, "Garden")]
    assert PassageSearch(chunks).like("When does the garden close?", 1) == [chunks[1]]


@given(st.lists(st.text("abc ", min_size=1, max_size=30), max_size=12), st.text("abc ", max_size=20))
def test_scores_are_those_of_bm25(texts: list[str], question: str) -> None:
    chunks = passages(*dict.fromkeys(texts))
    words = [re.findall(r"\w+", chunk.text) for chunk in chunks]
    average = max(sum(map(len, words)) / max(len(words), 1), 1)

    def score(own: list[str]) -> float:
        counts, total = Counter(own), 0.0
        for word in sorted(set(re.findall(r"\w+", question))):
            held = sum(word in other for other in words)
            rarity = math.log1p((len(words) - held + 0.5) / (held + 0.5))
            total += rarity * 2.2 * counts[word] / (counts[word] + 1.2 * (0.25 + 0.75 * len(own) / average))
        return total

    found = PassageSearch(chunks).like(question, len(chunks))
    scores = [score(words[chunks.index(chunk)]) for chunk in found]
    assert all(one >= two - 1e-4 for one, two in itertools.pairwise(scores))
    assert {chunk.id for chunk in found} == {c.id for c, own in zip(chunks, words, strict=True) if score(own) > 0}


def test_more_ties_than_wanted_come_in_order() -> None:
    chunks = passages(*(f"mill {'x' * (i + 3)}" for i in range(200)))
    assert PassageSearch(chunks).like("mill", 150) == chunks[:150]


def test_passages_that_share_a_name_are_related() -> None:
    search = PassageSearch(TOWN)
    found = search.related(TOWN[2], 5)
    assert [one.chunk for one in found] == [TOWN[3], TOWN[4]]
    assert found[0].shared[0] == "Maria Holt"
    assert "built" in found[0].shared
    assert not any("1874" in phrase for one in found for phrase in one.shared)
    assert search.related(TOWN[0], 5)[0].shared == ("closed",)


def test_related_passages_in_japanese() -> None:
    more = passages("黒澤明は東京で生まれた映画監督である。", "「七人の侍」は黒澤明が監督した。", "大阪城は大きい。")
    found = PassageSearch(more).related(more[0], 2)
    assert [one.chunk for one in found] == [more[1]]
    assert "黒澤明" in found[0].shared


def test_a_passage_that_says_the_same_is_not_related() -> None:
    text = "Sofia Lindqvist planted rare alpine saxifrage near Elmet in spring"
    chunks = passages(
        text, f"{text}.", f"Again: {text}", "Lindqvist studied in Uppsala.", *(f"Filler{i}." for i in range(40))
    )
    assert [one.chunk for one in PassageSearch(chunks).related(chunks[0], 3)] == [chunks[3]]


def test_paragraphs_of_squad_are_found_by_their_questions(shared_data: Path) -> None:
    with gzip.open(shared_data / "squad" / "squad-v1.1-dev.first24.json.gz", "rt") as file:
        articles = json.load(file)["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    chunks = passages(*(paragraph["context"] for paragraph in paragraphs))
    search = PassageSearch(chunks)
    asked = [(p["qas"][0]["question"], c) for p, c in zip(paragraphs, chunks, strict=True)]
    first = sum(search.like(question, 1) == [chunk] for question, chunk in asked) / len(asked)
    assert first > 0.7
