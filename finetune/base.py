"""Opens the base model in the number format it is best trained in."""

from __future__ import annotations

from doceo.providers.hf_models import Opened, bf16_in_hardware, open_model


def open_base(name: str) -> Opened:
    """Open a base for LoRA: frozen weights as they are stored, so that a bfloat16 model takes half the memory.

    The adapter itself is float32 in any case. Half precision becomes bfloat16, which does not overflow in training;
    a processor without bfloat16 gets float32, which it multiplies faster.

    Raises ModelNotFound and ProviderError as `open_model`.
    """
    import torch

    if not (torch.cuda.is_available() or bf16_in_hardware()):
        return open_model(name, dtype=torch.float32)
    opened = open_model(name, dtype="auto")
    return opened._replace(model=opened.model.to(torch.bfloat16)) if opened.model.dtype == torch.float16 else opened
