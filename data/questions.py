"""Questions written by people: read from a file, their evidence located, their set decided by where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from data.jsonl import read_rows
from doceo.core.errors import InputError
from doceo.core.fingerprint import identify
from doceo.core.records import Chunk, Document, Evidence, Question, Span
from doceo.text.quotes import locate


class WrittenQuestion(BaseModel):
    """A line of a questions file. `answers` are further accepted wordings; other fields are ignored.

    `author` says who wrote the question; reports print it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    answer: str
    answers: tuple[str, ...] = ()
    source: str
    quote: str
    author: str = ""


def read_questions(
    path: Path, documents: Sequence[Document], chunks: Sequence[Chunk], unseen: frozenset[str]
) -> list[Question]:
    """Return written questions as held-out ones. Raises InputError naming the line where one cannot be used."""
    by_source = {document.source: document for document in documents}
    kept_out = [chunk.span for chunk in chunks if chunk.id in unseen]
    questions = []
    for number, row in read_rows(path):
        try:
            written = WrittenQuestion.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise InputError(
                f"{path}, line {number}: {field}: {first['msg']}.",
                hint='A line looks like {"question": ..., "answer": ..., "source": ..., "quote": ...}.',
            ) from error
        document = by_source.get(written.source)
        if document is None:
            raise InputError(
                f"{path}, line {number}: there is no document {written.source}.",
                hint=f"Known documents: {', '.join(sorted(by_source)[:5])} ...",
            )
        place = locate(written.quote, document.text)
        if place is None:
            raise InputError(
                f"{path}, line {number}: the quote does not stand in {written.source}.",
                hint="Quote the document's words as `doceo ingest` reads them (1-documents/documents.jsonl).",
            )
        span = Span(document_id=document.id, start=place[0], end=place[1])
        questions.append(_question(written, Evidence(span=span, quote=document.text[span.start : span.end]), kept_out))
    return questions


def _question(written: WrittenQuestion, evidence: Evidence, kept_out: Sequence[Span]) -> Question:
    span = evidence.span
    hidden = any(
        span.document_id == other.document_id and span.start < other.end and other.start < span.end
        for other in kept_out
    )
    return Question(
        pair_id=identify("w_", written.question, written.answer, span.document_id),
        set="unseen-written" if hidden else "taught-written",
        question=written.question,
        references=tuple(dict.fromkeys((written.answer, *written.answers))),
        evidence=(evidence,),
        author=written.author,
    )
