"""The command `finetune`: what was asked for, who trains it, and what to do next."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from data.jsonl import read_json
from data.lock import writing
from data.store import ADAPTER, DATASET
from doceo.app.pipeline import base_for_run, finetune_file, finetune_run
from doceo.app.runs import existing_run
from doceo.app.settings import Settings
from doceo.app.training_rows import is_rows, rows_of
from doceo.core.errors import InputError, UsageError
from doceo.core.protocols import Progress

if TYPE_CHECKING:
    from finetune.data_report import DataReport


class Tuning(NamedTuple):
    """What is to be tuned: rows of a run or of files, where to, and how it begins (see `Manner`).

    `more` are files and data sets whose rows are mixed in; `skip_faulty` leaves their faulty rows out.
    """

    source: str
    out: Path | None = None
    validation: Path | None = None
    resume: bool = False
    start: Path | None = None
    force: bool = False
    more: tuple[str, ...] = ()
    skip_faulty: bool = False

    @property
    def files(self) -> list[str]:
        """The files of rows and data sets, where the source is no run."""
        return [self.source, *self.more] if is_rows(self.source) else []


class Tuned(NamedTuple):
    """A finished fine-tuning: its folder, its record (`finetuning.json`), and the next commands.

    `before` is when an earlier command finished it, in seconds since 1970, where this one had nothing to do.
    """

    folder: Path
    record: dict[str, Any]
    next_steps: list[str]
    before: float | None = None

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return "Model" if self.record.get("method") == "full" else "Adapter"

    def said(self) -> str:
        """Return that it was finished before, when, and how it did; nothing where it was trained now."""
        if self.before is None:
            return ""
        when = datetime.fromtimestamp(self.before, UTC)
        compared, forgetting = self.record.get("compared"), self.record.get("forgetting")
        figures = [f"{self.record['steps']:,} steps on {self.record['rows']:,} rows, loss {self.record['loss']:.3f}"]
        if compared:
            figures.append(f"held-out loss {compared['base_loss']:.3f} before, {compared['loss']:.3f} after")
        if forgetting:
            figures.append(f"general text {forgetting['base_loss']:.3f} before, {forgetting['loss']:.3f} after")
        return (
            f"{self.folder} was finished on {when:%Y-%m-%d at %H:%M} UTC from the same rows, base and settings: "
            f"nothing to do. {'; '.join(figures)}."
        )

    def forgot_more_than(self, most: float | None) -> str:
        """Say that more was unlearned than is allowed (nats a token on the general text), or nothing."""
        if most is None:
            return ""
        from doceo.app.stages.adapter import forgotten_too_much

        return forgotten_too_much(self.folder, most)


def check_together(asked: Tuning) -> None:
    """Raise UsageError or InputError where what was asked does not go together."""
    if asked.resume and asked.start:
        raise UsageError(
            "--resume goes on with an interrupted training; --continue-from starts a new one from an adapter.",
            hint="Give one of them.",
        )
    if asked.validation and not asked.files:
        raise UsageError("--validation belongs to a FILE; a run has validation rows of its own.", hint="Leave it out.")
    if (asked.more or asked.skip_faulty) and not asked.files:
        raise UsageError(
            f"{asked.source} is no file of rows, so that nothing can be mixed in or left out.",
            hint="To mix the rows of a run, name its 4-dataset/train.jsonl.",
        )
    if asked.validation and not asked.validation.is_file():
        raise InputError(f"There is no file {asked.validation}.", hint="Check the path behind --validation.")
    if asked.validation and not asked.validation.stat().st_size:
        raise InputError(f"{asked.validation} is empty.", hint="Leave --validation out: some rows are then held out.")
    if asked.start and not asked.start.is_dir():
        raise InputError(f"There is no adapter folder {asked.start}.", hint="`doceo models` lists the adapters here.")


def tune(asked: Tuning, settings: Settings, progress: Progress) -> Tuned:
    """Train, or return what is finished already.

    Raises RunLocked where another process writes the same folder, and as `train_adapter` and `train_on_file`.
    """
    from doceo.app.stages.adapter import tuned_at

    if asked.files and not asked.out:
        raise UsageError("A file needs --out.", hint="doceo finetune rows.jsonl --base MODEL --out DIR")
    place = asked.out.expanduser().resolve() if asked.out else None
    with _held(place):
        place = place or existing_run(asked.source).path / ADAPTER
        before = tuned_at(place)
        made = _tuned(asked, settings, progress)
        return made._replace(before=before if before == tuned_at(place) else None)


@contextmanager
def _held(out: Path | None) -> Iterator[None]:
    """Hold a folder that is to be made, beside it; a run has a lock of its own. Raises RunLocked."""
    if out is None:
        yield
        return
    beside = out.with_name(f".{out.name}.lock")
    with writing(beside, "adapter", instead="choose another --out"):
        try:
            yield
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _tuned(asked: Tuning, settings: Settings, progress: Progress) -> Tuned:
    how: dict[str, Any] = {"force": asked.force, "resume": asked.resume, "start": asked.start}
    if asked.files and asked.out:
        with rows_of(asked.files, asked.out, settings.finetune.seed, progress, skip_faulty=asked.skip_faulty) as file:
            folder = finetune_file(file, asked.out, settings, progress, validation=asked.validation, **how)
        steps = [
            f'doceo ask "..." --no-documents --model hf:{asked.out}',
            f"doceo export-model {asked.out} --to gguf --out DIR",
        ]
    else:
        run = existing_run(asked.source)
        folder = finetune_run(run, asked.out, settings, progress, **how)
        own = [f"doceo evaluate {run.path}", f"doceo chat {run.path} --model tuned"]
        steps = [f"doceo chat {run.path} --model hf:{folder}"] if asked.out else own
    record = read_json(folder / "finetuning.json")
    assert isinstance(record, dict)
    return Tuned(folder, record, steps)


def tune_together(asked: Tuning, settings: Settings, progress: Progress) -> Tuned | None:
    """Train as `tune`, in as many processes as `torchrun` started; None in all but the first.

    The others wait until the first one knows what is to be trained, and are told where there is nothing to do.
    """
    from finetune import ranks

    if ranks.count() == 1:
        return tune(asked, settings, progress)
    from finetune.following import follow

    if not ranks.first():
        follow()
        return None
    try:
        return tune(asked, settings, progress)
    finally:
        ranks.dismiss()


def check(asked: Tuning, settings: Settings, progress: Progress) -> DataReport:
    """Check the rows as the training would, and train nothing. Raises as `finetune.data_check.check_data`."""
    from finetune.data_check import check_data

    config = settings.finetune
    if asked.files:
        if not settings.base:
            raise UsageError("A file needs --base.", hint="doceo finetune rows.jsonl --base MODEL --check")
        with (
            TemporaryDirectory() as folder,
            rows_of(asked.files, Path(folder, "mixture"), config.seed, progress, skip_faulty=asked.skip_faulty) as file,
        ):
            return check_data(settings.base, file, asked.validation, config)
    run = existing_run(asked.source)
    rows, held = run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl")
    base = base_for_run(run, settings, progress)
    return check_data(base, rows, held, config.model_copy(update={"holdout_share": 0.0}))


def print_command(asked: Tuning, settings: Settings, progress: Progress) -> str:
    """Return the stock command that trains the same. Raises as `tune`."""
    from finetune.plain_command import plain_command

    out = str(asked.out or "adapter")
    if asked.files:
        if not settings.base:
            raise UsageError("A file needs --base.", hint="doceo finetune rows.jsonl --base MODEL --print-trl")
        if len(asked.files) > 1 or not Path(asked.source).is_file():
            raise UsageError("--print-trl takes one file of rows, as it is.", hint="Leave out what is mixed in.")
        return plain_command(Path(asked.source), asked.validation, settings.base, settings.finetune, out)
    run = existing_run(asked.source)
    rows, held = run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl")
    base = base_for_run(run, settings, progress)
    return plain_command(rows, held if held.stat().st_size else None, base, settings.finetune, out)
