from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.records import Hit, Message, Passage, Span
from doceo.text.passages import REFUSAL
from doceo.text.words import content_words
from rag import history
from rag.compiler import counting
from rag.follow_ups import subject, understand
from rag.searching import search_all


def turns(*said: str) -> list[Message]:
    return [Message(role="assistant" if at % 2 else "user", content=text) for at, text in enumerate(said)]


FERRY = turns("When was the Bryne ferry opened?", "The ferry was opened in 1902.")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many cars does it carry?", {"Bryne", "ferry"}),
        ("And in winter?", {"Bryne", "ferry"}),
        ("Who built it?", {"Bryne", "ferry"}),
        ("What happened in the second case?", {"Bryne", "ferry"}),
    ],
)
def test_a_follow_up_takes_the_names_of_what_it_is_about(question: str, words: set[str]) -> None:
    assert words <= set(understand(question, FERRY).words)
    bare, fuller = history.weighted_queries(question, FERRY)
    assert bare == question
    assert fuller.startswith(question)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of the French region of Normandy?",
        "How many species does the Elmet garden hold?",
        "When was the Farrow bridge in Wales opened to traffic?",
    ],
)
def test_a_question_that_stands_alone_stays_as_it_is(question: str) -> None:
    assert history.weighted_queries(question, FERRY) == {question: 1.0}
    assert history.leaned_on(question, FERRY) == ""


def test_without_turns_there_is_nothing_to_lean_on() -> None:
    assert history.weighted_queries("And in winter?", []) == {"And in winter?": 1.0}


def test_a_new_subject_ends_the_old_one() -> None:
    later = [*FERRY, *turns("Which species grow in the Elmet botanical garden?", "Alpine plants.")]
    assert subject(later) == later[2:]
    assert "ferry" not in understand("Who founded it?", later).words
    assert {"Elmet", "garden"} <= set(understand("Who founded it?", later).words)


def test_the_words_of_an_earlier_answer_find_passages_but_no_sentence() -> None:
    talk = turns("What is the Dorn railway?", "A line that carried slate from the quarry.")
    assert "slate" in understand("What else did it carry?", talk).words
    assert "slate" not in history.leaned_on("What else did it carry?", talk)
    assert "Dorn" in history.leaned_on("What else did it carry?", talk)


def test_a_refused_question_can_be_gone_on_from_and_its_refusal_says_nothing() -> None:
    talk = [*FERRY, *turns("Who built the Aldern lighthouse?", REFUSAL)]
    words = understand("And when was it lit?", talk).words
    assert {"Aldern", "lighthouse"} <= set(words)
    assert not {"find", "documents"} & set(words)


@given(st.text(max_size=80), st.lists(st.text(max_size=120), max_size=6))
def test_any_text_gives_queries_of_bounded_length(question: str, said: list[str]) -> None:
    found = history.weighted_queries(question, turns(*said))
    assert next(iter(found)) == question
    assert sum(found.values()) == pytest.approx(1.0)
    assert len(found) <= 2
    added = set(content_words(list(found)[-1])) - set(content_words(question))
    assert added <= {word for text in said for word in content_words(text)}
    assert len(understand(question, turns(*said)).words) <= 12


class Scored:
    """A retriever that finds a passage for each word of a query, the first with the highest score."""

    def search(self, question: str, k: int) -> list[Passage]:
        found = []
        for rank, word in enumerate(question.split()):
            hit = Hit(chunk_id=word, source="a", span=Span(document_id="d", start=0, end=1), score=1.0 / (1 + rank))
            found.append(Passage(hit=hit, title="", text=word))
        return found[:k]


def test_lists_are_fused_by_the_weights_of_their_queries() -> None:
    def first(weights: dict[str, float]) -> Sequence[str]:
        return [passage.hit.chunk_id for passage in search_all(Scored(), weights, 2)[0]]

    assert first({"a b": 1.0}) == ["a", "b"]
    assert first({"a b": 0.9, "c d": 0.1}) == ["a", "b"]
    assert first({"a b": 0.1, "c d": 0.9}) == ["c", "d"]
    assert first({"a b": 0.4, "b a": 0.6}) == ["b", "a"]


def test_refusals_are_left_out_with_their_questions() -> None:
    talk = turns("Who?", "Ann.", "When?", REFUSAL, "Where?", "Here.")
    assert [turn.content for turn in history.without_refusals(talk)] == ["Who?", "Ann.", "Where?", "Here."]


def test_the_window_stands_still_while_turns_are_added() -> None:
    count = counting(len, per_message=0)
    talk: list[Message] = []
    cuts = []
    for number in range(40):
        talk += turns(f"question {number:02d}", "a" * 89)
        older, shown = history.window(talk, count, 1000)
        assert older + shown == talk
        assert count(shown) <= 1000
        assert shown[0].role == "user"
        cuts.append(len(older))
    assert cuts == sorted(cuts)
    # ten exchanges fit; then half of them go at once, so that the cut moves every fifth or sixth question
    assert len(set(cuts)) <= 8


def test_a_turn_longer_than_the_window_is_not_shown() -> None:
    talk = turns("q" * 500, "a" * 600, "Why?", "So.")
    assert history.window(talk, counting(len, per_message=0), 1000) == (talk[:2], talk[2:])
    assert history.window(talk[:2], counting(len, per_message=0), 1000) == (talk[:2], [])
    assert history.window([], counting(len), 1000) == ([], [])


def test_the_share_of_the_words_that_people_add(shared_data: Path) -> None:
    """The figures of `benchmarks/bench_followups.py`, on every tenth conversation: a guard against falling back."""
    rows = json.loads(gzip.decompress((shared_data / "conversation" / "canard_dev.json.gz").read_bytes()))
    held = added = ours = 0
    for row in rows[::10]:
        title, section, *said = row["History"]
        before = turns(f"{title}: {section}?", "Yes.", *said)
        asked = set(content_words(row["Question"]))
        wanted = set(content_words(row["Rewrite"])) - asked
        words = set(content_words(list(history.weighted_queries(row["Question"], before))[-1])) - asked
        held, added, ours = held + len(wanted & words), added + len(wanted), ours + len(words)
    assert held / added > 0.65
    assert held / ours > 0.25
