"""A new training that starts from an adapter's weights. It is another thing than an interrupted one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from doceo.core.config import FinetuneConfig
from doceo.core.errors import ModelNotFound, UsageError
from finetune.method import FULL, QLORA
from finetune.recipe import Recipe
from finetune.weights import CONFIG, WEIGHTS


def check_start(adapter: Path, config: FinetuneConfig) -> None:
    """Refuse an adapter that a training with this config cannot start from.

    Raises:
        ModelNotFound: The folder holds no LoRA adapter in safetensors.
        UsageError: Rank, alpha or method are given and are not the adapter's.
    """
    if not (adapter / CONFIG).is_file() or not (adapter / WEIGHTS).is_file():
        whole = (adapter / "config.json").is_file()
        raise ModelNotFound(
            f"{adapter} is no adapter folder: it lacks {CONFIG} or {WEIGHTS}.",
            hint=f"It is a whole model: name it with --base {adapter}." if whole else "Make one with: doceo finetune",
        )
    stored = _config(adapter)
    if stored.get("peft_type") != "LORA":
        raise ModelNotFound(f"{adapter} is an adapter of another kind than LoRA.", hint="Name a LoRA adapter.")
    if config.method == FULL:
        raise UsageError(
            "--method full trains no adapter.", hint="Leave out --continue-from, or merge it: doceo export-model"
        )
    method = _method(stored)
    given = {"rank": config.rank, "alpha": config.alpha}
    known = {"rank": stored["r"], "alpha": stored["lora_alpha"]}
    wrong = [f"--{key} {value}" for key, value in given.items() if value is not None and value != known[key]]
    wrong += [f"--method {config.method}"] if config.method not in ("lora", QLORA, method) else []
    if wrong:
        raise UsageError(
            f"{adapter} is {method} of rank {known['rank']}, alpha {known['alpha']}; {' '.join(wrong)} does not fit.",
            hint="Leave these flags out, or train a new adapter without --continue-from.",
        )


def check_base(adapter: Path, base: str, revision: str) -> None:
    """Refuse a base that is known to be another one than the adapter was trained on: its weights would mean nothing.

    Two folders are compared by their weights, two names of the hub by their names; other cases cannot be told.

    Args:
        adapter: An adapter's folder.
        base: Folder or hub name of the base that the training is to start from.
        revision: Its revision, see `finetune.base.revision`.

    Raises UsageError.
    """
    named = str(_config(adapter).get("base_model_name_or_path") or "")
    known = _trained_on(adapter)
    folders = known.startswith("sha256") and revision.startswith("sha256")
    names = named and not known.startswith("sha256") and not revision.startswith("sha256") and not Path(named).is_dir()
    if (folders and known != revision) or (names and named != base):
        raise UsageError(
            f"{adapter} was trained on {named}, and {base} has other weights.",
            hint="Leave out --base, or name the adapter's own base where it lies now.",
        )


def _trained_on(adapter: Path) -> str:
    """Return the revision of an adapter's base as its training noted it, or nothing."""
    try:
        made = json.loads((adapter / "finetuning.json").read_text(encoding="utf-8"))
        return str(made["base_revision"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def recipe_of(adapter: Path, made: Recipe) -> Recipe:
    """Return the recipe with the adapter's own rank, alpha and method."""
    stored = _config(adapter)
    method = made.method if made.method == QLORA else _method(stored)
    return made._replace(rank=int(stored["r"]), alpha=int(stored["lora_alpha"]), method=method)


def _config(adapter: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    return config


def _method(stored: dict[str, Any]) -> str:
    return "dora" if stored.get("use_dora") else "rslora" if stored.get("use_rslora") else "lora"
