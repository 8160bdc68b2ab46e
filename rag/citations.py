"""From the [n] of an answer to the sentences that it rests on, each found again in its document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from doceo.core.records import Citation, Document, Passage, Span
from doceo.text.passages import marked, without_markers
from doceo.text.sentences import sentences
from doceo.text.words import content_words

Lookup = Callable[[str], Document | None]
"""Returns the document of an id, or None."""
_STATEMENT = re.compile(r"(?<=[.!?])(?!\s*\[\d)\s+|\n+")


def cited(text: str, passages: Sequence[Passage], lookup: Lookup) -> tuple[Citation, ...]:
    """Return a citation for every passage that a text cites, by number.

    Its quote is the sentence of the passage that shares most words with what the text says before the marker.
    Numbers that no passage has are left out.

    Args:
        text: A model's answer, passages cited as [n].
        passages: Passage n is `passages[n - 1]`.
        lookup: Gives the documents, so that the quotes can be verified.
    """
    found = [n for n in marked(text) if 1 <= n <= len(passages)]
    return tuple(_citation(n, _said(text, n), passages[n - 1], lookup) for n in sorted(found))


def quoted(n: int, passage: Passage, start: int, end: int, lookup: Lookup) -> Citation:
    """Return the citation of the characters `start` to `end` of a passage's text, verified against its document."""
    hit = passage.hit
    span = Span(document_id=hit.span.document_id, start=hit.span.start + start, end=hit.span.start + end)
    quote = passage.text[start:end]
    document = lookup(span.document_id)
    return Citation(
        n=n,
        document_id=span.document_id,
        source=hit.source,
        title=passage.title,
        page=document.page(span.start) if document else hit.page,
        heading_path=hit.heading_path,
        span=span,
        quote=quote,
        verified=document is not None and document.text[span.start : span.end] == quote,
    )


def _said(text: str, n: int) -> str:
    """Return the statements of a text that cite passage n, without their markers."""
    said = [part for part in _STATEMENT.split(text) if n in marked(part)]
    return without_markers(" ".join(said))


def _citation(n: int, said: str, passage: Passage, lookup: Lookup) -> Citation:
    wanted = set(content_words(said))
    spans = [(s.start, s.end) for s in sentences(passage.text) if s.kind != "heading"] or [(0, len(passage.text))]

    def support(span: tuple[int, int]) -> tuple[float, int]:
        words = set(content_words(passage.text[span[0] : span[1]]))
        # shared words, and among equals the sentence that says least besides
        return len(wanted & words) - 0.01 * len(words - wanted), -span[0]

    start, end = max(spans, key=support)
    return quoted(n, passage, start, end, lookup)
