"""A run of made-up answers to questions over real passages, with the marks that one of the authors gave them.

`recorded/answers.json` holds all of it; what each answer is a trap for stands beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from data.answers import file_of
from data.jsonl import write_jsonl
from data.store import ANSWERS, DATASET, DOCUMENTS, Run
from doceo.app.stages.dataset import held_out_rows
from doceo.core.config import AnswerConfig, DatasetConfig, ReadConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import Answer, Answered, Citation, Document, Evidence, Hit, Message, Question, Span

FOLDER = Path(__file__).with_name("recorded")
CASES: dict[str, Any] = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))
SYSTEMS = ("base", "tuned", "tuned+rag")


def document(source: str) -> Document:
    row = CASES["documents"][source]
    text = "\n\n".join([f"# {row['title']}", *row["passages"]]) + "\n"
    return Document(
        id=Document.identify(text), source=source, media_type="text/markdown", title=row["title"], text=text,
        sha256=sha256(text), metadata={"language": row["language"]},
    )  # fmt: skip


DOCUMENTS_BY_SOURCE = {source: document(source) for source in CASES["documents"]}


def place(source: str, quote: str) -> Span:
    found = DOCUMENTS_BY_SOURCE[source]
    start = found.text.index(quote)
    return Span(document_id=found.id, start=start, end=start + len(quote))


def question(row: dict[str, Any]) -> Question:
    evidence = [Evidence(span=place(*row["evidence"]), quote=row["evidence"][1])] if row["evidence"] else []
    return Question(
        pair_id=row["id"], set=row["set"], question=row["question"], references=tuple(row["references"]),
        evidence=tuple(evidence), answerable=row["answerable"],
        history=tuple(Message(role=role, content=content) for role, content in row["history"]),
    )  # fmt: skip


def answer(row: dict[str, Any]) -> Answer:
    return Answer(
        text=row["text"],
        citations=tuple(
            Citation(
                n=n, document_id=DOCUMENTS_BY_SOURCE[source].id, source=source,
                title=DOCUMENTS_BY_SOURCE[source].title, span=place(source, quote), quote=quote, verified=True,
            )
            for n, source, quote in row["cites"]
        ),
        hits=tuple(hit(source, quote) for _, source, quote in row["cites"]),
        refused=row["refused"],
    )  # fmt: skip


def hit(source: str, quote: str) -> Hit:
    passage = next(text for text in CASES["documents"][source]["passages"] if quote in text)
    return Hit(chunk_id="c", source=source, span=place(source, passage), score=1.0)


def questions() -> list[Question]:
    return [question(row) for row in CASES["questions"]]


def answered(system: str) -> list[Answered]:
    return [
        Answered(
            pair_id=row["id"], set=row["set"], question=row["question"], references=tuple(row["references"]),
            answer=answer(row["answers"][system]),
        )
        for row in CASES["questions"]
        if system in row["answers"]
    ]  # fmt: skip


def labels() -> list[dict[str, object]]:
    """Return what the person said, as lines of a file of labels."""
    return [
        {"pair_id": row["id"], "system": system, "set": row["set"], "answer": given["text"], "marks": given["marks"]}
        for row in CASES["questions"]
        for system, given in row["answers"].items()
        if given["marks"]
    ]


def make_run(path: Path) -> Run:
    """Make the run: documents, held-out questions, and the answers of three systems."""
    run = Run(path)
    with run.stage(DOCUMENTS, config=[ReadConfig()]).making() as work:
        write_jsonl(work / "documents.jsonl", DOCUMENTS_BY_SOURCE.values())
    with run.stage(DATASET, config=[DatasetConfig()]).making() as work:
        write_jsonl(work / "taught.jsonl", [])
        write_jsonl(work / "unseen.jsonl", held_out_rows(questions()))
    with run.stage(ANSWERS, config=[AnswerConfig()]).making() as work:
        for system in SYSTEMS:
            write_jsonl(work / file_of(system), answered(system))
    return run
