"""`/v1/generation/jobs`: jobs that make question-answer pairs and a dataset of documents."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from doceo.app import plain_collections
from doceo.app.host import Host
from doceo.app.jobs.generation import ENDINGS, GenerationSpec, spec_of
from doceo.app.models import EXTRACTIVE
from doceo.app.settings import Settings
from doceo.core.access import Caller
from doceo.core.config.generation import Gate
from doceo.core.errors import NotFound
from doceo.core.jobs import Job
from doceo.core.records import Difficulty, Kind
from doceo.service.access import Hosted, MayTrain, may_search
from doceo.service.job_routes import IdempotencyKey, add_job_routes, created
from doceo.service.refusals import Refusal
from doceo.service.replies.jobs import GenerationJobReply
from doceo.service.shapes.jobs import shown_job
from doceo.service.shapes.metadata import Metadata

router = APIRouter(prefix="/v1/generation/jobs", tags=["Generation"])

JOB = "generation.job"
_MOST_FILES = 2000
Share = Annotated[float, Field(ge=0, le=100)]


class JobWanted(BaseModel):
    """A generation job to make, of uploaded files or of the files of a vector store.

    `teacher` is `extractive` or the model that the operator named; `kinds` and `difficulties` are shares in percent.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    files: list[str] = Field(default=[], max_length=_MOST_FILES)
    vector_store: str | None = Field(default=None, max_length=64)
    pairs: int = Field(default=200, ge=1, le=1_000_000)
    teacher: str | None = Field(default=None, max_length=256)
    formats: list[str] = Field(default=[], max_length=len(ENDINGS))
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    kinds: dict[Kind, Share] | None = None
    difficulties: dict[Difficulty, Share] | None = None
    topics: int | None = Field(default=None, ge=0, le=200)
    gates: list[Gate] | None = None
    max_cost: float | None = Field(default=None, ge=0)
    metadata: Metadata | None = None

    def generate(self) -> dict[str, Any]:
        """Return the values of `GenerateConfig` that are named."""
        named = self.model_dump(include={"kinds", "difficulties", "topics", "gates"}, exclude_none=True)
        return {"pairs": self.pairs, "seed": self.seed} | named


@router.post("", responses={200: {"model": GenerationJobReply}})
def create_job(
    wanted: Annotated[JobWanted, Body()], host: Hosted, caller: MayTrain, key: IdempotencyKey = None
) -> dict[str, Any]:
    """Make a job that makes a dataset."""
    if bool(wanted.files) == bool(wanted.vector_store):
        raise _wrong("files", "Either files or vector_store says what the pairs are made from.")
    for form in wanted.formats:
        if form not in ENDINGS:
            raise _wrong("formats", f"There is no format {form[:40]!r}; these can be had: {', '.join(ENDINGS)}.")
    spec = GenerationSpec(
        files=_files(host, caller, wanted.files),
        vector_store=_store(host, caller, wanted.vector_store),
        teacher=_teacher(host.settings, wanted.teacher),
        generate=wanted.generate(),
        max_cost=wanted.max_cost,
        formats=tuple(dict.fromkeys(wanted.formats)),
    )
    said = "Created generation job"
    asked = spec.model_dump(mode="json")
    return shown(created(host, caller, "generation", asked, metadata=wanted.metadata, said=said, key=key))


def shown(job: Job) -> dict[str, Any]:
    """Return a job as it is sent."""
    spec = spec_of(job)
    return shown_job(job, JOB) | {
        "files": list(spec.files),
        "vector_store": spec.vector_store or None,
        "teacher": spec.teacher or None,
        "formats": list(spec.formats),
        "max_cost": spec.max_cost,
        **spec.generate,
        "dataset": job.result.get("dataset"),
        "exports": job.result.get("exports"),
        "made_pairs": job.result.get("pairs"),
        "ledger": job.result.get("ledger"),
        "short": job.result.get("short") or None,
    }


add_job_routes(router, "generation", JOB, lambda host, job: shown(job), GenerationJobReply)


def _files(host: Host, caller: Caller, files: list[str]) -> tuple[str, ...]:
    try:
        return tuple(host.store.files.get(caller.owner, file).id for file in dict.fromkeys(files))
    except NotFound as error:
        raise _wrong("files", error.message) from error


def _store(host: Host, caller: Caller, store: str | None) -> str:
    if not store:
        return ""
    try:
        found = host.store.vector_stores.get(caller.owner, store)
    except NotFound as error:
        if store in plain_collections.names(host.home) and may_search(caller, host, store):
            message = f"{store} is a collection of the command line; pairs are made of files or of your own stores."
            raise _wrong("vector_store", message) from error
        raise _wrong("vector_store", error.message) from error
    if not found.counts.total:
        raise _wrong("vector_store", f"The vector store {found.id} holds no files; attach some.")
    return found.id


def _teacher(settings: Settings, named: str | None) -> str:
    """Return the teacher. Raises Refusal for one that the operator has not named: it may cost money."""
    known = dict.fromkeys((settings.teacher, EXTRACTIVE))
    if named is not None and named not in known:
        raise _wrong("teacher", f"The teacher {named[:80]!r} cannot be had here; these can: {', '.join(known)}.")
    return named or settings.teacher


def _wrong(param: str, message: str) -> Refusal:
    return Refusal(400, message, code="invalid_value", param=param)
