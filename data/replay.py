"""Traces to held-out questions: what was asked, where the answer stands, and what somebody thought of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.remarks import Remark
from data.traces import Rating, Trace
from doceo.core.errors import InputError
from doceo.core.records import Answer, Citation, Document, Evidence, Question, Span
from doceo.text.passages import REFUSAL
from doceo.text.quotes import locate


@dataclass(frozen=True)
class Replayed:
    """A held-out question, the answer that was given, and its rating."""

    question: Question
    answer: Answer
    rating: Rating | None


def replayed(
    trace: Trace, remarks: Sequence[Remark], documents: Mapping[str, Document], trained: Sequence[Span]
) -> Replayed:
    """Return a trace as a question with the answer recorded.

    It is `taught-written` where what proves its answer, else what the recorded answer verifiably cites, stands in text
    that was trained on, and `unseen-written` otherwise. Without a reference it has none, and of an answer only what
    needs none is measured.

    Args:
        trace: What was asked and answered.
        remarks: What the user says of it.
        documents: By source, to find quotes in.
        trained: The places of the documents that somebody trained on.

    Raises InputError where a quote does not stand in its document.
    """
    evidence = tuple(_evidence(one, documents) for one in remarks if one.quote)
    cited = [citation.span for citation in trace.answer.citations if citation.verified]
    spans = [proof.span for proof in evidence] or cited
    taught = bool(spans) and all(any(_meet(span, other) for other in trained) for span in spans)
    answerable = all(one.answerable is not False for one in remarks)
    references = tuple(dict.fromkeys([*trace.references, *(text for one in remarks for text in one.right)]))
    if not answerable:
        references = tuple(dict.fromkeys((REFUSAL, *references)))
    ratings = [one.rating for one in remarks if one.rating is not None]
    question = Question(
        pair_id=trace.key,
        set="taught-written" if taught else "unseen-written",
        question=trace.question,
        references=references,
        evidence=evidence,
        history=trace.history,
        answerable=answerable,
        author=next((one.author for one in remarks if one.author), ""),
    )
    return Replayed(question, trace.answer, ratings[-1] if ratings else trace.rating)


def standing(answers: Sequence[Answer], documents: Mapping[str, Document]) -> tuple[int, int]:
    """Return how many verified citations there are, and how many of them stand in documents (by id) of now."""
    cited = [citation for answer in answers for citation in answer.citations if citation.verified]
    return len(cited), sum(_stands(citation, documents) for citation in cited)


def checked(answer: Answer, documents: Mapping[str, Document]) -> Answer:
    """Return an answer whose citations are verified only where they stand in documents (by id), whatever a log says."""
    citations = [
        one.model_copy(update={"verified": one.verified and _stands(one, documents)}) for one in answer.citations
    ]
    return answer.model_copy(update={"citations": tuple(citations)})


def _stands(citation: Citation, documents: Mapping[str, Document]) -> bool:
    span, document = citation.span, documents.get(citation.document_id)
    if document is None or span.document_id != document.id or not citation.quote:
        return False
    return document.text[span.start : span.end] == citation.quote


def _evidence(remark: Remark, documents: Mapping[str, Document]) -> Evidence:
    document = documents.get(remark.source)
    place = locate(remark.quote, document.text) if document else None
    if document is None or place is None:
        known = f"Known documents: {', '.join(sorted(documents)[:5])} ..." if documents else "The run has no documents."
        raise InputError(
            f"The quote {remark.quote[:60]!r} does not stand in {remark.source or 'a source'}.", hint=known
        )
    span = Span(document_id=document.id, start=place[0], end=place[1])
    return Evidence(span=span, quote=document.text[span.start : span.end])


def _meet(one: Span, other: Span) -> bool:
    return one.document_id == other.document_id and one.start < other.end and other.start < one.end
