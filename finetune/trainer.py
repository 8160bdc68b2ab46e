"""TRL's `SFTTrainer` with every setting that is easily got wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import Opened
from finetune.examples import Encoded
from finetune.recipe import Recipe

if TYPE_CHECKING:
    from transformers import TrainerCallback
    from trl import SFTConfig


def build_trainer(
    opened: Opened,
    train: Sequence[Encoded],
    validation: Sequence[Encoded],
    made: Recipe,
    config: FinetuneConfig,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
    **changes: object,
) -> Any:  # noqa: ANN401 - trl ships no types
    """Return a trainer over encoded rows that prints nothing, and reports only to the tracker that is named.

    Args:
        opened: The base model, which gets the adapter's layers.
        train: Rows to learn.
        validation: Rows to evaluate on, or none.
        made: Learning rate, epochs and so on.
        config: Rank, scale and seed.
        folder: Where checkpoints go.
        callbacks: What happens beside the steps.
        changes: Settings of TRL to change, for a probe.
    """
    from peft import LoraConfig
    from transformers import PrinterCallback

    from finetune.answer_trainer import AnswerTrainer

    adapter = LoraConfig(
        r=made.rank, lora_alpha=made.alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    trainer: Any = AnswerTrainer(
        model=opened.model,
        args=_settings(opened, train, validation, made, config, folder, changes),
        train_dataset=_table(train),
        eval_dataset=_table(validation) if validation else None,
        processing_class=opened.tokenizer,
        peft_config=adapter,
        callbacks=list(callbacks),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _table(rows: Sequence[Encoded]) -> Any:  # noqa: ANN401 - datasets ships no types
    from datasets import Dataset

    return Dataset.from_dict({"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]})


def _settings(
    opened: Opened,
    train: Sequence[Encoded],
    validation: Sequence[Encoded],
    made: Recipe,
    config: FinetuneConfig,
    folder: Path,
    changes: dict[str, object],
) -> SFTConfig:
    """Return TRL's settings. Rows are encoded already, so TRL prepares nothing and cuts nothing."""
    from trl import SFTConfig

    cuda = opened.model.device.type == "cuda"
    micro = made.rows_at_once(max(len(row.input_ids) for row in [*train, *validation]))
    settings: dict[str, object] = {
        "output_dir": str(folder),
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "max_length": None,
        "packing": False,
        "use_cpu": not cuda,
        "bf16": made.half,
        "activation_checkpointing": made.checkpointing,
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro,
        "gradient_accumulation_steps": config.batch_size // micro,
        "num_train_epochs": made.epochs,
        "learning_rate": made.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch_fused",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "include_num_input_tokens_seen": "non_padding",
        "eval_strategy": "steps" if validation else "no",
        "eval_steps": made.evaluate_every(len(train)) if validation else None,
        "prediction_loss_only": True,
        "save_strategy": "steps",
        "save_steps": config.save_steps,
        "seed": config.seed,
        "data_seed": config.seed,
        "report_to": config.tracker,
        "disable_tqdm": True,
        "dataloader_pin_memory": cuda,
        "dataloader_num_workers": 0,
    }
    return SFTConfig(**(settings | changes))
