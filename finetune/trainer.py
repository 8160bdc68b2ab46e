"""TRL's trainers with every setting that is easily got wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doceo.core.config import FinetuneConfig
from doceo.core.errors import UsageError
from doceo.providers.hf_models import Opened
from finetune import ranks
from finetune.checks import DPO
from finetune.examples import IGNORED, Encoded
from finetune.failures import out_of_memory
from finetune.method import adapter_config
from finetune.recipe import Recipe
from finetune.tracking import report_to

if TYPE_CHECKING:
    from transformers import TrainerCallback
    from trl import DPOConfig, SFTConfig

NOTHING = Encoded([0], [IGNORED])
"""A row of which nothing is learned."""


def build_trainer(
    opened: Opened,
    train: Sequence[Encoded],
    validation: Sequence[Encoded],
    made: Recipe,
    config: FinetuneConfig,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
    *,
    start: Path | None = None,
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
        start: An adapter whose weights the training starts from.
        changes: Settings of TRL to change, for a probe.
    """
    from transformers import PrinterCallback

    from finetune.answer_trainer import AnswerTrainer
    from finetune.packed import longest_sequence, table
    from finetune.preference_trainer import PreferenceTrainer

    data, longest = table(train, made), longest_sequence(train, made)
    settings = _settings(opened, len(data), bool(validation), longest, made, config, folder, changes)
    held, plain = list(validation), made._replace(packing=False)
    if ranks.count() > 1:
        data = _with_row(data, table([NOTHING], made))
        held += [NOTHING] * (-len(held) % (settings.per_device_eval_batch_size * ranks.count()))
    kind = PreferenceTrainer if config.objective == DPO else AnswerTrainer
    trainer: Any = kind(
        model=opened.model if start is None else _started(opened, start),
        args=settings,
        train_dataset=data,
        eval_dataset=table(held, plain) if validation else None,
        processing_class=opened.tokenizer,
        peft_config=adapter_config(made) if start is None else None,
        callbacks=list(callbacks),
    )
    _widen(trainer.model)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _with_row(data: Any, row: Any) -> Any:  # noqa: ANN401 - datasets ships no types
    from datasets import concatenate_datasets

    return concatenate_datasets([data, row.cast(data.features)])


def _started(opened: Opened, adapter: Path) -> Any:  # noqa: ANN401 - peft ships no types
    """Return the base with the weights of an adapter, to be trained further. Raises UsageError."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(opened.model, adapter, is_trainable=True)
    except (RuntimeError, ValueError) as error:
        if out_of_memory(error):
            raise
        raise UsageError(
            f"The adapter {adapter} does not fit the base: {' '.join(str(error).split())[:160]}",
            hint="Name the base that it was trained on with --base.",
        ) from error


def _widen(model: Any) -> None:  # noqa: ANN401 - peft ships no types
    """Keep what is trained in float32: TRL rounds the adapters of a 4-bit base to bfloat16, which loses small steps."""
    import torch

    for parameter in model.parameters():
        if parameter.requires_grad and parameter.dtype != torch.float32:
            parameter.data = parameter.data.float()


def _shared(made: Recipe, longest: int) -> tuple[int, int]:
    """Return the sequences that this process takes at once, and how often in an optimizer step."""
    share = ranks.share(made.a_step)
    micro = made._replace(packs_a_step=share).rows_at_once(longest)
    return micro, share // micro


def _settings(
    opened: Opened,
    rows: int,
    evaluated: bool,
    longest: int,
    made: Recipe,
    config: FinetuneConfig,
    folder: Path,
    changes: dict[str, object],
) -> SFTConfig | DPOConfig:
    """Return TRL's settings. Rows are encoded already, so TRL prepares nothing and cuts nothing."""
    from trl import DPOConfig, SFTConfig

    cuda, (micro, steps) = opened.model.device.type == "cuda", _shared(made, longest)
    settings: dict[str, object] = {
        "output_dir": str(folder),
        "max_length": made.max_length if made.packing else None,
        "use_cpu": not cuda,
        "bf16": made.half,
        "activation_checkpointing": made.checkpointing,
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro,
        "gradient_accumulation_steps": steps,
        "num_train_epochs": made.epochs,
        "learning_rate": made.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": made.warmup(rows),
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch_fused",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "include_num_input_tokens_seen": "all" if made.packing else "non_padding",
        "eval_strategy": "steps" if evaluated else "no",
        "eval_steps": made.evaluate_every(rows) if evaluated else None,
        "prediction_loss_only": True,
        "save_strategy": "steps",
        "save_steps": config.save_steps,
        "seed": config.seed,
        "data_seed": config.seed,
        "report_to": report_to(config),
        "project": "doceo",
        "disable_tqdm": True,
        "dataloader_pin_memory": cuda,
        "dataloader_num_workers": 0,
        "ddp_find_unused_parameters": False if ranks.count() > 1 else None,
    }
    if config.objective == DPO:
        return DPOConfig(**(settings | {"beta": config.beta} | changes))
    own = {"dataset_kwargs": {"skip_prepare_dataset": True}, "packing": made.packing, "eval_packing": False}
    return SFTConfig(**(settings | own | changes))
