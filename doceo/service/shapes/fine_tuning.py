"""Fine-tuning jobs as they are asked for and shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from doceo.app.jobs.fine_tuning import Auto, Hyperparameters, checkpoint_id, spec_of
from doceo.core.jobs import Job
from doceo.service.shapes.any_json import AnyObject
from doceo.service.shapes.jobs import shown_job
from doceo.service.shapes.metadata import Metadata
from finetune.passes import Pass

JOB = "fine_tuning.job"
CHECKPOINT = "fine_tuning.job.checkpoint"


class HyperparametersWanted(BaseModel):
    """`auto` leaves a value to the base and the rows."""

    model_config = ConfigDict(allow_inf_nan=False)

    n_epochs: Annotated[int, Field(ge=1, le=50)] | Auto | None = None
    batch_size: Annotated[int, Field(ge=1, le=256)] | Auto | None = None
    learning_rate_multiplier: Annotated[float, Field(gt=0, le=1000)] | Auto | None = None
    beta: Annotated[float, Field(gt=0, le=2)] | Auto | None = None

    def chosen(self) -> Hyperparameters:
        """Return them with `auto` for what is left out."""
        return Hyperparameters(**self.model_dump(exclude_none=True))


class Manner(BaseModel):
    """The settings of one method."""

    hyperparameters: HyperparametersWanted = HyperparametersWanted()


class Method(BaseModel):
    """The method; only the settings of the one that is named count."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Manner | None = None
    dpo: Manner | None = None


class Wandb(BaseModel):
    """Where Weights & Biases shows the training."""

    project: str = Field(min_length=1, max_length=128)
    name: str | None = Field(default=None, max_length=128)
    entity: str | None = Field(default=None, max_length=128)
    tags: list[Annotated[str, Field(max_length=64)]] | None = Field(default=None, max_length=32)


class Integration(BaseModel):
    """A service that the training is reported to as well."""

    type: Literal["wandb"]
    wandb: Wandb


class JobWanted(BaseModel):
    """A fine-tuning job to make. `x_lora` holds settings of `doceo finetune` by name, such as `{"rank": 32}`."""

    model: str = Field(min_length=1, max_length=256)
    training_file: str = Field(min_length=1, max_length=64)
    validation_file: str | None = Field(default=None, max_length=64)
    suffix: str | None = Field(default=None, min_length=1, max_length=64)
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    metadata: Metadata | None = None
    method: Method | None = None
    hyperparameters: HyperparametersWanted | None = None
    integrations: list[Integration] | None = Field(default=None, max_length=1)
    x_lora: Annotated[AnyObject, Field(max_length=32)] | None = None

    def hyper(self) -> Hyperparameters:
        """Return the hyperparameters of the method, else those of the older field."""
        manner = (
            None if self.method is None else self.method.dpo if self.method.type == "dpo" else self.method.supervised
        )
        wanted = manner.hyperparameters if manner else self.hyperparameters
        return (wanted or HyperparametersWanted()).chosen()


def shown(job: Job) -> dict[str, Any]:
    """Return a job in OpenAI's form."""
    spec = spec_of(job)
    hyperparameters = spec.hyperparameters.model_dump(exclude=set() if spec.method == "dpo" else {"beta"})
    plain = {name: value for name, value in hyperparameters.items() if name != "beta"}
    return shown_job(job, JOB) | {
        "model": spec.model,
        "fine_tuned_model": job.result.get("fine_tuned_model"),
        "training_file": spec.training_file,
        "validation_file": spec.validation_file or None,
        "seed": spec.seed,
        "trained_tokens": job.result.get("trained_tokens"),
        "hyperparameters": plain,
        "method": {"type": spec.method, spec.method: {"hyperparameters": hyperparameters}},
        "integrations": [{"type": "wandb", "wandb": spec.wandb}] if spec.wandb else [],
        "x_lora": spec.lora or None,
    }


def shown_checkpoint(job: Job, kept: Pass, created: float) -> dict[str, Any]:
    """Return the model after a pass in OpenAI's form."""
    return {
        "id": f"ftckpt-{job.id.removeprefix('ftjob-')}-{kept.step}",
        "object": CHECKPOINT,
        "created_at": int(created),
        "fine_tuned_model_checkpoint": checkpoint_id(job, spec_of(job), kept.step),
        "fine_tuning_job_id": job.id,
        "step_number": kept.step,
        "metrics": {
            "step": kept.step,
            "train_loss": kept.loss,
            "train_mean_token_accuracy": kept.accuracy,
            "valid_loss": kept.eval_loss,
            "valid_mean_token_accuracy": kept.eval_accuracy,
            "full_valid_loss": kept.eval_loss,
            "full_valid_mean_token_accuracy": kept.eval_accuracy,
        },
    }
