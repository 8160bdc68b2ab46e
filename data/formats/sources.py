"""Where the words of a pair stand, as a reader wants it named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.records import Chunk, Pair


def cited(pair: Pair, chunks: Mapping[str, Chunk], sources: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (place, quote) of every evidence of a pair.

    Args:
        pair: The pair.
        chunks: Passages by id; the one that holds an evidence gives its headings.
        sources: Document id -> name; a document that is not there goes by its id.
    """
    mine: Sequence[Chunk] = [chunks[chunk_id] for chunk_id in pair.chunk_ids if chunk_id in chunks]
    found = []
    for evidence in pair.evidence:
        span = evidence.span
        headings = next(
            (
                chunk.heading_path
                for chunk in mine
                if chunk.document_id == span.document_id and chunk.span.start <= span.start < chunk.span.end
            ),
            (),
        )
        found.append((" > ".join([sources.get(span.document_id, span.document_id), *headings]), evidence.quote))
    return found
