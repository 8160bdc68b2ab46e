"""Folders of models and adapters, looked at without opening the model."""

from __future__ import annotations

import json
import os
from pathlib import Path

from doceo.core.errors import ModelNotFound, ProviderError
from doceo.providers.shipped_model import located

ADAPTER = "adapter_config.json"
_TOKENIZER = ("tokenizer*.json", "vocab.*", "*.model", "tekken.json")
"""Files without which transformers makes up a tokenizer of one token."""


def base_of(adapter: Path) -> str:
    """Return the base model that an adapter folder names. Raises ModelNotFound."""
    try:
        named = json.loads((adapter / ADAPTER).read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (OSError, json.JSONDecodeError, AttributeError) as error:
        raise ModelNotFound(
            f"{adapter} is not an adapter folder: no readable {ADAPTER}.", hint="Make one with: doceo finetune"
        ) from error
    if not isinstance(named, str) or not named:
        problem = f"The adapter {adapter} does not name its base model."
    elif _is_path(named) and not Path(named).is_dir():
        problem = f"The base model of the adapter {adapter} is no longer in {named}."
    else:
        return located(named)
    raise ModelNotFound(problem, hint=f"Name it in {adapter / ADAPTER} as base_model_name_or_path.")


def check_adapter(folder: Path | None) -> None:
    """Raise ModelNotFound where a folder is given that holds no adapter."""
    if folder is not None and not (folder / ADAPTER).exists():
        raise ModelNotFound(f"There is no adapter in {folder}.", hint="Make one with: doceo finetune")


def check_name(name: str) -> None:
    """Check a folder or a name on the hub, as far as can be seen without asking the hub.

    Raises ModelNotFound where a path is no folder or a folder no model, ProviderError where it has no safetensors.
    """
    if Path(name).is_dir():
        _check_folder(Path(name))
    elif _is_path(name):
        raise ModelNotFound(
            f"There is no model folder {name}.",
            hint="Check the path, or give a name from the hub such as Qwen/Qwen3-0.6B.",
        )


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~", os.sep)) or name.count("/") > 1 or "\\" in name


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").exists():
        what = "an adapter, not a base model" if (folder / ADAPTER).exists() else "no model: it has no config.json"
        raise ModelNotFound(f"{folder} is {what}.", hint="Name the folder of a Hugging Face causal language model.")
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise ProviderError(
            f"{folder} holds {'pickled weights only' if pickled else 'no weights'}: no *.safetensors.",
            hint="Pickled files can run code when opened, so they are never read; save the model as safetensors.",
        )
    if not any(any(folder.glob(pattern)) for pattern in _TOKENIZER):
        raise ProviderError(
            f"{folder} has no tokenizer.", hint="Copy the tokenizer files of the model it was made from into it."
        )
