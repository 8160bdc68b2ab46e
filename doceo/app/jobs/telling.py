"""What a command tells while it runs, as events: each is told once, however often the job is taken up again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from doceo.app.store.job_events import News
from doceo.core.jobs import JobEvent


class Lines:
    """The whole lines that are added to a file, which may move once: the first of its places that is there is read."""

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = places
        self._read, self._last = 0, b""

    def new(self) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects that came since; other lines are left out.

        A file that was written anew meanwhile, as a training does that goes on, is read from its beginning.
        """
        for path in self._places:
            try:
                content = path.open("rb")
            except FileNotFoundError:
                continue
            with content:
                if not self._goes_on(content):
                    self._read, self._last = 0, b""
                content.seek(self._read)
                for line in content:
                    if not line.endswith(b"\n"):
                        break
                    self._read, self._last = self._read + len(line), line
                    if found := _object(line):
                        yield found
            return

    def _goes_on(self, content: BinaryIO) -> bool:
        """Return whether the last line that was read still stands where it was."""
        content.seek(self._read - len(self._last))
        return content.read(len(self._last)) == self._last


class Teller:
    """Turns what a command tells into events.

    Args:
        log: What the command writes to stderr with `DOCEO_PROGRESS=json`.
        training: Where it writes its training log, if it trains.
        said: What was said of the job before.
        measured: The metrics that the job has already, in order.
        clock: Seconds that only grow.

    Attributes:
        tasks: The tasks that the command has begun.
        left: Seconds until its end, where that is known.
    """

    def __init__(
        self,
        log: Path,
        training: Sequence[Path],
        said: Iterable[str],
        measured: Sequence[JobEvent],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._training, self._clock = Lines([log]), Lines(training), clock
        self._first: dict[str, tuple[float, int]] = {}
        """By task, when it began and how much of it was done then."""
        self._trains = bool(training)
        self._said = set(said)
        self._done: dict[str, int] = {}
        self._trained = self._evaluated = 0
        self._total: int | None = None
        self._before: dict[str, Any] | None = None
        self.tasks: set[str] = set()
        self.left: float | None = None
        for event in measured:
            self._know(event.data or {})
        self._begun = self._got_to()

    @property
    def got_further(self) -> bool:
        """Whether the command did anything that no earlier attempt had done."""
        return self._got_to() != self._begun

    def news(self) -> list[News]:
        """Return what has happened since."""
        told = [found for line in self._log.new() if (found := self._told(line))]
        return told + [found for line in self._training.new() if (found := self._measured(line))]

    def _got_to(self) -> tuple[object, ...]:
        return self._trained, self._evaluated, *sorted(self._done.items())

    def _know(self, data: dict[str, Any]) -> None:
        if "task" in data:
            self._done[str(data["task"])] = int(data["done"])
        elif "train_loss" in data:
            self._trained = int(data["step"])
        elif "valid_loss" in data:
            self._evaluated = int(data["step"])

    def _told(self, line: dict[str, Any]) -> News | None:
        words = line.get("say")
        if isinstance(words, str):
            if words in self._said or not words.strip():
                return None
            self._said.add(words)
            return News(message=words)
        if "task" not in line:
            return None
        task, done, now = str(line["task"]), int(line.get("done") or 0), self._clock()
        self.tasks.add(task)
        if task not in self._first or done <= self._first[task][1]:
            self._first[task] = now, done
        if self._trains:
            # Steps are told by the training's own log, with their losses.
            self._total = line.get("total") or self._total
            return None
        if done <= self._done.get(task, 0):
            return None
        self._done[task] = done
        data = {key: line.get(key) for key in ("task", "done", "total", "unit", "note")}
        total, (since, before) = line.get("total"), self._first[task]
        if total and now > since:
            data["eta_seconds"] = round((total - done) * (now - since) / (done - before), 1)
        of = f" of {total}" if total else ""
        return News(kind="metrics", message=f"{task}: {done}{of} {line.get('unit') or ''}".strip(), data=data)

    def _measured(self, line: dict[str, Any]) -> News | None:
        step = int(line["step"])
        at = f"Step {step}/{self._total}" if self._total else f"Step {step}"
        known = {"step": step, "total_steps": self._total}
        if line.get("eval_loss") is not None and step > self._evaluated:
            self._evaluated = step
            accuracy = {"valid_mean_token_accuracy": line.get("eval_accuracy")}
            data = known | {"valid_loss": line["eval_loss"]} | accuracy | _rewards(line)
            return News(kind="metrics", message=f"{at}: validation loss={line['eval_loss']:.4f}", data=data)
        if line.get("loss") is None:
            return None
        speed = self._speed(line)
        self._before = line
        if step <= self._trained:
            return None
        self._trained = step
        data = known | {
            "train_loss": line["loss"],
            "train_mean_token_accuracy": line.get("accuracy"),
            "learning_rate": line.get("learning_rate"),
        }
        message = f"{at}: training loss={line['loss']:.4f}"
        return News(kind="metrics", message=message, data=data | _rewards(line) | speed)

    def _speed(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return tokens a second since the line before, and the seconds that are left at this pace."""
        before = self._before or {"step": 0, "tokens": 0, "seconds": 0.0}
        seconds, steps = line["seconds"] - before["seconds"], line["step"] - before["step"]
        if seconds <= 0 or steps <= 0:
            return {}
        if self._total:
            self.left = (self._total - line["step"]) * seconds / steps
        eta = None if self.left is None else round(self.left, 1)
        return {"tokens_per_second": round((line["tokens"] - before["tokens"]) / seconds, 1), "eta_seconds": eta}


def _rewards(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if "reward" in name}


def _object(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line, an empty one where it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
