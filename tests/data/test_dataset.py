"""Splits, rows, written questions and exports: no leak, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.dataset import build_dataset
from data.questions import read_questions
from data.splits import unseen_chunks
from doceo.core.config import DatasetConfig
from doceo.core.errors import InputError
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Evidence, Pair, Question, Span
from doceo.text.passages import REFUSAL


def documents(n: int) -> tuple[list[Document], list[Chunk]]:
    made: list[Document] = []
    chunks: list[Chunk] = []
    for i in range(n):
        text = "\n\n".join(
            f"Fact{i}x{j} of{i} document{i}: the value {i}{j} stands here, with word{i} and other{i}x{j} beside{i}."
            for j in range(6)
        )
        document = Document(
            id=Document.identify(text),
            source=f"s/{i}.md",
            media_type="text/markdown",
            title=f"T{i}",
            text=text,
            sha256=sha256(text),
        )
        made.append(document)
        start = 0
        for part in text.split("\n\n"):
            span = Span(document_id=document.id, start=start, end=start + len(part))
            chunks.append(
                Chunk(
                    id=Chunk.identify(span),
                    document_id=document.id,
                    span=span,
                    text=part,
                    heading_path=(f"H{len(chunks) % 3}",),
                    tokens=20,
                    text_sha256=sha256(part),
                )
            )
            start += len(part) + 2
    return made, chunks


def pair_of(chunk: Chunk, question: str) -> Pair:
    evidence = (Evidence(span=chunk.span, quote=chunk.text),)
    return Pair(
        id=Pair.identify(question, "v", evidence),
        question=question,
        answer=f"value {chunk.id}",
        evidence=evidence,
        chunk_ids=(chunk.id,),
        teacher="t",
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.floats(0, 0.49), st.integers(0, 99))
def test_whole_documents_or_sections_are_kept_out(n: int, share: float, seed: int) -> None:
    docs, chunks = documents(n)
    out = unseen_chunks(docs, chunks, share, seed)
    assert out == unseen_chunks(docs, chunks, share, seed)
    assert len(out) < len(chunks)
    groups: dict[object, set[bool]] = {}
    for chunk in chunks:
        key = chunk.document_id if n >= 5 else (chunk.document_id, chunk.heading_path)
        groups.setdefault(key, set()).add(chunk.id in out)
    assert all(len(sides) == 1 for sides in groups.values())
    assert bool(out) == (share > 0)


def test_named_documents_are_kept_out_and_near_duplicates_stay_together() -> None:
    docs, chunks = documents(6)
    named = unseen_chunks(docs, chunks, 0.2, 0, ("s/2.md",))
    assert named == {chunk.id for chunk in chunks if chunk.document_id == docs[2].id}
    twin_text = docs[0].text.replace("Fact0x5", "Feat0x5")
    twin = docs[0].model_copy(update={"id": Document.identify(twin_text), "source": "s/twin.md", "text": twin_text})
    twin_chunks = [
        c.model_copy(update={"id": c.id + "t", "document_id": twin.id}) for c in chunks if c.document_id == docs[0].id
    ]
    for seed in range(12):
        out = unseen_chunks([*docs, twin], [*chunks, *twin_chunks], 0.4, seed)
        assert (chunks[0].id in out) == (twin_chunks[0].id in out)


def test_no_held_out_question_is_trained() -> None:
    docs, chunks = documents(6)
    unseen = unseen_chunks(docs, chunks, 0.2, 0)
    first = [pair_of(chunk, f"What is the value in {chunk.id}?") for chunk in chunks]
    again = [pair_of(chunk, f"Which value stands in {chunk.id}?") for chunk in chunks if chunk.id not in unseen][:8]
    written = [Question(pair_id="w_1", set="taught-written", question=first[9].question.upper(), references=("x",))]
    made = build_dataset(docs, chunks, [*first, *again], unseen, written, DatasetConfig(validation_share=0.2))
    trained = {m.content.casefold() for row in made.train for m in row.messages if m.role == "user"}
    held = [q for q in (*made.taught, *made.unseen)]
    assert len([q for q in held if q.set == "taught"]) == 8
    assert len([q for q in held if q.set == "unseen"]) == len(unseen)
    assert not any(q.question.casefold() in text for q in held for text in trained)
    assert not any(chunks_of in unseen for row in made.train for chunks_of in row.chunk_ids)
    validating = {row.pair_id for row in made.validation}
    assert validating
    assert not validating & {row.pair_id for row in made.train}
    taught_facts = {q.evidence for q in made.taught if q.set == "taught"}
    assert taught_facts <= {p.evidence for p in first if p.id in {row.pair_id for row in made.train}}


def test_open_rows_hold_the_right_passage_or_a_refusal() -> None:
    docs, chunks = documents(6)
    pairs = [pair_of(chunk, f"What is the value in {chunk.id}?") for chunk in chunks]
    config = DatasetConfig(open_share=1.0, closed_share=0, conversation_share=0, refusal_share=0.3, distractors=2)
    made = build_dataset(docs, chunks, pairs, frozenset(), [], config)
    by_id = {p.id: p for p in pairs}
    rows = [row for row in made.train if row.style == "open"]
    refused = 0
    for row in rows:
        right = by_id[row.pair_id or ""].chunk_ids[0]
        asked, answer = row.messages[-2].content, row.messages[-1].content
        if answer == REFUSAL:
            refused += 1
            assert right not in row.chunk_ids
        else:
            assert answer.endswith(f"[{row.chunk_ids.index(right) + 1}]")
            assert next(c.text for c in chunks if c.id == right) in asked
        assert len(row.chunk_ids) == 3
    assert 0 < refused < len(rows) / 2


def test_written_questions(tmp_path: Path) -> None:
    docs, chunks = documents(6)
    unseen = frozenset(chunk.id for chunk in chunks if chunk.document_id == docs[1].id)
    row = {
        "question": "Which value?",
        "answer": "10",
        "answers": ["ten"],
        "source": "s/1.md",
        "quote": "the value 10 stands",
    }
    path = tmp_path / "q.jsonl"
    path.write_text(
        json.dumps(row) + "\n" + json.dumps({**row, "source": "s/0.md", "quote": "the  value 00 stands here"}) + "\n"
    )
    questions = read_questions(path, docs, chunks, unseen)
    assert [q.set for q in questions] == ["unseen-written", "taught-written"]
    assert questions[0].references == ("10", "ten")
    assert questions[0].evidence[0].quote == "the value 10 stands"
    for bad, words in (
        ({**row, "source": "s/99.md"}, "no document s/99.md"),
        ({**row, "quote": "words that are not there at all"}, "does not stand"),
        ({"question": "x"}, "answer"),
    ):
        path.write_text(json.dumps(row) + "\n" + json.dumps(bad) + "\n")
        with pytest.raises(InputError, match=f"line 2.*{words}"):
            read_questions(path, docs, chunks, unseen)
