"""An adapter folder as vLLM wants it, and the command that serves it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from data.disk import disk_errors
from data.jsonl import write_json
from doceo.core.errors import ExportFailed
from doceo.providers.model_folder import ADAPTER

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WEIGHTS = "adapter_model.safetensors"
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM takes for --max-lora-rank."""
_KEPT = {
    "peft_type", "task_type", "revision", "r", "lora_alpha", "target_modules",
    "exclude_modules", "layers_to_transform", "layers_pattern", "use_rslora", "fan_in_fan_out",
}  # fmt: skip
_FIXED = {"bias": "none", "inference_mode": True, "lora_dropout": 0.0, "use_dora": False, "modules_to_save": None}
_WITHOUT_ADAPTERS = ("bloom", "falcon", "gpt2", "gpt_neo", "gpt_neox", "gptj", "mpt")
"""Families that vLLM serves merged only: its list of supported models has no mark under LoRA for them."""
_UNSUPPORTED = {
    "use_dora": "DoRA",
    "modules_to_save": "whole modules beside the adapter",
    "rank_pattern": "ranks by module",
    "alpha_pattern": "scales by module",
    "trainable_token_indices": "trained tokens",
    "lora_bias": "trained biases",
    "target_parameters": "adapters of bare parameters",
    "alora_invocation_tokens": "activated LoRA",
}


def write_adapter(adapter: Path, base: str, family: str, folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """Write adapter_config.json, adapter_model.safetensors, and the tokenizer with its chat template.

    Args:
        adapter: A PEFT folder.
        base: Its base, by name or folder, where it is now.
        family: The base's `model_type`.
        folder: The folder to write.
        tokenizer: The adapter's.

    Raises:
        ExportFailed: The adapter has something that vLLM does not serve.
        StorageError: The folder cannot be written.
    """
    config = json.loads((adapter / ADAPTER).read_text(encoding="utf-8"))
    _check(config, adapter, family)
    kept = {key: value for key, value in config.items() if key in _KEPT and value is not None}
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(adapter / WEIGHTS, folder / WEIGHTS)
        tokenizer.save_pretrained(folder)
    fixed = _FIXED | {"base_model_name_or_path": base}
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in (kept | fixed).items()}
    write_json(folder / ADAPTER, dict(sorted(ordered.items())))


def serve_command(folder: Path, name: str, shown: Path) -> str:
    """Return the command that serves a folder's adapter over its base under a name; `shown` is where it will stand."""
    config = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
    most = next(rank for rank in RANKS if rank >= config["r"])
    return (
        f"vllm serve {quote(config['base_model_name_or_path'])} --enable-lora --max-lora-rank {most}"
        f" --lora-modules {quote(f'{name}={shown}')} --chat-template {quote(str(shown / 'chat_template.jinja'))}"
    )


def _check(config: dict[str, Any], adapter: Path, family: str) -> None:
    found = [words for key, words in _UNSUPPORTED.items() if config.get(key)]
    if config.get("bias", "none") != "none":
        found.append("trained biases")
    if config.get("r", 0) > RANKS[-1]:
        found.append(f"a rank above {RANKS[-1]}")
    if config.get("peft_type", "LORA") != "LORA":
        found.append(f"adapters of the kind {config['peft_type']}")
    if family in _WITHOUT_ADAPTERS:
        found.append(f"adapters of the {family} family")
    if not (adapter / WEIGHTS).exists():
        found.append(f"adapters without {WEIGHTS}")
    if found:
        raise ExportFailed(
            f"vLLM does not serve {' or '.join(dict.fromkeys(found))}, which {adapter} is or has.",
            hint=f"Merge it instead: doceo export-model {quote(str(adapter))} --to hf --out DIR; vllm serve DIR",
        )
