"""Jobs of every kind, their events, and the models after passes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from doceo.app.jobs.fine_tuning import Auto
from doceo.core.config.generation import Gate
from doceo.core.jobs import JobError
from doceo.core.records import Difficulty, Kind, Ledger, Score


class JobReply(BaseModel):
    """What all kinds of jobs have in common; times are seconds since 1970. `paused` and the lists are Doceo's own."""

    id: str
    created_at: int
    started_at: int | None
    finished_at: int | None
    estimated_finish: int | None
    organization_id: str
    status: Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]
    paused: bool
    error: JobError | None
    metadata: dict[str, str] | None
    result_files: list[str]


class HyperparametersReply(BaseModel):
    """Hyperparameters; `beta` is told of the method `dpo` only."""

    n_epochs: int | Auto
    batch_size: int | Auto
    learning_rate_multiplier: float | Auto
    beta: float | Auto = "auto"


class MannerReply(BaseModel):
    """The settings of a method."""

    hyperparameters: HyperparametersReply


class MethodReply(BaseModel):
    """The method with its settings."""

    type: Literal["supervised", "dpo"]
    supervised: MannerReply | None = None
    dpo: MannerReply | None = None


class WandbReply(BaseModel):
    """Where Weights & Biases shows the training."""

    project: str
    name: str = ""
    entity: str = ""
    tags: list[str] = []


class IntegrationReply(BaseModel):
    """A service that the training is reported to as well."""

    type: Literal["wandb"]
    wandb: WandbReply


class FineTuningJobReply(JobReply):
    """A fine-tuning job."""

    object: Literal["fine_tuning.job"]
    model: str
    fine_tuned_model: str | None
    training_file: str
    validation_file: str | None
    seed: int
    trained_tokens: int | None
    hyperparameters: HyperparametersReply
    method: MethodReply
    integrations: list[IntegrationReply]
    x_lora: dict[str, int | float | str] | None


class GenerationJobReply(JobReply):
    """A generation job; `dataset` and `exports` name files."""

    object: Literal["generation.job"]
    files: list[str]
    vector_store: str | None
    teacher: str | None
    formats: list[str]
    max_cost: float | None
    pairs: int
    seed: int
    kinds: dict[Kind, float] = {}
    difficulties: dict[Difficulty, float] = {}
    topics: int = 0
    gates: list[Gate] = []
    dataset: dict[str, str] | None
    exports: dict[str, str] | None
    made_pairs: int | None
    ledger: Ledger | None
    short: str | None


class EvaluationJobReply(JobReply):
    """An evaluation job."""

    object: Literal["evaluation.job"]
    generation_job: str
    models: list[str]
    resamples: int = 0
    seed: int
    scores: list[Score] | None


class EventReply(BaseModel):
    """Something that happened to a job; `data` holds the numbers of `metrics`."""

    id: str
    object: str
    created_at: int
    level: Literal["info", "warn", "error"]
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, Any]


class PassMetrics(BaseModel):
    """What was measured after a pass over the rows."""

    step: int
    train_loss: float | None
    train_mean_token_accuracy: float | None
    valid_loss: float | None
    valid_mean_token_accuracy: float | None
    full_valid_loss: float | None
    full_valid_mean_token_accuracy: float | None


class CheckpointReply(BaseModel):
    """The model after a pass over the rows."""

    id: str
    object: Literal["fine_tuning.job.checkpoint"]
    created_at: int
    fine_tuned_model_checkpoint: str
    fine_tuning_job_id: str
    step_number: int
    metrics: PassMetrics
