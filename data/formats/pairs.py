"""Pairs as a run keeps them, one record a line, and any lines with a question and an answer."""

from __future__ import annotations

from pathlib import Path

from data.formats.provenance import Said, imported
from data.formats.rows import AnyRow, as_row, placed_rows
from doceo.core.records import Pair

HINT = 'A row looks like {"question": ..., "answer": ...}.'


class _Plain(AnyRow):
    question: Said
    answer: Said


def read_pairs(path: Path) -> list[Pair]:
    """Read `pairs.jsonl`, or JSON with question and answer. Raises InputError naming line and field."""
    pairs = []
    for place, row in placed_rows(path):
        if {"id", "question", "answer", "teacher"} <= row.keys():
            pairs.append(as_row(Pair, row, path, place, "It is no longer as a run wrote it; copy it again."))
        else:
            plain = as_row(_Plain, row, path, place, HINT)
            pairs.append(imported(plain.question, plain.answer))
    return pairs
