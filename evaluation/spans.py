"""Where spans of documents meet."""

from __future__ import annotations

from collections.abc import Iterable

from doceo.core.records import Span


def touches(one: Span, other: Span) -> bool:
    """Say whether two spans have a character in common."""
    return one.document_id == other.document_id and one.start < other.end and other.start < one.end


def shared(span: Span, others: Iterable[Span]) -> int:
    """Return how many characters of a span lie inside one of the others, each counted once."""
    inside, at = 0, span.start
    for other in sorted((other for other in others if touches(span, other)), key=lambda other: other.start):
        start, end = max(other.start, at), min(other.end, span.end)
        inside += max(0, end - start)
        at = max(at, end)
    return inside


def holds(span: Span, piece: Span) -> bool:
    """Say whether a span holds at least half of a piece, which one chunk in any chunking comes near to."""
    return 2 * shared(piece, [span]) >= piece.end - piece.start > 0
