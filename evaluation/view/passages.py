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
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
# Emphasis, code fences, the lines under table heads and the outer bars of table rows; the bars between cells.
_MARKS = re.compile(r"\*\*|^```\w*\n?|^\|?[ :|-]*-{3,}[ :|-]*\n?|^\| ?| ?\|$", re.MULTILINE)
_CELLS = re.compile(r"(?<=\S) \| (?=\S)")
_SMALL = 240
LONGEST_QUOTE = 1200


@dataclass(frozen=True)
class Piece:
    """A run of text that is shown in one way; `kind` says which."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Excerpt:
    """A quote inside its passage. `found` says that the document holds exactly these characters at the span."""

    before: tuple[Piece, ...]
    quote: str
    after: tuple[Piece, ...]
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
        """Return the quote inside its passage, with at most `room` characters of it on either side.

        A span of a document that the run does not have is shown as its quote alone, under `source`.
        """
        document = self.documents.get(span.document_id)
        if document is None:
            where = heading_line("", headings)
            shown = _flowing(clip(quote, LONGEST_QUOTE))
            return Excerpt((), shown, (), source, where, span.start, span.end, False, n)
        text = document.text
        chunk = self._chunk(span)
        left, right = _window(text, span, chunk, room)
        return Excerpt(
            before=_prose(_before(text, left, span.start), last=False),
            quote=_flowing(clip(quote, LONGEST_QUOTE)),
            after=_prose(_after(text, span.end, right), last=True),
            source=document.source,
            place=_place(document, span, headings or (chunk.heading_path if chunk else ())),
            start=span.start,
            end=span.end,
            found=text[span.start : span.end] == quote,
            n=n,
        )

    def of(self, evidence: Sequence[Evidence], room: int = 420) -> list[Excerpt]:
        """Return the excerpts of a pair's evidence, at most three."""
        return [self.excerpt(one.span, one.quote, room=room) for one in evidence[:3]]

    def _chunk(self, span: Span) -> Chunk | None:
        """Return the last chunk that starts at or before a span."""
        chunks = self._chunks.get(span.document_id, [])
        at = bisect_right(chunks, span.start, key=lambda chunk: chunk.span.start) - 1
        return chunks[at] if at >= 0 else None


def _place(document: Document, span: Span, headings: Sequence[str]) -> str:
    page = document.page(span.start)
    parts = (heading_line(document.title, headings), f"page {page}" if page else "")
    return " · ".join(part for part in parts if part)


def clip(text: str, longest: int) -> str:
    """Return a text cut at a word, with an ellipsis, where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(None, 1)[0].rstrip() + " …"


def _window(text: str, span: Span, chunk: Chunk | None, room: int) -> tuple[int, int]:
    """Return where the context of a span starts and ends: its chunk, or `room` characters on either side."""
    if chunk and chunk.span.end >= span.end and chunk.span.end - chunk.span.start >= _SMALL:
        return max(chunk.span.start, span.start - room), min(chunk.span.end, span.end + room)
    return max(0, span.start - room), min(len(text), span.end + room)


def _before(text: str, left: int, start: int) -> str:
    """Return the text from `left` to `start`, from the start of a paragraph or else of a word."""
    window = text[left:start]
    if left == 0 or text[:left].endswith("\n") or window.startswith("\n"):
        return window.lstrip()
    paragraph = window.find("\n\n")
    if 0 <= paragraph < 0.6 * len(window):
        return window[paragraph:].lstrip()
    _, _, kept = window.partition(" ")
    return "… " + kept.lstrip() if kept else window


def _after(text: str, end: int, right: int) -> str:
    """Return the text from `end` to `right`, up to the end of a paragraph or else of a word."""
    window = text[end:right]
    if right >= len(text) or text[right:].startswith("\n") or window.endswith("\n"):
        return window.rstrip()
    paragraph = window.rfind("\n\n")
    if paragraph > 0.4 * len(window):
        return window[:paragraph].rstrip()
    kept, _, _ = window.rpartition(" ")
    return kept.rstrip() + " …" if kept else window


def _flowing(text: str) -> str:
    """Return the text with hard-wrapped lines joined, so that it flows; blank lines and lists stay."""
    return _WRAPPED.sub(" ", _BLANKS.sub("\n\n", _SPACES.sub(" ", text)))


def _prose(text: str, *, last: bool) -> tuple[Piece, ...]:
    """Return context as plain runs and headings, without Markdown's marks; `last` drops a heading at the end."""
    flowing = _MARKS.sub("", _CELLS.sub(" · ", _flowing(text)))
    pieces: list[Piece] = []
    at = 0
    for heading in _HEADING.finditer(flowing):
        pieces += [Piece(flowing[at : heading.start()]), Piece(heading[1], "heading")]
        at = heading.end()
    pieces.append(Piece(flowing[at:]))
    if last and len(pieces) > 2 and not pieces[-1].text.strip():
        del pieces[-2:]
        pieces[-1] = Piece(pieces[-1].text.rstrip())
    return tuple(piece for piece in pieces if piece.text)
