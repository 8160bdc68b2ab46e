"""A span of a document with the text around it, for a reader."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doceo.core.records import Chunk, Document, Evidence, Span
from doceo.text.passages import heading_line

_SPACES = re.compile(r"[^\S\n]+")
_BLANKS = re.compile(r"\s*\n\s*\n\s*")
_WRAPPED = re.compile(r"(?<![\n.:;|!?])\n(?=[^\W\d_A-Z])")
LONGEST_QUOTE = 1200


@dataclass(frozen=True)
class Excerpt:
    """A quote inside its passage. `found` says that the document holds exactly these characters at the span."""

    before: str
    quote: str
    after: str
    source: str
    place: str
    start: int
    end: int
    found: bool
    n: int | None = None


class Library:
    """The run's documents, with the headings above any offset."""

    def __init__(self, documents: Mapping[str, Document], chunks: Sequence[Chunk]) -> None:
        """Take the documents by id and all their chunks."""
        self.documents = documents
        self._chunks: dict[str, list[Chunk]] = {}
        for chunk in sorted(chunks, key=lambda c: c.span.start):
            self._chunks.setdefault(chunk.document_id, []).append(chunk)

    def excerpt(
        self,
        span: Span,
        quote: str,
        *,
        room: int = 420,
        n: int | None = None,
        source: str = "",
        headings: Sequence[str] = (),
    ) -> Excerpt:
        """Return the quote with about `room` characters of its document on either side, cut at words.

        A span of a document that the run does not have is shown as its quote alone, under `source`.
        """
        document = self.documents.get(span.document_id)
        if document is None:
            where = heading_line("", headings)
            return Excerpt("", _flowing(clip(quote, LONGEST_QUOTE)), "", source, where, span.start, span.end, False, n)
        text = document.text
        return Excerpt(
            before=_before(text, span.start, room),
            quote=_flowing(clip(quote, LONGEST_QUOTE)),
            after=_after(text, span.end, room),
            source=document.source,
            place=self._place(document, span, headings),
            start=span.start,
            end=span.end,
            found=text[span.start : span.end] == quote,
            n=n,
        )

    def of(self, evidence: Sequence[Evidence], room: int = 420) -> list[Excerpt]:
        """Return the excerpts of a pair's evidence, at most three."""
        return [self.excerpt(one.span, one.quote, room=room) for one in evidence[:3]]

    def _place(self, document: Document, span: Span, headings: Sequence[str]) -> str:
        chunks = self._chunks.get(document.id, [])
        at = bisect_right(chunks, span.start, key=lambda c: c.span.start) - 1
        path = headings or (chunks[at].heading_path if at >= 0 else ())
        page = document.page(span.start)
        return " · ".join(part for part in (heading_line(document.title, path), f"page {page}" if page else "") if part)


def clip(text: str, longest: int) -> str:
    """Return a text cut at a word, with an ellipsis, where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(None, 1)[0].rstrip() + " …"


def _before(text: str, start: int, room: int) -> str:
    if start <= room:
        return _flowing(text[:start], strip_left=True)
    window = text[start - room : start]
    paragraph = window.find("\n\n")
    if 0 <= paragraph < room * 0.8:
        return _flowing(window[paragraph:], strip_left=True)
    _, _, kept = window.partition(" ")
    return "… " + _flowing(kept or window, strip_left=True)


def _after(text: str, end: int, room: int) -> str:
    window = text[end : end + room]
    if end + room >= len(text):
        return _flowing(window, strip_right=True)
    paragraph = window.rfind("\n\n")
    if paragraph > room * 0.2:
        return _flowing(window[:paragraph], strip_right=True)
    kept, _, _ = window.rpartition(" ")
    return _flowing(kept or window, strip_right=True) + " …"


def _flowing(text: str, *, strip_left: bool = False, strip_right: bool = False) -> str:
    """Return the text with hard-wrapped lines joined, so that it flows; blank lines and lists stay."""
    text = _WRAPPED.sub(" ", _BLANKS.sub("\n\n", _SPACES.sub(" ", text)))
    text = text.lstrip() if strip_left else text
    return text.rstrip() if strip_right else text
