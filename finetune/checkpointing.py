"""The checkpoints of a training, and whose they are: only the same training goes on from them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from data.jsonl import write_json
from doceo.core.config import FinetuneConfig
from doceo.core.fingerprint import same_configs, written_configs
from finetune.finetuned import Memory
from finetune.log_file import log_lines
from finetune.passes import PASSES
from finetune.recipe import Recipe

CHECKPOINTS, RECIPE, PLAN = "checkpoints", "made-from.json", "plan.json"
MARK = "finished"
"""A checkpoint that holds this file is whole; the trainer itself writes its files one after the other."""
DUE = "evaluation-due"
"""A checkpoint that holds this file was made instead of the evaluation of its step."""
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
    return [line for line in log_lines(path) if line["step"] <= step] if step else []


def claim(work: Path, identity: str, config: FinetuneConfig) -> None:
    """Keep the checkpoints of a folder only if they are of this very training: same base, same rows, same config."""
    note = work / CHECKPOINTS / RECIPE
    if not (note.exists() and _of_this(json.loads(note.read_text(encoding="utf-8")), identity, config)):
        for name in (CHECKPOINTS, PASSES):
            shutil.rmtree(work / name, ignore_errors=True)
    write_json(note, {"identity": identity, "config": written_configs([config])})


def _of_this(note: dict[str, Any], identity: str, config: FinetuneConfig) -> bool:
    return bool(note["identity"] == identity and same_configs(note["config"], [config]))


def keep_plan(work: Path, made: Recipe, memory: Memory, steps: int) -> None:
    """Note how many rows go through the model at once: a continued training adds up its losses in the same order.

    The steps of the whole training stand there too, for whoever looks at it meanwhile.
    """
    plan = {"most_rows": made.most_rows, "checkpointing": made.checkpointing, "memory": memory.model_dump()}
    write_json(work / CHECKPOINTS / PLAN, {"steps": steps, **plan})


def planned_steps(work: Path) -> int | None:
    """Return the optimizer steps of the whole training in a work folder; None before they are known."""
    path = work / CHECKPOINTS / PLAN
    return int(json.loads(path.read_text(encoding="utf-8"))["steps"]) if path.exists() else None


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
