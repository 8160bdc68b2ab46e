"""How much of the text of every area the evidence of some pairs touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.records import Chunk, Pair, Span
from evaluation.spans import shared


def covered(chunks: Sequence[Chunk], area_of: Mapping[str, str], pairs: Sequence[Pair]) -> dict[str, float]:
    """Return the share of every area's characters that lie in evidence, 0 to 1, by name.

    Args:
        chunks: Passages; those of no area are left out.
        area_of: Chunk id -> the name of its area.
        pairs: What was asked.
    """
    touched: dict[str, list[Span]] = {}
    for pair in pairs:
        for evidence in pair.evidence:
            touched.setdefault(evidence.span.document_id, []).append(evidence.span)
    inside: dict[str, int] = {}
    whole: dict[str, int] = {}
    for chunk in chunks:
        if area := area_of.get(chunk.id, ""):
            inside[area] = inside.get(area, 0) + shared(chunk.span, touched.get(chunk.document_id, ()))
            whole[area] = whole.get(area, 0) + len(chunk.text)
    return {area: inside[area] / max(1, size) for area, size in sorted(whole.items())}
