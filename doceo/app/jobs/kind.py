"""What a kind of job is: commands that continue by themselves, and what comes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doceo.app.host import Host
from doceo.app.store.job_events import News
from doceo.core.errors import DoceoError
from doceo.core.jobs import Job, JobError

_KNOWN = {"disk is full": "disk_full", "memory is not enough": "out_of_memory"}
_LEFT_OUT = re.compile(r",? or [^,;.]*--skip-faulty")
_FLAG = re.compile(r"(?<![^\s(])--(?:finetune-)?([a-z][a-z-]*)")


@dataclass(frozen=True)
class Step:
    """One command of a job. It is run again after any end that was not its own, and then has to go on by itself.

    Attributes:
        arguments: What follows `python -m`, such as `doceo finetune ...`.
        settings: Settings that the job decides, by section; they come before those of the worker's own config.
        training: Where the command writes `training.jsonl` while it runs, if it trains.
        environment: Further variables.
    """

    arguments: tuple[str, ...]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    training: tuple[Path, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """A job on a worker.

    Attributes:
        job: The job with its lease.
        host: What the worker works with.
        place: The job's own folder.
    """

    job: Job
    host: Host
    place: Path


class JobFailed(Exception):
    """A job cannot be done; it ends as failed with this reason."""

    def __init__(self, error: JobError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True)
class Outcome:
    """What came of a job: its result, and what is said of it; one that is `ready` has its work still to be done."""

    result: dict[str, Any]
    news: tuple[News, ...] = ()
    ready: bool = False


Output = dict[str, Any]
"""What a command printed with `--json`."""


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        begin: Prepares the job's folder and returns the commands. Called again after a takeover. Raises JobFailed.
        finish: Turns what the commands printed into the outcome. Called again where a worker died meanwhile.
        failed: Turns the error of a command into the job's; told whether it came before the job was under way.
        began: Said when the first command runs.
        under_way: Name of the progress from which on an error is not one of the job's files.
    """

    begin: Callable[[Work], Sequence[Step]]
    finish: Callable[[Work, Sequence[Output]], Outcome]
    failed: Callable[[Work, JobError, bool], JobError] = lambda work, error, validating: error
    began: str = "Job started"
    under_way: str = ""


def failure(error: DoceoError) -> JobError:
    """Return an error of Doceo as a job's."""
    return failure_of(error.code, error.message, error.hint)


def failure_of(code: str, message: str, hint: str) -> JobError:
    """Return why a job failed, under a code of its own where what was missing is the machine's.

    Flags of the command line are named as the settings that they are.
    """
    said = _FLAG.sub(lambda flag: flag[1].replace("-", "_"), _LEFT_OUT.sub("", f"{message} {hint}".strip()))
    return JobError(code=next((known for words, known in _KNOWN.items() if words in said), code), message=said)
