"""Which of a run's pairs are trained, and which only tested with."""

from __future__ import annotations

from data.store import Run
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.pairs import load_pairs
from doceo.core.records import Pair


def pairs_by_set(run: Run) -> dict[str, list[Pair]]:
    """Return a run's accepted pairs as `train` (validation included), `taught` and `unseen`. Raises StageMissing."""
    held_out = {question.pair_id: str(question.set) for question in load_held_out(run)}
    sets: dict[str, list[Pair]] = {"train": [], "taught": [], "unseen": []}
    for pair in load_pairs(run).pairs:
        sets[held_out.get(pair.id, "train")].append(pair)
    return sets
