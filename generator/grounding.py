"""Whether a draft is proved by its passages: its quotes are located, its answer's figures, names and words looked up.

The cheap end of the ladder from exact quote to judge; it needs no model and reads the source itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from doceo.core.records import Chunk, Document, Draft, Evidence, Message, Pair, Span, Verdict
from doceo.text.quotes import locate
from generator.languages import WIDE
from generator.support import held_share, unsupported

_ELISION = re.compile(r"\s*(?:\[\s*)?(?:\.\.\.|…)(?:\s*\])?\s*")
_SHOWN = 120


def verify(
    draft: Draft, chunks: Sequence[Chunk], documents: Mapping[str, Document], support: float | None = 0.5
) -> tuple[Evidence, ...] | Verdict:
    """Return the evidence of a draft, or why it is not proved.

    A draft that knows its span is checked against the document's text; else its quotes are looked for in the chunks,
    in parts where one was joined by "...". A draft that says that there is no answer has no evidence.

    The reasons are

    - `no_quote`: there is no quote;
    - `quote_not_found`: a quote does not stand in any of the chunks, exactly or by alignment;
    - `span_mismatch`: the document has other text at the draft's span;
    - `not_multi_hop`: the quotes of a draft that needs several chunks come from one;
    - `answer_not_supported`: a number, date, name, or too many of the answer's words stand nowhere in the source;
    - `history_not_supported`: the same of an answer of the turns before.

    Args:
        draft: What a teacher proposes.
        chunks: The passages that it was ordered from.
        documents: Their documents, by id.
        support: Least share of an answer's content words that evidence, chunks, headings or question hold; None
            leaves the answer's words, numbers and names unchecked.
    """
    if not draft.answerable:
        return ()
    if draft.span is not None:
        evidence = _of_span(draft.span, " ".join(draft.quotes), documents)
    else:
        evidence = _of_quotes(draft.quotes, chunks, documents)
    if isinstance(evidence, Verdict):
        return evidence
    if draft.kind == "multi-hop" and _used(evidence, chunks) < 2:
        return _reject("not_multi_hop", "all quotes stand in one passage")
    if support is None:
        return evidence
    return _unproved(draft, evidence, chunks, documents, support) or evidence


def supported_share(pair: Pair, chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> float:
    """Return the share of an answer's content words that `verify` found in its source, 0 to 1.

    Args:
        pair: A pair that it accepted.
        chunks: The passages that it was ordered from.
        documents: Their documents, by id.
    """
    extra = _beside(pair.question, pair.history, pair.evidence)
    return held_share(pair.answer, _source(chunks, documents), extra)


def _unproved(
    draft: Draft,
    evidence: Sequence[Evidence],
    chunks: Sequence[Chunk],
    documents: Mapping[str, Document],
    support: float,
) -> Verdict | None:
    source, extra = _source(chunks, documents), _beside(draft.question, draft.history, evidence)
    if missing := unsupported(draft.answer, source, extra, support):
        return _reject("answer_not_supported", missing)
    for question, answer in zip(draft.history[::2], draft.history[1::2], strict=False):
        if missing := unsupported(answer.content, source, question.content, support):
            return _reject("history_not_supported", missing)
    return None


def _source(chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> str:
    places = [part for chunk in chunks for part in (*chunk.heading_path, documents[chunk.document_id].title)]
    return "\n".join([*(chunk.text for chunk in chunks), *places])


def _beside(question: str, history: Sequence[Message], evidence: Sequence[Evidence]) -> str:
    """Return what may supply words beside the passages: a draft with a span may have its evidence beside the chunk."""
    return "\n".join([question, *(turn.content for turn in history), *(part.quote for part in evidence)])


def _of_span(span: Span, quote: str, documents: Mapping[str, Document]) -> tuple[Evidence, ...] | Verdict:
    document = documents.get(span.document_id)
    if document is None or span.end > len(document.text):
        return _reject("span_mismatch", f"the span {span.start} to {span.end} is not of this document")
    if document.text[span.start : span.end] != quote:
        return _reject("span_mismatch", f"the text at {span.start} is not the quote")
    return (Evidence(span=span, quote=quote),)


def _of_quotes(
    quotes: Sequence[str], chunks: Sequence[Chunk], documents: Mapping[str, Document]
) -> tuple[Evidence, ...] | Verdict:
    if not any(quote.strip() for quote in quotes):
        return _reject("no_quote", "the teacher gave no quote")
    evidence: list[Evidence] = []
    for quote in quotes:
        found = _located(quote, chunks, documents)
        if isinstance(found, Verdict):
            return found
        evidence += [part for part in found if part not in evidence]
    return tuple(evidence)


def _located(quote: str, chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> tuple[Evidence, ...] | Verdict:
    """Return where a quote stands, as a whole or in the parts that it was joined from."""
    if whole := _place(quote, chunks, documents):
        return (whole,)
    parts = [part for part in _ELISION.split(quote) if len(part.split()) > 1 or WIDE.search(part)]
    places = [_place(part, chunks, documents) for part in parts] if len(parts) > 1 else []
    if not places or None in places:
        missing = next((part for part, place in zip(parts, places, strict=False) if place is None), quote)
        return _reject("quote_not_found", missing[:_SHOWN])
    return tuple(place for place in places if place is not None)


def _place(quote: str, chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> Evidence | None:
    """Return the evidence that a quote names: letter for letter in any of the chunks, else by alignment."""
    exact = [chunk for chunk in chunks if quote in chunk.text]
    for chunk in exact or chunks:
        if place := locate(quote, chunk.text):
            start, end = chunk.span.start + place[0], chunk.span.start + place[1]
            span = Span(document_id=chunk.document_id, start=start, end=end)
            return Evidence(span=span, quote=documents[chunk.document_id].text[start:end])
    return None


def _used(evidence: Sequence[Evidence], chunks: Sequence[Chunk]) -> int:
    """Return how many of the chunks hold a piece of evidence; one that several hold counts for one of them."""
    holders = {next((chunk.id for chunk in chunks if _holds(chunk, part.span)), "") for part in evidence}
    return len(holders - {""})


def _holds(chunk: Chunk, span: Span) -> bool:
    return chunk.document_id == span.document_id and chunk.span.start <= span.start and span.end <= chunk.span.end


def _reject(reason: str, detail: str) -> Verdict:
    return Verdict(accepted=False, reason=reason, detail=detail)
