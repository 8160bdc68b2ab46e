"""A recorded exchange over real passages in three languages: every form, the roundtrip check and the judge.

A careful reader answered each request from its words alone, as a good language model would. A prompt that has changed
has no recorded reply: it has to be tried on real language again.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Draft, Evidence, Order, Pair, Span, Verdict
from doceo.providers.scripted import Scripted
from generator.corpus import Corpus
from generator.grounding import verify
from generator.judge import Judge
from generator.quality import form_verdict
from generator.roundtrip import Roundtrip
from generator.teachers.llm import LLMTeacher

FOLDER = Path(__file__).with_name("recorded")
CASES: dict[str, Any] = json.loads((FOLDER / "exchanges.json").read_text(encoding="utf-8"))
ORDERS: dict[str, dict[str, Any]] = {order["name"]: order for order in CASES["orders"]}


def model() -> Scripted:
    return Scripted.recorded(FOLDER / "exchanges.jsonl")


def place(key: str) -> tuple[Document, Chunk]:
    row = CASES["passages"][key]
    text = row["text"]
    document = Document(
        id=Document.identify(text), source=key, media_type="text/plain", title=row["title"], text=text, sha256=""
    )
    span = Span(document_id=document.id, start=0, end=len(text))
    chunk = Chunk(
        id=Chunk.identify(span), document_id=document.id, span=span, text=text, heading_path=tuple(row["section"]),
        tokens=9, text_sha256=sha256(text),
    )  # fmt: skip
    return document, chunk


PLACES = {key: place(key) for key in CASES["passages"]}
DOCUMENTS = {document.id: document for document, _ in PLACES.values()}
CORPUS = Corpus(documents=list(DOCUMENTS.values()), chunks=[chunk for _, chunk in PLACES.values()], unseen=frozenset())


def drafts(name: str) -> tuple[Order, list[Draft]]:
    row = ORDERS[name]
    chunks = tuple(PLACES[key][1] for key in row["passages"])
    order = Order(form=row["form"], chunks=chunks, n=row["n"], kinds=row["kinds"], language=row["language"])
    teacher = LLMTeacher(
        model().asynchronous(), reasoning=row.get("reasoning", False), examples=row.get("examples", ())
    )
    return order, asyncio.run(teacher.propose(order, DOCUMENTS))


def proved(draft: Draft, order: Order) -> tuple[Evidence, ...]:
    found = verify(draft, order.chunks, DOCUMENTS)
    assert not isinstance(found, Verdict), found
    return found


@pytest.mark.parametrize("name", ORDERS)
def test_what_a_good_model_writes_is_read_proved_and_well_formed(name: str) -> None:
    order, found = drafts(name)
    # Two passages that share no more than a name give no question that needs both.
    assert len(found) == (0 if name == "hop-zh" else order.n)
    for number, draft in enumerate(found):
        evidence = proved(draft, order)
        for part in evidence:
            assert DOCUMENTS[part.span.document_id].text[part.span.start : part.span.end] == part.quote
        assert bool(evidence) == draft.answerable == (order.form != "unanswerable")
        assert len({part.span.document_id for part in evidence}) >= (2 if order.form == "multi-hop" else 0)
        assert len(draft.history) == (2 * number if order.form == "multi-turn" else 0)
        assert bool(draft.rationale) == ORDERS[name].get("reasoning", False)
        assert not order.kinds or draft.kind in order.kinds
        pair = Pair(
            id="p", question=draft.question, answer=draft.answer, answerable=draft.answerable,
            history=draft.history, evidence=evidence, teacher="t",
        )  # fmt: skip
        assert form_verdict(pair, order.chunk.text) is None


@pytest.mark.parametrize("row", CASES["pairs"], ids=lambda row: f"{row['order']}-{row['draft']}")
def test_good_pairs_pass_roundtrip_and_judge(row: dict[str, Any]) -> None:
    order, found = drafts(row["order"])
    draft = found[row["draft"]]
    chunk_ids = tuple(PLACES[key][1].id for key in row["passages"])
    pair = Pair(
        id="p", question=draft.question, answer=draft.answer, answerable=draft.answerable, history=draft.history,
        evidence=proved(draft, order), chunk_ids=chunk_ids, kind=draft.kind, teacher="t",
    )  # fmt: skip
    again = asyncio.run(Roundtrip(model().asynchronous(), CORPUS).check(pair))
    assert (again.verdict, again.difficulty) == (None, row["difficulty"])
    assert again.scores["open_book"] == 1.0
    marks = asyncio.run(Judge(model().asynchronous(), CORPUS).check(pair))
    assert marks.verdict is None
    assert min(marks.scores.values()) >= 1.0


def test_a_number_of_another_year_is_caught_by_both() -> None:
    order, found = drafts("pairs-en")
    wrong = Pair(
        id="p", question=found[0].question, answer="734,000 square miles (1,900,000 km2)",
        chunk_ids=(order.chunk.id,), teacher="t",
    )  # fmt: skip
    again = asyncio.run(Roundtrip(model().asynchronous(), CORPUS).check(wrong))
    marks = asyncio.run(Judge(model().asynchronous(), CORPUS).check(wrong))
    assert again.verdict is not None
    assert marks.verdict is not None
    assert (again.verdict.reason, marks.verdict.reason) == ("roundtrip_open_book", "judge_correctness")
