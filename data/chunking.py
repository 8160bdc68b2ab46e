"""Documents to chunks: passages that follow the structure, fit the embedder, and carry exact spans.

Every chunk is a slice of the document's text, so `document.text[span.start:span.end] == chunk.text` holds by
construction; headings stand in `heading_path` and, where a passage runs over several small sections, inside it.
Linear in the text; the memory beside the chunks themselves is bounded, however the text is divided into lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from data.units import Unit, count_tokens, halves, units
from doceo.core.config import ChunkConfig
from doceo.core.fingerprint import sha256
from doceo.core.protocols import Tokens
from doceo.core.records import Chunk, Document, Section, Span

MOST_CHARACTERS = 16
"""Characters of a chunk for each token it may have. A tokenizer may take a text of any length for one unknown token."""
_AT_ONCE = 256


def chunk_document(document: Document, tokens: Tokens, config: ChunkConfig) -> list[Chunk]:
    """Return the chunks of a document in order.

    Every character but blank space and bare headings is in exactly one. A bare heading is one that stands at the edge
    of a chunk: it is in the `heading_path` of the text under it. `tokens` is counted on the chunk's own text and is
    at most `config.max_tokens`, but where a single character has more.
    """
    longest = MOST_CHARACTERS * config.max_tokens
    pieces = _pieces(units(document, tokens, config.max_tokens, longest), config.max_tokens, longest)
    chunks: list[Chunk] = []
    for group in _at_once(_groups(pieces, config, longest)):
        chunks += _chunks(document, group, tokens, config.max_tokens)
    return chunks


def _pieces(found: Iterable[Unit], most: int, longest: int) -> Iterator[Unit]:
    """Join the units of a run as far as they fit: a list, a table, a paragraph or code is whole where it can be."""
    piece: Unit | None = None
    for unit in found:
        if piece is None:
            piece = unit
        elif (
            unit.run == piece.run
            and not (unit.heading or piece.heading)
            and piece.tokens + unit.tokens <= most
            and unit.end - piece.start <= longest
        ):
            piece = piece._replace(end=unit.end, tokens=piece.tokens + unit.tokens)
        else:
            yield piece
            piece = unit
    if piece is not None:
        yield piece


def _groups(pieces: Iterable[Unit], config: ChunkConfig, longest: int) -> Iterator[list[Unit]]:
    """Yield the pieces of each chunk.

    A chunk ends where the next piece does not fit, where it has its target size, or at a heading once it has half
    of it; so tiny sections share a chunk. Headings that open or close a chunk are left to `heading_path`.
    """
    group: list[Unit] = []
    size = 0
    for piece in pieces:
        if group:
            too_long = size + piece.tokens > config.max_tokens or piece.end - group[0].start > longest
            section_ends = (piece.heading or piece.opens) and size >= config.target_tokens // 2
            if too_long or size >= config.target_tokens or section_ends:
                yield from _without_bare_headings(group)
                group, size = [], 0
        if group or not piece.heading:
            group.append(piece)
            size += piece.tokens
    yield from _without_bare_headings(group)


def _without_bare_headings(group: list[Unit]) -> Iterator[list[Unit]]:
    last = max((i for i, piece in enumerate(group) if not piece.heading), default=-1)
    first = next((i for i, piece in enumerate(group) if not piece.heading), len(group))
    if first <= last:
        yield group[first : last + 1]


def _at_once(groups: Iterable[list[Unit]]) -> Iterator[list[list[Unit]]]:
    some: list[list[Unit]] = []
    for group in groups:
        some.append(group)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _chunks(document: Document, groups: Sequence[list[Unit]], tokens: Tokens, most: int) -> Iterator[Chunk]:
    """Yield the chunks of groups; one that is longer than its pieces promised is divided."""
    texts = [document.text[group[0].start : group[-1].end] for group in groups]
    for group, text, size in zip(groups, texts, count_tokens(tokens, texts), strict=True):
        if size <= most or len(text) < 2:
            yield _chunk(document, group, text, size)
        else:
            yield from _chunks(document, list(_divided(document.text, group)), tokens, most)


def _divided(text: str, group: list[Unit]) -> Iterator[list[Unit]]:
    if len(group) > 1:
        middle = len(group) // 2
        yield from _without_bare_headings(group[:middle])
        yield from _without_bare_headings(group[middle:])
    else:
        for start, end in halves(text, group[0].start, group[0].end):
            yield [group[0]._replace(start=start, end=end)]


def _chunk(document: Document, group: Sequence[Unit], text: str, size: int) -> Chunk:
    span = Span(document_id=document.id, start=group[0].start, end=group[-1].end)
    return Chunk(
        id=Chunk.identify(span),
        document_id=document.id,
        span=span,
        text=text,
        heading_path=group[0].path,
        sections=tuple(
            Section(start=unit.start - span.start, heading_path=unit.path)
            for before, unit in pairwise(group)
            if unit.path != before.path
        ),
        tokens=size,
        text_sha256=sha256(text),
    )
