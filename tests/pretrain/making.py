"""A small training through `doceo.app.pretraining`, on texts made here, and ways to end it early."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doceo.app.pretraining import Outcome, Plan
from doceo.core.protocols import Progress, Task
from tests.tiny_base import train

FLAGS: dict[str, dict[str, Any]] = {
    "pretrain": {"depth": 1, "vocab_size": 320, "context": 64, "max_steps": 24, "batch_tokens": 128},
    "training": {"window": 32, "evaluations": 3, "eval_tokens": 256, "sample_tokens": 6},
}
SAVING = {"save_seconds": 1e-6}
"""A checkpoint after every step."""
WORDS = "river stone lamp winter ferry keeper slate engine copper garden bridge harbour north salt mill wheel"
ENDINGS = (".safetensors", ".json", ".jinja", ".txt")
TIMED = {"manifest.json", "pretraining.json"}


def write_texts(folder: Path) -> Path:
    """Write two plain files and one of rows, and return their folder."""
    folder.mkdir()
    luck, words = random.Random(1), WORDS.split()
    for name in ("a.txt", "b.txt"):
        lines = [" ".join(luck.choice(words) for _ in range(12)).capitalize() + "." for _ in range(150)]
        (folder / name).write_text("\n\n".join(lines), encoding="utf-8")
    rows = [{"text": " ".join(luck.choice(words) for _ in range(9))} for _ in range(40)]
    (folder / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def made(text: Path, out: Path, progress: Progress | None = None, *, curve: bool = False, **given: Any) -> Outcome:
    plan = {key: given.pop(key) for key in ("tokenizer", "config", "further", "force") if key in given}
    flags = {section: {**FLAGS[section], **given.get(section, {})} for section in FLAGS}
    return train(Plan((str(text),), out, **plan), flags, progress, curve=curve)


def content(folder: Path) -> dict[str, str]:
    files = [path for path in folder.iterdir() if path.name.endswith(ENDINGS) and path.name not in TIMED]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def lines(folder: Path, *leave: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in leave} for line in found]


class Cut(Exception):
    """The process is gone."""


class Ending:
    """A progress that stops the process, in its way, at a step."""

    def __init__(self, step: int, stop: Callable[[], None]) -> None:
        self._step, self._stop = step, stop

    @contextmanager
    def task(self, name: str, total: int | None = None, unit: str = "") -> Iterator[Task]:
        yield _Counting(self if name == "pretrain" else None)

    def say(self, line: str) -> None: ...

    def reached(self, step: int) -> None:
        if step == self._step:
            self._stop()


class _Counting:
    def __init__(self, owner: Ending | None) -> None:
        self._owner, self._steps = owner, 0

    def advance(self, n: int = 1, note: str = "") -> None:
        self._steps += n
        if self._owner:
            self._owner.reached(self._steps)


def cut() -> None:
    """End as a killed process does."""
    raise Cut
