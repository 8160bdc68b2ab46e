"""What was trained, to disk and back: an adapter's weights, or a whole model's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from data.jsonl import write_text
from doceo.providers.shipped_model import named

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
REFERENCE = "ref"
"""TRL's name for the frozen copy of an adapter that is trained further: what the training started from."""


def is_adapted(model: Any) -> bool:  # noqa: ANN401 - peft ships no types
    """Return whether a model has an adapter, rather than being trained whole."""
    return hasattr(model, "peft_config")


def save_weights(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Write an adapter, or a whole model where every weight was trained."""
    # PEFT would ask the hub whether the vocabulary has grown, and save what an adapter is compared with too.
    own = {"save_embedding_layers": False, "selected_adapters": ["default"]}
    model.save_pretrained(folder, **(own if is_adapted(model) else {}))
    for file in folder.glob("*.safetensors"):
        # safetensors lets nobody else read it; the weights are as public as their config.
        shutil.copymode(folder / (CONFIG if is_adapted(model) else "config.json"), file)


def restore_weights(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Put back what `save_weights` wrote."""
    from safetensors.torch import load_file

    if is_adapted(model):
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(model, load_file(folder / WEIGHTS))
        return
    for file in sorted(folder.glob("*.safetensors")):
        model.load_state_dict(load_file(file), strict=False)


def drop_reference(model: Any) -> None:  # noqa: ANN401
    """Take away the frozen copy of an adapter that preference tuning compares with, where there is one."""
    if is_adapted(model) and REFERENCE in model.peft_config:
        model.delete_adapter(REFERENCE)


def complete(tokenizer: Any, revision: str, folder: Path) -> None:  # noqa: ANN401
    """Make a folder of weights ready for use: the tokenizer in it, the adapter's config in one order, no empty card."""
    if (folder / CONFIG).exists():
        finish_config(folder / CONFIG, revision)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's form, not filled in
    tokenizer.save_pretrained(folder)


def finish_config(path: Path, revision: str) -> None:
    """Write an adapter's config in one order, since PEFT's sets have any, and note the base's name and revision."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = named(config["base_model_name_or_path"])
    config["revision"] = config.get("revision") or revision or None
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    write_text(path, json.dumps(ordered, indent=1, sort_keys=True) + "\n")
