"""A command of a job as a child process that lives no longer than its worker's lease."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doceo.app.jobs.kind import Step
from doceo.app.jobs.variables import section_variables, variables
from doceo.app.settings import Settings
from doceo.core import lease

_TAIL = 4000
"""Bytes of the end of the log in which the reason of an end is looked for."""
OUTPUT, LOG = "output.json", "log.jsonl"


@dataclass(frozen=True)
class End:
    """How a command ended. `code` is negative for a signal; `output` is what it printed with `--json`."""

    code: int
    output: dict[str, Any]
    tail: str

    @property
    def killed(self) -> bool:
        """Whether somebody ended it who did not ask it to."""
        return self.code in (-signal.SIGKILL, 128 + signal.SIGKILL)

    @property
    def stopped(self) -> bool:
        """Whether it ended because it was asked to."""
        return self.code in (128 + signal.SIGTERM, 128 + signal.SIGINT, -signal.SIGTERM, -signal.SIGINT)


class Child:
    """A running command. Standard output and log go to files of the job's folder, so that it never waits for a reader.

    Args:
        step: What to run.
        place: The job's folder.
        number: Which command of the job it is.
        settings: What the worker runs with.
    """

    def __init__(self, step: Step, place: Path, number: int, settings: Settings) -> None:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._output, self.log = place / f"{number}-{OUTPUT}", place / f"{number}-{LOG}"
        self._end: End | None = None
        self._pipe, self._closed = threading.Lock(), False
        reading, self._writing = os.pipe()
        # What an earlier attempt said is known already, or told anew.
        with self._output.open("wb") as out, self.log.open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", *step.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=log,
                    env=_environment(step, settings, reading),
                    pass_fds=(reading,),
                    start_new_session=True,
                )
            except BaseException:
                os.close(self._writing)
                raise
            finally:
                os.close(reading)
        os.set_blocking(self._writing, False)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def tick(self, at: float) -> None:
        """Let the child live until `lease.SECONDS` after a time of `lease.now`."""
        with self._pipe:
            # once it is closed, its number may be that of any other file
            if not self._closed:
                with contextlib.suppress(OSError):  # it has ended, or was too busy to read for hours
                    os.write(self._writing, lease.line(at))

    def running(self) -> bool:
        """Return whether it has not ended yet."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to save its work and end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all that it has started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def ended(self) -> End:
        """Wait for the end and return how it was."""
        if self._end is not None:
            return self._end
        code = self._process.wait()
        # What it started and left behind must not go on writing.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._pipe:
            if not self._closed:
                self._closed = True
                os.close(self._writing)
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _TAIL))
            tail = log.read().decode("utf-8", "replace")
        self._end = End(code, _object(self._output), tail)
        return self._end


def _environment(step: Step, settings: Settings, reading: int) -> dict[str, str]:
    decided = {**variables(settings), **step.environment, **section_variables(step.settings)}
    own = {lease.VARIABLE: str(reading), "DOCEO_PROGRESS": "json", "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **decided, **own}


def _object(path: Path) -> dict[str, Any]:
    """Return the JSON object that a command printed last, empty where it printed none."""
    for line in reversed(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}
