"""Marks of 0, 1 or 2 on the points of a rubric, read from a model's reply."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doceo.text.loose_json import candidates, load


@dataclass(frozen=True)
class Mark:
    """A mark with its reason, and all else that was said of the point."""

    mark: int
    reason: str = ""
    said: Mapping[str, object] = field(default_factory=dict)


def marks_of(text: str, points: Sequence[str]) -> dict[str, Mark]:
    """Return the marks of a reply by point; a point that has no mark of 0, 1 or 2 is left out.

    They are JSON in any wrapping, or lines that begin with a point's name, such as "clarity: 2".

    Args:
        text: The reply.
        points: Names of the points, in small letters.
    """
    found: dict[str, Mark] = {}
    for candidate in candidates(text):
        value, _ = load(candidate)
        if not isinstance(value, dict):
            continue
        by_name = _by_name(value, points)
        for point in points:
            if (mark := _mark(by_name.get(point))) is not None:
                found[point] = mark
        if len(found) == len(points):
            return found
    for point, mark_said in _line(points).findall(text):
        found.setdefault(point.lower(), Mark(int(mark_said)))
    return found


def _by_name(value: dict[object, object], points: Sequence[str]) -> dict[str, object]:
    """Return what is said of each point, where it stands at the top or one level down."""
    named = {str(key).strip().lower(): inside for key, inside in value.items()}
    inner = next((inside for inside in value.values() if isinstance(inside, dict)), {})
    return named if set(points) & named.keys() else {str(key).strip().lower(): v for key, v in inner.items()}


def _mark(said: object) -> Mark | None:
    mark = said.get("mark", said.get("score")) if isinstance(said, dict) else said
    if str(mark).strip() not in ("0", "1", "2"):
        return None
    inside = said if isinstance(said, dict) else {}
    return Mark(int(str(mark)), str(inside.get("reason") or "").strip(), inside)


def _line(points: Sequence[str]) -> re.Pattern[str]:
    """Return what finds a line such as `**Clarity**: 2` or `- worth = mark 1`, not `worth: 1.5` or `worth: 2/10`."""
    names = "|".join(map(re.escape, points))
    return re.compile(
        rf"^[^\w\n]*(?:\d{{1,2}}\W{{1,3}})?({names})\b[^\w\n]{{0,4}}?[:=|–—-][^\w\n]{{0,6}}"
        rf"(?:mark\W{{0,4}}|score\W{{0,4}})?([0-2])\b(?![.,]\d|\s*/\s*(?!2\b))",
        re.IGNORECASE | re.MULTILINE,
    )
