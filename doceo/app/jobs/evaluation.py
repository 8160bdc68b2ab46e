"""Evaluation jobs: models asked the held-out questions of a generation job, and their answers scored."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from data.disk import disk_errors
from data.store import CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES
from doceo.app.jobs.generation import RUN
from doceo.app.jobs.kind import JobFailed, Kind, Outcome, Output, Step, Work
from doceo.app.jobs.result_files import kept_files
from doceo.app.models import QUOTE
from doceo.app.system_names import RAG
from doceo.app.tunable import tunable
from doceo.core.jobs import Job, JobError

_STAGES = (DOCUMENTS, CHUNKS, PAIRS, DATASET)


class EvaluationSpec(BaseModel):
    """What an evaluation job was asked for.

    `models` are ids of models, with `+rag` where they answer over documents; the others are compared with the first.
    `evaluate` holds values of `EvaluateConfig` by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation_job: str
    models: tuple[str, ...]
    evaluate: dict[str, Any] = {}


def begin(work: Work) -> Sequence[Step]:
    """Return the commands: ask and score, and make the page. The run that they write is a copy of the other job's.

    Raises JobFailed, StorageError.
    """
    spec, run = spec_of(work.job), work.place / RUN
    origin = work.host.jobs / spec.generation_job / RUN
    for stage in _STAGES:
        if not (origin / stage).is_dir():
            message = f"The job {spec.generation_job} has no dataset any more."
            raise JobFailed(JobError(code="stage_missing", message=message, param="generation_job"))
        if not (run / stage).is_dir():
            _copy(origin / stage, run / stage)
    systems = _systems(work, spec)
    settings = {"evaluate": {"baseline": systems[0]} | spec.evaluate}
    return [
        Step(("doceo", "evaluate", str(run), "--systems", ",".join(systems), "--json"), settings),
        Step(("doceo", "report", str(run), "--no-open", "--json")),
    ]


def finish(work: Work, outputs: Sequence[Output]) -> Outcome:
    """Keep scores and report as files of the owner; systems are called by the ids that were asked for."""
    spec, run = spec_of(work.job), work.place / RUN
    made = outputs[0]
    named = {system: model for model, system in zip(spec.models, _systems(work, spec), strict=True)}
    scores = [
        score | {key: named.get(score[key], score[key]) for key in ("system", "versus")} for score in made["scores"]
    ]
    files = [(run / SCORES / "scores.json", "scores.json"), (run / "report.html", "report.html")]
    kept = kept_files(work, files, purpose="user_data")
    return Outcome({"result_files": kept, "scores": scores})


def spec_of(job: Job) -> EvaluationSpec:
    """Return what a job was asked for."""
    return EvaluationSpec.model_validate(job.spec)


def _copy(origin: Path, place: Path) -> None:
    """Copy a stage, whole or not at all. Raises StorageError."""
    half = place.with_name(f".{place.name}.copy")
    shutil.rmtree(half, ignore_errors=True)
    with disk_errors(place):
        shutil.copytree(origin, half, copy_function=_copy_file)
        half.rename(place)


def _copy_file(source: str, place: str) -> str:
    # by itself `copytree` would gather the errors of all files and keep none of their numbers
    with disk_errors(Path(place)):
        return shutil.copy2(source, place)


def _systems(work: Work, spec: EvaluationSpec) -> list[str]:
    """Return the systems of `doceo evaluate` that models are. Raises JobFailed for a model that is gone."""
    bases = tunable(work.host.settings)
    systems = []
    for name in spec.models:
        model = name.removesuffix(RAG)
        documents = RAG if name.endswith(RAG) else ""
        tuned = work.host.store.models.get(work.job.owner, model)
        if model == QUOTE:
            systems.append(QUOTE + documents)
        elif tuned is not None:
            systems.append(f"adapter:{work.host.jobs / tuned.folder}{documents}")
        elif model in bases:
            systems.append(f"hf:{bases[model]}{documents}")
        else:
            message = f"The model {model!r} is not there any more."
            raise JobFailed(JobError(code="model_not_found", message=message, param="models"))
    return systems


EVALUATION = Kind(begin, finish, began="Evaluation job started")
