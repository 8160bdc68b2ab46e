"""How much of the text of every area the evidence of some pairs touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.records import Chunk, Pair


def covered(chunks: Sequence[Chunk], area_of: Mapping[str, str], pairs: Sequence[Pair]) -> dict[str, float]:
    """Return the share of every area's characters that lie in evidence, 0 to 1, by name.

    Args:
        chunks: Passages; those of no area are left out.
        area_of: Chunk id -> the name of its area.
        pairs: What was asked.
    """
    touched: dict[str, list[tuple[int, int]]] = {}
    for pair in pairs:
        for evidence in pair.evidence:
            touched.setdefault(evidence.span.document_id, []).append((evidence.span.start, evidence.span.end))
    spans = {document_id: _merged(found) for document_id, found in touched.items()}
    inside: dict[str, int] = {}
    whole: dict[str, int] = {}
    for chunk in chunks:
        if area := area_of.get(chunk.id, ""):
            inside[area] = inside.get(area, 0) + _inside(chunk, spans.get(chunk.document_id, ()))
            whole[area] = whole.get(area, 0) + len(chunk.text)
    return {area: inside[area] / max(1, size) for area, size in sorted(whole.items())}


def _inside(chunk: Chunk, spans: Sequence[tuple[int, int]]) -> int:
    return sum(max(0, min(end, chunk.span.end) - max(start, chunk.span.start)) for start, end in spans)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans without their overlaps."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
