"""The words of a pair and where they stand, as a reader wants to see them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from doceo.core.records import Chunk, Pair

# The end of a line that its file broke in the middle of a sentence.
_WRAPPED = re.compile(r"(?<![\n.:;|!?])\n(?=[^\W\d_A-Z])")


def flowing(text: str) -> str:
    """Return a text with the lines joined that its file had wrapped."""
    return _WRAPPED.sub(" ", text)


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
        found.append(
            (" > ".join([sources.get(span.document_id, span.document_id), *headings]), flowing(evidence.quote))
        )
    return found
