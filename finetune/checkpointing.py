"""The checkpoints of a training, and whose they are: only the same training goes on from them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from data.jsonl import write_json, write_text
from finetune.finetuned import Memory
from finetune.recipe import Recipe

CHECKPOINTS, RECIPE, PLAN = "checkpoints", "made-from", "plan.json"
MARK = "finished"
"""A checkpoint that holds this file is whole; the trainer itself writes its files one after the other."""
BEST = "best"


def checkpoints(folder: Path) -> list[Path]:
    """Return the finished checkpoints of a folder, oldest first; those that were cut off are removed."""
    finished: list[Path] = []
    for path in sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1])):
        if (path / MARK).exists():
            finished.append(path)
        else:
            shutil.rmtree(path)
    return finished


def last_step(folder: Path) -> int:
    """Return the optimizer step of the newest finished checkpoint below `checkpoints`, 0 where there is none."""
    marked = [path.parent.name for path in (folder / CHECKPOINTS).glob(f"checkpoint-*/{MARK}")]
    return max((int(name.split("-")[1]) for name in marked), default=0)


def lines_until(path: Path, step: int) -> list[dict[str, Any]]:
    """Return the lines of a log up to the step that a training goes on from; none of a file that is not there."""
    if not (step and path.exists()):
        return []
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["step"] <= step]


def claim(work: Path, identity: str) -> None:
    """Keep the checkpoints of a folder only if they are of this very training."""
    note = work / CHECKPOINTS / RECIPE
    if not (note.exists() and note.read_text(encoding="utf-8") == identity):
        shutil.rmtree(work / CHECKPOINTS, ignore_errors=True)
    write_text(note, identity)


def keep_plan(work: Path, made: Recipe, memory: Memory) -> None:
    """Note how many rows go through the model at once: a continued training adds up its losses in the same order."""
    plan = {"most_rows": made.most_rows, "checkpointing": made.checkpointing, "memory": memory.model_dump()}
    write_json(work / CHECKPOINTS / PLAN, plan)


def kept_plan(work: Path, made: Recipe) -> Recipe:
    """Return the recipe with the rows at once of the training that is continued, if one is."""
    path = work / CHECKPOINTS / PLAN
    if not path.exists():
        return made
    plan = json.loads(path.read_text(encoding="utf-8"))
    return made._replace(most_rows=plan["most_rows"], checkpointing=plan["checkpointing"])


def kept_memory(work: Path) -> Memory | None:
    """Return what the memory of the training that is continued was found to be, or None where it is a new one."""
    path = work / CHECKPOINTS / PLAN
    return Memory(**json.loads(path.read_text(encoding="utf-8"))["memory"]) if path.exists() else None
