"""`/v1/fine_tuning`: jobs that tune a model on the rows of an uploaded file."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import ValidationError

from doceo.app.host import Host
from doceo.app.jobs.fine_tuning import ADAPTER, FineTuningSpec
from doceo.app.tunable import tunable
from doceo.core.access import Caller
from doceo.core.config import FinetuneConfig
from doceo.core.errors import NotFound
from doceo.core.jobs import Job
from doceo.service.access import Hosted, MayTrain
from doceo.service.job_routes import IdempotencyKey, add_job_routes, created
from doceo.service.paging import Listed, listed, sliced
from doceo.service.refusals import Refusal
from doceo.service.replies.errors import ErrorReply
from doceo.service.replies.jobs import CheckpointReply, FineTuningJobReply
from doceo.service.replies.pages import Paged
from doceo.service.shapes.fine_tuning import JOB, JobWanted, shown, shown_checkpoint
from finetune.passes import passes

router = APIRouter(prefix="/v1/fine_tuning/jobs", tags=["Fine-tuning"])
permissions = APIRouter(
    prefix="/v1/fine_tuning/checkpoints",
    tags=["Fine-tuning"],
    responses={501: {"model": ErrorReply, "description": "A model belongs to one owner here."}},
)

_TUNABLE = (
    "method", "quality", "rank", "alpha", "learning_rate", "max_length", "packing", "holdout_share", "patience",
    "sample_answers", "save_steps",
)  # fmt: skip
"""Settings of `doceo finetune` that a client may choose."""
_METHODS = ("lora", "rslora", "dora", "qlora")


@router.post("", responses={200: {"model": FineTuningJobReply}})
def create_job(
    wanted: Annotated[JobWanted, Body()], host: Hosted, caller: MayTrain, key: IdempotencyKey = None
) -> dict[str, Any]:
    """Make a job that tunes a model; its files are validated before it begins."""
    if wanted.method and wanted.method.type == "reinforcement":
        raise _wrong("method.type", "Reinforcement fine-tuning is not done here; supervised and dpo are.")
    spec = FineTuningSpec(
        model=wanted.model,
        base=_base(host, caller, wanted.model),
        training_file=_rows(host, caller, wanted.training_file, "training_file"),
        validation_file=_rows(host, caller, wanted.validation_file, "validation_file"),
        suffix=wanted.suffix or "",
        seed=host.settings.finetune.seed if wanted.seed is None else wanted.seed,
        method="dpo" if wanted.method and wanted.method.type == "dpo" else "supervised",
        hyperparameters=wanted.hyper(),
        lora=_settings(wanted.x_lora or {}),
        wandb=_wandb(host, wanted),
    )
    job = created(
        host,
        caller,
        "fine_tuning",
        spec.model_dump(mode="json"),
        metadata=wanted.metadata,
        said="Created fine-tuning job",
        key=key,
        status="validating_files",
    )
    return shown(job)


add_job_routes(router, "fine_tuning", JOB, lambda host, job: shown(job), FineTuningJobReply)


@router.get("/{job_id}/checkpoints", responses={200: {"model": Paged[CheckpointReply]}})
def list_checkpoints(job_id: str, host: Hosted, caller: MayTrain, wanted: Listed) -> dict[str, Any]:
    """List the models after the last passes over the rows, the newest first."""
    job = host.store.jobs.get(caller.owner, job_id, "fine_tuning")
    found = sliced(_checkpoints(host, job), lambda one: str(one["id"]), wanted)
    return listed(found.data, more=found.more)


@permissions.get("/{checkpoint}/permissions", status_code=501)
@permissions.post("/{checkpoint}/permissions", status_code=501)
def no_permissions(checkpoint: str, caller: MayTrain) -> None:
    """Refuse: a model belongs to one owner here."""
    raise _unshared()


@permissions.delete("/{checkpoint}/permissions/{permission}", status_code=501)
def no_permission(checkpoint: str, permission: str, caller: MayTrain) -> None:
    """Refuse: a model belongs to one owner here."""
    raise _unshared()


def _checkpoints(host: Host, job: Job) -> list[dict[str, Any]]:
    """Return the models after passes, the oldest first."""
    place = host.jobs / job.id
    # Until it is finished, a training lies in a folder that is renamed then.
    for folder in (place / ADAPTER, place / f".{ADAPTER}.work"):
        if found := passes(folder):
            return [shown_checkpoint(job, kept, kept.folder.stat().st_mtime) for kept in found]
    return []


def _base(host: Host, caller: Caller, model: str) -> str:
    """Return the base of a model that the caller may tune. Raises Refusal."""
    bases = tunable(host.settings)
    if model in bases:
        return model
    tuned = host.store.models.get(caller.owner, model)
    if tuned is None:
        words = f"The model {model[:80]!r} cannot be tuned here; these can: {', '.join(bases)}."
        raise Refusal(400, words, code="model_not_found", param="model")
    return tuned.base


def _rows(host: Host, caller: Caller, file: str | None, param: str) -> str:
    """Return the id of a file of rows. Raises Refusal."""
    if not file:
        return ""
    try:
        found = host.store.files.get(caller.owner, file)
    except NotFound as error:
        raise _wrong(param, error.message) from error
    if found.purpose != "fine-tune":
        raise _wrong(param, f"The file {file} was uploaded with purpose {found.purpose}; it has to be fine-tune.")
    return found.id


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of `x_lora` that are set. Raises Refusal naming the wrong one."""
    for name in given:
        if name not in _TUNABLE:
            near = get_close_matches(name[:64], _TUNABLE, 1)
            meant = f"; did you mean {near[0]}?" if near else "."
            words = f"There is no setting {name[:64]!r}{meant} These can be chosen: {', '.join(_TUNABLE)}."
            raise _wrong(f"x_lora.{name[:64]}", words)
    if given.get("method", "lora") not in _METHODS:
        raise _wrong("x_lora.method", f"x_lora.method has to be one of {', '.join(_METHODS)}.")
    try:
        checked = FinetuneConfig.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(f"x_lora.{'.'.join(map(str, first['loc']))}", f"{first['msg']}.") from error
    return {name: getattr(checked, name) for name in given if getattr(checked, name) is not None}


def _wandb(host: Host, wanted: JobWanted) -> dict[str, Any]:
    """Return where W&B shows the training, if it is to. Raises Refusal where the operator does not use it."""
    if not wanted.integrations:
        return {}
    if not host.settings.finetune.tracker.startswith("wandb"):
        words = "Nothing is reported to Weights & Biases here: the operator has to name it first (finetune.tracker)."
        raise _wrong("integrations", words)
    return wanted.integrations[0].wandb.model_dump(exclude_none=True)


def _unshared() -> Refusal:
    return Refusal(501, "Checkpoints cannot be shared between organizations here.", code="not_implemented")


def _wrong(param: str, message: str) -> Refusal:
    return Refusal(400, message, code="invalid_value", param=param)
