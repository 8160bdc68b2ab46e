"""From markers to verified words: what counts as a marker, what it stands for, and when a stream knows it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from doceo.core.records import Citation, Document, Hit, Passage, Span
from doceo.text.passages import cite, marked, markers, without_markers
from rag.citations import Citing, cited

TEXT = (
    "The pier is old. It was built in 1872 by Edith Marlow. Boats leave at noon. The keeper sleeps in the tower.\n\n"
    "Tickets cost 4 euros. Children pay half. The fee is refunded when an application is refused.\n\n"
    "La jetée a été construite en 1872. 码头建于1872年。船在中午出发。"
)
DOCUMENT = Document(
    id=Document.identify(TEXT), source="a.txt", media_type="text/plain", title="Pier", text=TEXT, sha256="0"
)


def passages() -> list[Passage]:
    found, at = [], 0
    for part in TEXT.split("\n\n"):
        span = Span(document_id=DOCUMENT.id, start=at, end=at + len(part))
        hit = Hit(chunk_id=f"c_{at}", source="a.txt", span=span, score=1)
        found.append(Passage(hit=hit, title="Pier", text=part))
        at += len(part) + 2
    return found


PASSAGES = passages()


def lookup(key: str) -> Document | None:
    return DOCUMENT if key == DOCUMENT.id else None


def shown(text: str) -> list[tuple[int, str, bool]]:
    return [(c.n, c.quote, c.verified) for c in cited(text, PASSAGES, lookup)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("x [1].", [1]),
        ("x [1][2]", [1, 2]),
        ("x [1, 2]", [1, 2]),
        ("x [1-3]", [1, 2, 3]),
        ("x [2–4, 1]", [2, 3, 4, 1]),
        ("x [1..2]", [1, 2]),
        ("答案【1】", [1]),
        ("答案【2†source】", [2]),
        ("答え［１］［２］", [1, 2]),
        ("答え〔3〕", [3]),
        ("جواب [١، ٢]", [1, 2]),
        ("उत्तर [२]", [2]),
        ("x [1 and 2]", [1, 2]),
        ("x [passage 2] [Sources 1, 3]", [2, 1, 3]),
        ("x [^1] [#2]", [1, 2]),
        ("x [3-1]", [3, 1]),
        ("x [1-999]", [1, 999]),
        ("in [1872] and [x] and []", []),
        ("`a[1]` and [2]", [2]),
        ("```\na[1] = [3]\n```\nb [2]", [2]),
    ],
)
def test_markers_of_all_kinds(text: str, numbers: list[int]) -> None:
    assert marked(text) == numbers


def test_markers_come_off() -> None:
    assert without_markers("One [1], two [2-3]. 三【4】。 `a[1]`") == "One, two. 三。 `a[1]`"
    assert without_markers(cite("It is old.", 1, 2)) == "It is old."


@given(st.text(max_size=80))
def test_any_text_has_markers_in_order_that_do_not_overlap(text: str) -> None:
    found = markers(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(text[m.start] in "[［【〔" and text[m.end - 1] in "]］】〕" for m in found)


def test_each_statement_gets_its_own_words() -> None:
    assert shown("Edith Marlow built it in 1872 [1]. Boats leave at noon [1]. A ticket is 4 euros [2].") == [
        (1, "It was built in 1872 by Edith Marlow.", True),
        (1, "Boats leave at noon.", True),
        (2, "Tickets cost 4 euros.", True),
    ]


def test_a_marker_behind_the_full_stop_belongs_to_what_is_before() -> None:
    assert shown("Boats leave at noon. [1] Children pay half. [2]") == [
        (1, "Boats leave at noon.", True),
        (2, "Children pay half.", True),
    ]


def test_a_marker_in_front_belongs_to_what_follows() -> None:
    assert shown("[1] says that boats leave at noon. Nothing else.") == [(1, "Boats leave at noon.", True)]
    assert shown("According to [2], children pay half.") == [(2, "Children pay half.", True)]


def test_markers_within_a_sentence_stand_for_their_part() -> None:
    assert shown("The boats leave there at noon [1], while a ticket costs 4 euros [2].") == [
        (1, "Boats leave at noon.", True),
        (2, "Tickets cost 4 euros.", True),
    ]


def test_markers_side_by_side_answer_together() -> None:
    assert shown("The pier was built by Marlow and tickets cost 4 euros [1][2].") == [
        (1, "It was built in 1872 by Edith Marlow.", True),
        (2, "Tickets cost 4 euros.", True),
    ]


def test_two_sentences_are_quoted_where_both_are_needed() -> None:
    quotes = shown("The old pier, built in 1872 by Edith Marlow, has boats that leave at noon [1].")
    assert quotes == [(1, "It was built in 1872 by Edith Marlow. Boats leave at noon.", True)]


def test_neighbouring_rows_of_a_table_are_quoted_together() -> None:
    rows = ("Industry | Boats", "--- | ---", "Founded | April 4, 1975", "Founders | Bill Gate, Paul All", "Rows | 3")
    text = "\n".join(f"| {row} |" for row in rows)
    span = Span(document_id="d", start=0, end=len(text))
    table = Passage(hit=Hit(chunk_id="c", source="t", span=span, score=1), title="T", text=text)
    (citation,) = cited("It was founded on April 4, 1975 by Bill Gate and Paul All [1].", [table], lambda _: None)
    assert citation.quote == "| Founded | April 4, 1975 |\n| Founders | Bill Gate, Paul All |"


@pytest.mark.parametrize(
    "wrong",
    [
        "It was built in 1873 by Edith Marlow [1].",
        "The mayor lives in Paris with three dogs [1].",
        "Tickets cost 4 euros [1].",
        "[1]",
        "Yes [1].",
    ],
)
def test_what_the_passage_does_not_say_is_not_verified(wrong: str) -> None:
    (citation,) = cited(wrong, PASSAGES, lookup)
    assert not citation.verified
    assert citation.quote in PASSAGES[0].text


def test_a_bare_yes_is_quoted_by_its_question() -> None:
    citing = Citing(PASSAGES, lookup, question="Do boats leave at noon?")
    citing.finish("Yes [1].")
    assert [(c.quote, c.verified) for c in citing.found] == [("Boats leave at noon.", False)]


def test_other_languages() -> None:
    assert shown("La jetée a été construite en 1872 [3].") == [(3, "La jetée a été construite en 1872.", True)]
    assert shown("码头建于1872年【3】。") == [(3, "码头建于1872年。", True)]


def test_numbers_that_no_passage_has_are_told() -> None:
    citing = Citing(PASSAGES, lookup)
    citing.finish("Boats leave at noon [1][9]. Children pay half [0].")
    assert [c.n for c in citing.found] == [1]
    assert citing.unknown == [9, 0]


def alike(texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors by which every text about money means the same."""
    rows = [[1.0, 0.0] if any(w in t for w in ("fee", "money back")) else [0.0, 1.0] for t in texts]
    return np.array(rows, dtype=np.float32)


def test_other_words_with_the_same_meaning_are_verified() -> None:
    said = "You get your money back if they turn you down [2]."
    assert [(c.quote, c.verified) for c in cited(said, PASSAGES, lookup, alike)] == [
        ("The fee is refunded when an application is refused.", True)
    ]
    assert not cited(said, PASSAGES, lookup)[0].verified
    # a likeness does not make up for a number
    assert not cited("You get your money back within 9 days [2].", PASSAGES, lookup, alike)[0].verified


def streamed(text: str, cuts: Sequence[int]) -> list[Citation]:
    citing, found = Citing(PASSAGES, lookup), list[Citation]()
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        expected = citing.completes(text[start:end])
        known, new = citing.found, list(citing.add(text[start:end]))
        assert expected or not new, "what takes long is told before"
        assert [*known, *new] == [*citing.found]
        found += new
    return [*found, *citing.end()]


PIECES = st.sampled_from(
    ["[1]", "[2, 3]", "[1-2]", "【3】", " ", "\n", ". ", "Boats leave at noon", "4 euros", "built in 1872", "`", "[",
     "]", "according to", ", ", "Yes", "```", "- ", "[9]", "码头", "。"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join), st.lists(st.integers(0, 200), max_size=12))
def test_a_stream_gives_the_same_citations_however_it_is_cut(text: str, cuts: list[int]) -> None:
    assert tuple(streamed(text, cuts)) == cited(text, PASSAGES, lookup)


def test_a_stream_gives_a_citation_as_soon_as_its_marker_is_complete() -> None:
    citing = Citing(PASSAGES, lookup)
    assert list(citing.add("Boats leave at noon [1")) == []
    assert not citing.completes("]")
    assert list(citing.add("]")) == []  # [1][2] would answer together
    assert citing.completes(".")
    assert [c.quote for c in citing.add(".")] == ["Boats leave at noon."]
    assert list(citing.add(" And more.")) == []
    assert list(citing.end()) == []


@given(st.lists(PIECES, max_size=14).map("".join))
def test_every_verified_quote_is_the_text_at_its_span(text: str) -> None:
    for citation in cited(text, PASSAGES, lookup):
        assert TEXT[citation.span.start : citation.span.end] == citation.quote
        assert 1 <= citation.n <= len(PASSAGES)


def test_a_statement_that_the_words_do_not_hold_stays_marked_beside_one_that_they_do() -> None:
    said = "The lighthouse was built in 1872 [1]. The lighthouse was built in 1950 [1]."
    text = "The lighthouse was built in 1872."
    document = Document(
        id=Document.identify(text), source="a", media_type="text/plain", title="a", text=text, sha256="0"
    )
    hit = Hit(chunk_id="c", source="a", span=Span(document_id=document.id, start=0, end=len(text)), score=1.0)
    for statement in (said, " ".join(reversed(said.split(". ", 1))).replace("[1]. ", "[1]. ")):
        found = cited(statement, [Passage(hit=hit, title="a", text=text)], lambda _: document)
        assert sorted(citation.verified for citation in found) == [False, True]
