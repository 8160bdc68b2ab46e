"""What a training writes down while it goes: a line for every part of the run, and samples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.jsonl import write_jsonl
from doceo.pretrain.loop import Step

LOG, SAMPLES = "training.jsonl", "samples.jsonl"
LINES = 500
"""About so many lines has the log of a whole run."""


class Log:
    """The lines of `training.jsonl` and `samples.jsonl`; a training that goes on drops what it will repeat.

    Attributes:
        waiting: Losses of steps since the last line.
    """

    def __init__(self, work: Path, steps: int, waiting: Sequence[float]) -> None:
        self._work = work
        self.lines = _read(work / LOG, steps)
        self.samples = _read(work / SAMPLES, steps)
        self.waiting = list(waiting)

    def add(self, step: Step, bits_per_byte: float | None) -> None:
        """Add a line: the mean loss since the last one, and the measurement that was made, if any."""
        self.lines.append(
            {
                "step": step.reached.steps,
                "loss": round(sum(self.waiting) / len(self.waiting), 6),
                "eval_bits_per_byte": None if bits_per_byte is None else round(bits_per_byte, 6),
                "learning_rate": step.rate,
                "tokens": step.reached.tokens,
                "seconds": round(step.reached.seconds, 3),
            }
        )
        self.waiting = []

    def add_samples(self, step: int, written: Sequence[Mapping[str, str]]) -> None:
        """Add what the model wrote after a step."""
        self.samples += [{"step": step, **sample} for sample in written]

    def loss(self) -> float:
        """Return the mean loss over the last tenth of the lines, in nats a token."""
        tail = self.lines[-max(1, len(self.lines) // 10) :]
        return float(sum(line["loss"] for line in tail) / len(tail))

    def write(self) -> None:
        """Bring both files up to date. Raises StorageError."""
        write_jsonl(self._work / LOG, self.lines)
        write_jsonl(self._work / SAMPLES, self.samples)


def _read(path: Path, steps: int) -> list[dict[str, Any]]:
    if not steps or not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["step"] <= steps]
