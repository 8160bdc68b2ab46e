"""Opens the base model in the number format it is best trained in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.manifest import file_sha256
from doceo.core.errors import TrainingError
from doceo.core.fingerprint import identify
from doceo.providers.hf_models import Opened, bf16_in_hardware, open_config, open_model
from finetune.method import FULL, QLORA, check_quantizable, nf4
from finetune.recipe import SMALL


def open_base(name: str, method: str = "lora") -> Opened:
    """Open a base for training: frozen weights as they are stored, so that a bfloat16 model takes half the memory.

    The adapter itself is float32 in any case. Half precision becomes bfloat16, which does not overflow in training;
    a processor without bfloat16 gets float32, which it multiplies faster, and so does a small base on any processor,
    for which bfloat16 is slower and is not what answers are computed in. Full fine-tuning gets float32, in which
    small steps are not rounded away, and QLoRA 4 bits.

    Raises ModelNotFound and ProviderError as `open_model`, and TrainingError and MissingExtra where 4 bits cannot be,
    or where the base has few bits already and all of its weights are to be trained.
    """
    import torch

    fewer = getattr(open_config(name), "quantization_config", None) is not None
    if fewer and method == FULL:
        raise TrainingError(
            f"{name} is kept in few bits, which cannot be trained themselves.",
            hint="Train an adapter on it with --method lora, or name the model in its usual numbers.",
        )
    if method == QLORA:
        settings = nf4()
        check_quantizable(name)
        return _keep_layout(open_model(name, dtype=torch.bfloat16, quantization=None if fewer else settings))
    if fewer:
        return _keep_layout(open_model(name, dtype="auto"))
    if method == FULL or not (torch.cuda.is_available() or bf16_in_hardware()):
        return open_model(name, dtype=torch.float32)
    opened = open_model(name, dtype="auto")
    small = opened.model.device.type == "cpu" and opened.model.num_parameters() < SMALL
    if small or opened.model.dtype == torch.float16:
        opened.model.to(torch.float32 if small else torch.bfloat16)
    return opened


def _keep_layout(opened: Opened) -> Opened:
    """Keep bitsandbytes from reordering 4-bit weights for inference on a CPU.

    It does so once, at the first evaluation, and what it multiplies with afterwards has no gradient: every step
    behind an evaluation would silently train nothing below the last layer.
    """
    for module in opened.model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            vars(module)["support_avx512bf16_for_cpu"] = False
    return opened


def revision(name: str, model: Any) -> str:  # noqa: ANN401 - transformers ships no types
    """Return the commit of a hub model, or a hash of a folder's weights; empty where neither is known."""
    if not Path(name).is_dir():
        return str(getattr(model.config, "_commit_hash", None) or "")
    hashes = [file_sha256(file) for file in sorted(Path(name).glob("*.safetensors"))]
    return f"sha256 {hashes[0]}" if len(hashes) == 1 else identify("sha256 of hashes ", hashes) if hashes else ""


def commit(name: str, known: str) -> str:
    """Return the commit that a base can be fetched by; empty for a folder, of which a hash is known instead."""
    return "" if Path(name).is_dir() else known
