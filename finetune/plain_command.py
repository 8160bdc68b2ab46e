"""The stock command that trains the same: `trl sft`, with every default of ours written out."""

from __future__ import annotations

import shlex
from pathlib import Path

from doceo.core.config import FinetuneConfig
from doceo.core.errors import UsageError
from doceo.providers.hf_models import Opened
from finetune.base import open_base
from finetune.checks import DPO, load_rows
from finetune.holdout import split
from finetune.method import FULL, QLORA
from finetune.packed import longest_sequence, settle
from finetune.preflight import prepare
from finetune.recipe import Recipe, recipe
from finetune.tracking import report_to

DATA = "sft-data.yaml"
OTHERWISE = (
    "# It keeps the best checkpoint too, but does not stop early, checks neither rows nor result, holds out other",
    "# rows, and pads by rows of like length in its own order.",
)


def plain_command(rows: Path, validation: Path | None, base: str, config: FinetuneConfig, out: str) -> str:
    """Return shell lines with the `trl sft` command that is closest to our training.

    Args:
        rows: The rows, as {"messages": [...]}.
        validation: Rows to validate on, or None.
        base: Folder or hub name.
        config: What was asked for.
        out: Where its adapter would go.

    Raises UsageError for preference tuning, and InputError, TrainingError, ModelNotFound and ProviderError as
    `finetune.lora.finetune`.
    """
    if config.objective == DPO:
        raise UsageError("--print-trl prints `trl sft` only.", hint="Leave out --objective dpo, or --print-trl.")
    checked = load_rows(rows)
    opened = open_base(base, config.method)
    train, held = (checked.rows, []) if validation else split(checked.rows, config.holdout_share, config.seed)
    made = recipe(config, opened, len(train))
    encoded = prepare(opened.tokenizer, rows.name, checked, made.max_length, train=train, held=held).train.rows
    made, sequences = settle(encoded, made)
    evaluated = bool(held or validation)
    data, before = _data(rows, validation, config.holdout_share if held else 0)
    flags = {
        **data,
        "model_name_or_path": base,
        "dtype": str(opened.model.dtype).removeprefix("torch."),
        **_method(made),
        **_numbers(made, opened, longest_sequence(encoded, made)),
        "warmup_steps": made.warmup(sequences),
        **(_evaluation(made, sequences) if evaluated else {"save_steps": config.save_steps}),
        "seed": config.seed,
        "data_seed": config.seed,
        "report_to": report_to(config),
        "output_dir": out,
    }
    words = [f"--{key} {shlex.quote(str(value))}" for key, value in flags.items()]
    return "\n".join([*before, *OTHERWISE, " \\\n  ".join(["trl sft", *words])])


def _data(rows: Path, validation: Path | None, share: float) -> tuple[dict[str, object], list[str]]:
    """Return the flags that name the data, and the lines that write the file they need."""
    if validation and (rows.parent, rows.stem, validation.stem) == (validation.parent, "train", "validation"):
        return {"dataset_name": rows.parent, "dataset_test_split": "validation"}, []
    lines = [
        f"cat > {DATA} <<'END'",
        "datasets:",
        "- path: json",
        f"  data_files: {rows.resolve()}",
        "  columns: [messages]",
        *([f"test_split_size: {share:g}"] if share else []),
        "END",
    ]
    return {"config": DATA}, lines


def _method(made: Recipe) -> dict[str, object]:
    if made.method == FULL:
        return {}
    fewer = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "use_bnb_nested_quant": True}
    return {
        "use_peft": True,
        "lora_r": made.rank,
        "lora_alpha": made.alpha,
        "lora_dropout": 0.0,
        "lora_target_modules": "all-linear",
        **({"use_rslora": True} if made.method == "rslora" else {}),
        **({"use_dora": True} if made.method == "dora" else {}),
        **(fewer if made.method == QLORA else {}),
    }


def _numbers(made: Recipe, opened: Opened, longest: int) -> dict[str, object]:
    micro = made.rows_at_once(longest)
    return {
        "use_cpu": opened.model.device.type == "cpu",
        "bf16": made.half,
        "learning_rate": made.learning_rate,
        "lr_scheduler_type": "cosine",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch_fused",
        "num_train_epochs": made.epochs,
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro,
        "gradient_accumulation_steps": made.a_step // micro,
        "activation_checkpointing": made.checkpointing,
        "max_length": made.max_length,
        "packing": made.packing,
        "assistant_only_loss": True,
        "train_sampling_strategy": "random" if made.packing else "group_by_length",
        "logging_steps": 1,
    }


def _evaluation(made: Recipe, sequences: int) -> dict[str, object]:
    every = made.evaluate_every(sequences)
    best = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}
    return {
        "eval_strategy": "steps",
        "eval_steps": every,
        "save_steps": every,
        **(best if made.patience else {}),
    }
