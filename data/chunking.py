"""Documents to chunks: passages that follow the structure, fit the embedder, and carry exact spans.

Every chunk is a slice of the document's text, so `document.text[span.start:span.end] == chunk.text` holds by
construction; headings stand in `heading_path` and, where a passage runs over several small sections, inside it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from data.headings import heading_of
from doceo.core.config import ChunkConfig
from doceo.core.fingerprint import sha256
from doceo.core.protocols import Tokens
from doceo.core.records import Chunk, Document, Span
from doceo.text.blocks import Block, blocks
from doceo.text.sentences import sentence_spans


@dataclass(frozen=True)
class _Piece:
    """A block, or a part of a block that is too long to be one passage."""

    start: int
    end: int
    path: tuple[str, ...]
    heading: bool = False


def chunk_document(document: Document, tokens: Tokens, config: ChunkConfig) -> list[Chunk]:
    """Return the chunks of a document in order. Every character but blank space and bare headings is in one."""
    counter = _TokenCount(document.text, tokens)
    pieces = list(_pieces(document, counter, config))
    return [_chunk(document, group, counter) for group in _groups(pieces, counter, config)]


class _TokenCount:
    """Counts tokens of any slice of a text from one tokenization of the whole."""

    def __init__(self, text: str, tokens: Tokens) -> None:
        self._text = text
        self._tokens = tokens
        self._starts = [start for start, _ in tokens.offsets(text)]

    def between(self, start: int, end: int) -> int:
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)

    def exact(self, start: int, end: int) -> int:
        return len(self._tokens.offsets(self._text[start:end]))

    def after(self, start: int, count: int) -> int:
        """Return the offset at which token number `count` after `start` begins, or the text's end."""
        position = bisect_left(self._starts, start) + count
        return self._starts[position] if position < len(self._starts) else len(self._text)


def _pieces(document: Document, counter: _TokenCount, config: ChunkConfig) -> Iterator[_Piece]:
    path: list[tuple[int, str]] = []
    for run in _runs(blocks(document.text)):
        start, end = run[0].start, run[-1].end
        if run[0].kind == "heading":
            level, title = heading_of(document.text[start:end])
            path = [(above, name) for above, name in path if above < level]
            path.append((level, title))
        titles = tuple(title for _, title in path if title and title != document.title)
        if run[0].kind == "heading" or counter.between(start, end) <= config.max_tokens:
            yield _Piece(start, end, titles, heading=run[0].kind == "heading")
        else:
            for part_start, part_end in _split(document.text, run, counter, config.max_tokens):
                yield _Piece(part_start, part_end, titles)


def _runs(found: list[Block]) -> Iterator[list[Block]]:
    """Yield blocks one by one, but the items of a list and the rows of a table together, so that they stay whole."""
    run: list[Block] = []
    for block in found:
        if run and not (block.kind == run[-1].kind and block.kind in ("item", "row")):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _split(text: str, run: list[Block], counter: _TokenCount, most: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a run that is too long: by block and sentence (code: by line), then word, then token."""
    if run[0].kind == "code":
        parts = _line_spans(text, run[0])
    else:
        parts = [(b.start + s, b.start + e) for b in run for s, e in sentence_spans(text[b.start : b.end])]
    start = end = -1
    for part_start, part_end in parts:
        if start >= 0 and counter.between(start, part_end) <= most:
            end = part_end
            continue
        if start >= 0:
            yield start, end
        start, end = part_start, part_end
        while counter.between(start, end) > most:
            cut = _cut(text, start, end, counter, most)
            yield _stripped(text, start, cut)
            start, _ = _stripped(text, cut, end)
    if start >= 0 and end > start:
        yield start, end


def _line_spans(text: str, block: Block) -> list[tuple[int, int]]:
    spans, start = [], block.start
    for line in text[block.start : block.end].split("\n"):
        if line.strip():
            spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def _cut(text: str, start: int, end: int, counter: _TokenCount, most: int) -> int:
    """Return where a run without sentence ends is cut: at a blank if there is one, else at a token."""
    limit = min(counter.after(start, most), end)
    blank = max(text.rfind(" ", start + 1, limit), text.rfind("\n", start + 1, limit))
    if blank > start and text[start:blank].strip():
        return blank
    # A word cut in two may come out as more pieces than it was.
    while limit > start + 1 and counter.exact(start, limit) > most:
        limit -= max(1, (limit - start) // 8)
    return limit


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _groups(pieces: list[_Piece], counter: _TokenCount, config: ChunkConfig) -> Iterator[list[_Piece]]:
    """Yield the pieces of each chunk.

    A chunk ends where the next piece does not fit, where it has its target size, or at a heading once it has half
    of it; so tiny sections share a chunk. Headings that open or close a chunk are left to `heading_path`.
    """
    group: list[_Piece] = []
    for piece in pieces:
        if group:
            size = counter.between(group[0].start, group[-1].end)
            too_long = counter.between(group[0].start, piece.end) > config.max_tokens
            section_ends = piece.heading and size >= config.target_tokens // 2
            if too_long or size >= config.target_tokens or section_ends:
                yield from _trimmed(group)
                group = []
        group.append(piece)
    yield from _trimmed(group)


def _trimmed(group: list[_Piece]) -> Iterator[list[_Piece]]:
    first = next((i for i, piece in enumerate(group) if not piece.heading), len(group))
    last = max((i for i, piece in enumerate(group) if not piece.heading), default=-1)
    if first <= last:
        yield group[first : last + 1]


def _chunk(document: Document, group: list[_Piece], counter: _TokenCount) -> Chunk:
    start, end = _stripped(document.text, group[0].start, group[-1].end)
    span = Span(document_id=document.id, start=start, end=end)
    text = document.text[start:end]
    return Chunk(
        id=Chunk.identify(span),
        document_id=document.id,
        span=span,
        text=text,
        heading_path=group[0].path,
        tokens=counter.between(start, end),
        text_sha256=sha256(text),
    )
