"""Which of a run's pairs are trained, and which only tested with."""

from __future__ import annotations

from data.jsonl import read_rows
from data.store import DATASET, Run
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.pairs import load_pairs
from doceo.core.records import Pair

LEFT_OUT = "left-out"
"""Pairs in no set: the leak check took their rows out."""


def pairs_by_set(run: Run) -> dict[str, list[Pair]]:
    """Return a run's accepted pairs as `train` (validation included), `taught`, `unseen` and `left-out`.

    Raises StageMissing.
    """
    held_out = {question.pair_id: str(question.set) for question in load_held_out(run)}
    trained = _trained(run)
    sets: dict[str, list[Pair]] = {"train": [], "taught": [], "unseen": [], LEFT_OUT: []}
    for pair in load_pairs(run).pairs:
        # Imported rows name no pair: there, what is not held out is trained.
        other = "train" if pair.id in trained or not trained else LEFT_OUT
        sets[held_out.get(pair.id, other)].append(pair)
    return sets


def _trained(run: Run) -> set[str]:
    files = (run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl"))
    rows = (row.get("metadata") for file in files for _, row in read_rows(file))
    return {str(row["pair_id"]) for row in rows if isinstance(row, dict) and row.get("pair_id")}
