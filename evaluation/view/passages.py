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
    """A run of text that is shown in one way; `kind` says which. `n` is the number of a marked source."""

    text: str
    kind: str = "plain"
    n: int | None = None


@dataclass(frozen=True)
class Quote:
    """Words of a document that are to be shown; `source` and `headings` serve where the run lacks the document."""

    span: Span
    text: str
    n: int | None = None
    source: str = ""
    headings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Excerpt:
    """One or more quotes marked inside their passage.

    `found` says that the document holds exactly these characters at the spans.
    """

    parts: tuple[Piece, ...]
    source: str
    place: str
    spans: tuple[Span, ...]
    found: bool

    @property
    def numbers(self) -> list[int]:
        """The numbers of the marked sources, in order."""
        return sorted({part.n for part in self.parts if part.n is not None})


class Library:
    """The run's documents, with the headings above any offset."""

    def __init__(self, documents: Mapping[str, Document], chunks: Sequence[Chunk]) -> None:
        """Take the documents by id and all their chunks."""
        self.documents = documents
        self._by_id = {chunk.id: chunk for chunk in chunks}
        self._chunks: dict[str, list[Chunk]] = {}
        for chunk in sorted(chunks, key=lambda c: c.span.start):
            self._chunks.setdefault(chunk.document_id, []).append(chunk)

    def excerpts(self, quotes: Sequence[Quote], room: int = 420) -> list[Excerpt]:
        """Return the quotes inside their passages, with at most `room` characters on either side.

        Quotes of one passage share an excerpt. A quote that its document does not hold stands alone.
        """
        alone = [quote for quote in quotes if not self._holds(quote)]
        groups: list[list[Quote]] = []
        for quote in sorted((q for q in quotes if self._holds(q)), key=lambda q: (q.span.document_id, q.span.start)):
            if groups and self._together(groups[-1][-1].span, quote.span, room):
                groups[-1].append(quote)
            else:
                groups.append([quote])
        groups.sort(key=lambda group: min(quotes.index(quote) for quote in group))
        return [self._excerpt(group, room) for group in groups] + [_unproven(quote) for quote in alone]

    def of(self, evidence: Sequence[Evidence], room: int = 420) -> list[Excerpt]:
        """Return the excerpts of a pair's evidence, of its first five quotes."""
        return self.excerpts([Quote(one.span, one.quote) for one in evidence[:5]], room)

    def passage(self, chunk_id: str) -> Excerpt | None:
        """Return a whole passage without a mark, or None where the run lacks it."""
        chunk = self._by_id.get(chunk_id)
        document = self.documents.get(chunk.document_id) if chunk else None
        if chunk is None or document is None:
            return None
        place = _place(document, chunk.span, chunk.heading_path)
        return Excerpt(_prose(chunk.text, last=True), document.source, place, (chunk.span,), True)

    def _holds(self, quote: Quote) -> bool:
        document = self.documents.get(quote.span.document_id)
        return document is not None and document.text[quote.span.start : quote.span.end] == quote.text

    def _together(self, one: Span, other: Span, room: int) -> bool:
        if one.document_id != other.document_id or other.start < one.end:
            return False
        chunk = self._chunk(one)
        return other.start - one.end < room / 2 or (chunk is not None and other.end <= chunk.span.end)

    def _excerpt(self, quotes: Sequence[Quote], room: int) -> Excerpt:
        document = self.documents[quotes[0].span.document_id]
        text, first, last = document.text, quotes[0].span, quotes[-1].span
        chunk = self._chunk(first)
        left, right = _window(text, first.start, last.end, chunk, room)
        parts = [*_prose(_before(text, left, first.start))]
        for quote, following in zip(quotes, [*quotes[1:], None], strict=True):
            parts.append(Piece(_flowing(clip(quote.text, LONGEST_QUOTE)), "mark", quote.n))
            if following:
                parts += _prose(text[quote.span.end : following.span.start])
        return Excerpt(
            parts=(*parts, *_prose(_after(text, last.end, right), last=True)),
            source=document.source,
            place=_place(document, first, _headings(text, first, chunk) or quotes[0].headings),
            spans=tuple(quote.span for quote in quotes),
            found=True,
        )

    def _chunk(self, span: Span) -> Chunk | None:
        """Return the last chunk that starts at or before a span."""
        chunks = self._chunks.get(span.document_id, [])
        at = bisect_right(chunks, span.start, key=lambda chunk: chunk.span.start) - 1
        return chunks[at] if at >= 0 else None


def _headings(text: str, span: Span, chunk: Chunk | None) -> Sequence[str]:
    """Return the headings above a span: those of its chunk, and Markdown headings between the chunk's start and it."""
    path = chunk.heading_path if chunk else ()
    for heading in _HEADING.finditer(text, chunk.span.start, span.start) if chunk else ():
        level = len(heading[0]) - len(heading[0].lstrip("#"))
        path = (*path[: level - 1], heading[1])
    return path


def _place(document: Document, span: Span, headings: Sequence[str]) -> str:
    page = document.page(span.start)
    parts = (heading_line(document.title, headings), f"page {page}" if page else "")
    return " · ".join(part for part in parts if part)


def clip(text: str, longest: int) -> str:
    """Return a text cut at a word, with an ellipsis, where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(None, 1)[0].rstrip() + " …"


def _unproven(quote: Quote) -> Excerpt:
    mark = Piece(_flowing(clip(quote.text, LONGEST_QUOTE)), "mark", quote.n)
    return Excerpt((mark,), quote.source, heading_line("", quote.headings), (quote.span,), False)


def _window(text: str, start: int, end: int, chunk: Chunk | None, room: int) -> tuple[int, int]:
    """Return where the context of quotes starts and ends: their chunk, or `room` characters on either side."""
    if chunk and chunk.span.end >= end and chunk.span.end - chunk.span.start >= _SMALL:
        return max(chunk.span.start, start - room), min(chunk.span.end, end + room)
    return max(0, start - room), min(len(text), end + room)


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


def _prose(text: str, *, last: bool = False) -> tuple[Piece, ...]:
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
