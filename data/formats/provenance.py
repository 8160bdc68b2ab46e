"""Where a pair comes from, as every format carries it."""

from __future__ import annotations

from doceo.core.records import Pair


def provenance(pair: Pair) -> dict[str, object]:
    """Return a pair's id, kind and evidence with exact spans."""
    return {
        "pair_id": pair.id,
        "kind": pair.kind,
        "difficulty": pair.difficulty,
        "topic": pair.topic,
        "teacher": pair.teacher,
        "evidence": [evidence.model_dump(mode="json") for evidence in pair.evidence],
    }
