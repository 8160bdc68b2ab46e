"""Rows of a file that are kept for validation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from doceo.core.fingerprint import identify
from finetune.checks import Row

LEAST = 20
"""Rows below which none is held out: each of them is needed, and one row says nothing."""
MOST = 200
"""Most rows held out, so that evaluations stay short."""


def split(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Return the rows to train on and those held out, each in the order of the file.

    Rows that begin with the same words of the user stay together, so that no question is on both sides. Which are
    held out depends on the seed and on the words alone, not on the order of the rows.

    Args:
        rows: The rows of a file.
        share: The share to hold out; 0 holds out none, and so does a file of fewer than 20 rows.
        seed: Decides which.
    """
    wanted = min(MOST, math.ceil(len(rows) * share)) if len(rows) >= LEAST else 0
    keys = [identify("", [seed, _question(row)]) for row in rows]
    held: set[str] = set()
    count = 0
    for key, rows_of_it in sorted(Counter(keys).items()):
        if count >= wanted:
            break
        held.add(key)
        count += rows_of_it
    if count >= len(rows):
        return list(rows), []
    kept = [row for row, key in zip(rows, keys, strict=True) if key not in held]
    return kept, [row for row, key in zip(rows, keys, strict=True) if key in held]


def _question(row: Row) -> str:
    """Return the first words of the user, or the plain text."""
    return next((message.content for message in row.messages if message.role == "user"), row.text)
