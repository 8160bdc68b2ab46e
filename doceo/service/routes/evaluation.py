"""`/v1/evaluation/jobs`: jobs that ask models the held-out questions of a dataset and score the answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from doceo.app.host import Host
from doceo.app.jobs.evaluation import EvaluationSpec, spec_of
from doceo.app.models import QUOTE
from doceo.app.system_names import RAG
from doceo.app.tunable import tunable
from doceo.core.access import Caller
from doceo.core.errors import NotFound
from doceo.core.jobs import Job
from doceo.service.access import Hosted, MayTrain
from doceo.service.job_routes import IdempotencyKey, add_job_routes, created
from doceo.service.refusals import Refusal
from doceo.service.replies.jobs import EvaluationJobReply
from doceo.service.shapes.jobs import shown_job
from doceo.service.shapes.metadata import Metadata

router = APIRouter(prefix="/v1/evaluation/jobs", tags=["Evaluation"])

JOB = "evaluation.job"
Model = Annotated[str, Field(min_length=1, max_length=256)]


class JobWanted(BaseModel):
    """An evaluation job to make.

    The models have `+rag` where they answer over the dataset's documents; the others are compared with the first.
    """

    generation_job: str = Field(min_length=1, max_length=64)
    models: list[Model] = Field(min_length=1, max_length=32)
    resamples: int | None = Field(default=None, ge=100, le=100_000)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    metadata: Metadata | None = None

    def evaluate(self) -> dict[str, Any]:
        """Return the values of `EvaluateConfig` that are named."""
        return self.model_dump(include={"resamples", "seed"}, exclude_none=True)


@router.post("", responses={200: {"model": EvaluationJobReply}})
def create_job(
    wanted: Annotated[JobWanted, Body()], host: Hosted, caller: MayTrain, key: IdempotencyKey = None
) -> dict[str, Any]:
    """Make a job that scores models."""
    spec = EvaluationSpec(
        generation_job=_generated(host, caller, wanted.generation_job),
        models=tuple(_model(host, caller, name) for name in dict.fromkeys(wanted.models)),
        evaluate=wanted.evaluate(),
    )
    asked = spec.model_dump(mode="json")
    said = "Created evaluation job"
    return shown(created(host, caller, "evaluation", asked, metadata=wanted.metadata, said=said, key=key))


def shown(job: Job) -> dict[str, Any]:
    """Return a job as it is sent."""
    spec = spec_of(job)
    return shown_job(job, JOB) | {
        "generation_job": spec.generation_job,
        "models": list(spec.models),
        **spec.evaluate,
        "scores": job.result.get("scores"),
    }


add_job_routes(router, "evaluation", JOB, lambda host, job: shown(job), EvaluationJobReply)


def _generated(host: Host, caller: Caller, job: str) -> str:
    """Return the id of a generation job that has made its dataset. Raises Refusal."""
    try:
        found = host.store.jobs.get(caller.owner, job, "generation")
    except NotFound as error:
        raise _wrong("generation_job", error.message) from error
    if found.status != "succeeded":
        words = "it has no dataset" if found.ended else "wait until it has succeeded"
        raise _wrong("generation_job", f"The job {found.id} is {found.status}: {words}.")
    return found.id


def _model(host: Host, caller: Caller, name: str) -> str:
    model = name.removesuffix(RAG)
    bases = tunable(host.settings)
    if name == QUOTE:
        raise _wrong("models", f"{QUOTE} answers over documents only: {QUOTE}{RAG}.")
    if model == QUOTE or model in bases or host.store.models.get(caller.owner, model) is not None:
        return name
    raise _wrong("models", f"There is no model {model[:80]!r}; there are {QUOTE}, {', '.join(bases)} and your own.")


def _wrong(param: str, message: str) -> Refusal:
    return Refusal(400, message, code="invalid_value", param=param)
