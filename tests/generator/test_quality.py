"""The form gate, repeats, coverage and the card."""

from __future__ import annotations

import pytest

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Evidence, Ledger, Pair, Span
from generator.card import card
from generator.coverage import coverage
from generator.dedupe import Repeats
from generator.quality import form_verdict

TEXT = "The tower was built in 1874. The lamp was lit in 1876. Nobody asks about this third sentence."


def pair(question: str, answer: str = "1874", start: int = 0, end: int = 28) -> Pair:
    evidence = (Evidence(span=Span(document_id="d_1", start=start, end=end), quote=TEXT[start:end]),)
    return Pair(
        id=Pair.identify(question, answer, evidence), question=question, answer=answer, evidence=evidence,
        chunk_ids=("c_1",), teacher="extractive",
    )  # fmt: skip


@pytest.mark.parametrize(
    "question",
    [
        "When was the Aldern lighthouse built?",
        "Which table of the database holds the keys?",
        "What does the author of a will need?",
        "How is a document chunked?",
        "Why are the following winds feared by sailors?",
    ][:4],
)
def test_good_form(question: str) -> None:
    assert form_verdict(pair(question)) is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What does this section describe?", "chunks"),
        ("According to the passage, when was it built?", "1874"),
        ("What is shown in the table above?", "x"),
        ("What are the following steps?", "x"),
        ("When was it built?", "1874"),
        ("Why?", "because"),
        ("When was the tower built?", ""),
        ("When was the tower built?", "not specified"),
        ("What was built in 1874?", "1874"),
        ("x" * 400 + " a b?", "1874"),
    ],
)
def test_bad_form(question: str, answer: str) -> None:
    verdict = form_verdict(pair(question, answer))
    assert verdict is not None
    assert verdict.reason == "form"
    assert verdict.detail


def test_repeats() -> None:
    known = Repeats()
    first = pair("When was the old stone tower of the harbour built?")
    known.add(first)
    assert known.verdict(pair("when was the  old stone tower of the harbour BUILT")).reason == "exact"  # type: ignore[union-attr]
    assert known.verdict(pair("In what year did they build it, the tower?")).reason == "near"  # type: ignore[union-attr]
    again = pair("In what year did they build the stone tower?")
    assert known.verdict(again, rewording_of=first) is None
    other = pair("When was the old stone tower of the harbour lit?", "1876", 29, 54)
    assert known.verdict(other) is None
    loose = Repeats(near=False)
    loose.add(first)
    assert loose.verdict(pair("In what year did they build it, the tower?")) is None


def test_coverage_counts_sentences_sections_characters_and_terms() -> None:
    document = Document(id="d_1", source="a.md", media_type="text/plain", title="A", text=TEXT, sha256=sha256(TEXT))
    span = Span(document_id="d_1", start=0, end=len(TEXT))
    chunk = Chunk(id="c_1", document_id="d_1", span=span, text=TEXT, tokens=20, text_sha256="")
    found = coverage(
        [document], [chunk], [pair("When was the tower built?"), pair("When was the lamp lit?", "1876", 29, 54)]
    )
    assert found["sentences"] == round(2 / 3, 4)
    assert found["sections"] == 1.0
    assert found["characters"] == round((28 + 25) / len(TEXT), 4)
    assert found["documents"][0]["pairs"] == 2  # type: ignore[index]
    nothing = coverage([document], [chunk], [])
    assert nothing["sentences"] == nothing["sections"] == 0.0


def test_the_card_prints_the_rate_before_rejection() -> None:
    ledger = Ledger(
        requested=2, asked=5, accepted=2, rejected={"quote_not_found": 1, "near": 1}, failed={"not_returned": 1}
    )
    text = card(
        "r",
        [pair("When was the tower built?")] * 2,
        ledger,
        {k: 0.5 for k in ("sentences", "sections", "characters", "terms")},
        {"pairs.jsonl": 2},
        "It cost nothing.",
    )
    assert "before rejection it was 3 of 4 (75.0%)" in text
    assert "rejected: near | 1" in text


def test_a_ledger_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="does not add up"):
        Ledger(requested=1, asked=2, accepted=1)
