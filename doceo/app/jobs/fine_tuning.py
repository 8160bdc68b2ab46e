"""Fine-tuning jobs: rows of an uploaded file to an adapter that is a model of its owner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from data.jsonl import read_json, write_json
from doceo.app.jobs.kind import JobFailed, Kind, Outcome, Output, Step, Work, failure
from doceo.app.jobs.result_files import kept_files
from doceo.app.store.job_events import News
from doceo.app.tunable import tunable
from doceo.core.config import FinetuneConfig
from doceo.core.errors import DoceoError
from doceo.core.jobs import Job, JobError
from doceo.providers.model_folder import base_of
from finetune.passes import passes

ADAPTER = "adapter"
RESULTS = "results.csv"
SETTINGS = "finetune.json"
"""What a job is trained with, in its folder."""
_NOT_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_BAD_ROWS = ("input", "training")
_CHECKPOINTS = 3
"""Passes whose models are kept, as OpenAI keeps those of the last three."""

Auto = Literal["auto"]


class Hyperparameters(BaseModel):
    """OpenAI's hyperparameters; `auto` leaves a value to the base and the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_epochs: int | Auto = "auto"
    batch_size: int | Auto = "auto"
    learning_rate_multiplier: float | Auto = "auto"
    beta: float | Auto = "auto"


class FineTuningSpec(BaseModel):
    """What a fine-tuning job was asked for.

    `base` is the base of `model`, which may be tuned already; `lora` holds values of `FinetuneConfig` by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    base: str
    training_file: str
    validation_file: str = ""
    suffix: str = ""
    seed: int = 0
    method: Literal["supervised", "dpo"] = "supervised"
    hyperparameters: Hyperparameters = Hyperparameters()
    lora: dict[str, int | float | str] = {}
    wandb: dict[str, Any] = {}

    def settings(self) -> dict[str, Any]:
        """Return the values of `FinetuneConfig` that the job decides."""
        asked = self.hyperparameters
        named = {
            "epochs": asked.n_epochs,
            "batch_size": asked.batch_size,
            "learning_rate_multiplier": asked.learning_rate_multiplier,
            "beta": asked.beta,
        }
        chosen: dict[str, Any] = {name: value for name, value in named.items() if value != "auto"}
        chosen |= self.lora | {"seed": self.seed}
        return chosen | {"objective": "dpo" if self.method == "dpo" else "sft", "keep_passes": _CHECKPOINTS}


def check(work: Work) -> Sequence[Step]:
    """Return the command that checks the rows before the job waits for its turn. Raises JobFailed, StorageError."""
    _, base = _origin(work)
    arguments = ("doceo", "finetune", *_rows(work), "--base", base, "--check", "--json")
    return [Step(arguments, {"finetune": _settings(work)})]


def checked(work: Work, outputs: Sequence[Output]) -> Outcome:
    """Have the job wait for its turn."""
    return Outcome({}, (News(message="Files validated, moving job to queued state"),), ready=True)


def begin(work: Work) -> Sequence[Step]:
    """Return the one command of the job. Raises JobFailed, StorageError."""
    start, base = _origin(work)
    place = work.place / ADAPTER
    origin = ("--continue-from", str(start)) if start else ("--base", base)
    # whatever lies there already is the job's own: it is gone on with where that is possible, else begun anew
    arguments = ("doceo", "finetune", *_rows(work), "--out", str(place), *origin, "--force", "--json")
    training = (work.place / f".{ADAPTER}.work" / "training.jsonl", place / "training.jsonl")
    return [Step(arguments, {"finetune": _settings(work)}, training, _wandb(spec_of(work.job)))]


def finish(work: Work, outputs: Sequence[Output]) -> Outcome:
    """Make the adapter a model and its measurements a file."""
    spec, host = spec_of(work.job), work.host
    made = outputs[-1]["finetuning"]
    csv = work.place / ADAPTER / RESULTS
    files = kept_files(work, [(csv, "step_metrics.csv")] if csv.is_file() else [], purpose="fine-tune-results")
    model = host.store.models.add(
        work.job.owner,
        model_id(work.job, spec),
        base=spec.base,
        folder=f"{work.job.id}/{ADAPTER}",
        job=work.job.id,
    )
    for kept in passes(work.place / ADAPTER):
        place = f"{work.job.id}/{ADAPTER}/{kept.folder.relative_to(work.place / ADAPTER).as_posix()}"
        name = checkpoint_id(work.job, spec, kept.step)
        host.store.models.add(work.job.owner, name, base=spec.base, folder=place, job=work.job.id)
    result = {
        "fine_tuned_model": model.id,
        "trained_tokens": made.get("trained_tokens", made["tokens"]),
        "result_files": files,
        "steps": made["steps"],
        "finetuning": {key: made[key] for key in ("loss", "eval_loss", "rows", "epochs") if key in made},
    }
    return Outcome(result, (News(message=f"New fine-tuned model created: {model.id}"),))


def failed(work: Work, error: JobError, early: bool) -> JobError:
    """Name the file where its rows are at fault."""
    if not early or error.code not in _BAD_ROWS:
        return error
    spec = spec_of(work.job)
    param = "validation_file" if spec.validation_file and spec.validation_file in error.message else "training_file"
    return error.model_copy(update={"code": f"invalid_{param}", "param": param})


def model_id(job: Job, spec: FineTuningSpec) -> str:
    """Return the id of the model that a job makes: `ft:BASE:ORGANIZATION:SUFFIX:ID`, fit for URLs and model names."""
    parts = (Path(spec.base).name, job.owner, spec.suffix)
    return ":".join(("ft", *(_NOT_NAMES.sub("-", part)[:64] for part in parts), job.id.removeprefix("ftjob-")[-8:]))


def checkpoint_id(job: Job, spec: FineTuningSpec, step: int) -> str:
    """Return the id of the model that a job had after a step."""
    return f"{model_id(job, spec)}:ckpt-step-{step}"


def spec_of(job: Job) -> FineTuningSpec:
    """Return what a job was asked for."""
    return FineTuningSpec.model_validate(job.spec)


def _wandb(spec: FineTuningSpec) -> dict[str, str]:
    """Return what W&B reads from the environment."""
    given = spec.wandb | {"tags": ",".join(spec.wandb.get("tags") or ())}
    return {f"WANDB_{name.upper()}": str(value) for name, value in given.items() if value}


def _settings(work: Work) -> dict[str, Any]:
    """Return the values of `FinetuneConfig` that the job was first taken up with.

    What the operator or a newer program has changed since holds for later jobs: this one goes on as it began.
    """
    path = work.place / SETTINGS
    if not path.exists():
        spec, config = spec_of(work.job), work.host.settings.finetune
        # where its owner did not ask for it nobody is told of a training
        tracker = config.tracker if spec.wandb else "none"
        write_json(path, config.model_copy(update=spec.settings() | {"tracker": tracker}).model_dump(mode="json"))
    kept = read_json(path)
    assert isinstance(kept, dict)
    return {name: value for name, value in kept.items() if name in FinetuneConfig.model_fields}


def _origin(work: Work) -> tuple[Path | None, str]:
    """Return the adapter that the job starts from, if it does, and the base. Raises JobFailed where they are gone."""
    spec, host = spec_of(work.job), work.host
    tuned, bases = host.store.models.get(work.job.owner, spec.model), tunable(host.settings)
    if tuned is not None:
        start = host.jobs / tuned.folder
        return start, base_of(start)
    if spec.model in bases:
        return None, bases[spec.model]
    message = f"The model {spec.model!r} is not there any more."
    raise JobFailed(JobError(code="model_not_found", message=message, param="model"))


def _rows(work: Work) -> list[str]:
    """Return the files of rows as arguments. Raises JobFailed where one is gone."""
    spec = spec_of(work.job)
    rows = [str(_uploaded(work, spec.training_file, "training_file"))]
    if spec.validation_file:
        rows += ["--validation", str(_uploaded(work, spec.validation_file, "validation_file"))]
    return rows


def _uploaded(work: Work, file: str, param: str) -> Path:
    try:
        return work.host.uploads.path(work.host.store.files.get(work.job.owner, file))
    except DoceoError as error:
        raise JobFailed(failure(error).model_copy(update={"param": param})) from error


CHECKING = Kind(check, checked, lambda work, error, early: failed(work, error, True), began="Validating files")
FINE_TUNING = Kind(begin, finish, failed, began="Fine-tuning job started", under_way="finetune")
