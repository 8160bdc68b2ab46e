"""The ways to fine-tune: LoRA and its variants, over whole or 4-bit weights, or every weight."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from doceo.core.config import FinetuneConfig
from doceo.core.errors import MissingExtra, TrainingError, UsageError
from doceo.providers.hf_models import open_config
from finetune import ranks
from finetune.checks import DPO
from finetune.recipe import Recipe

if TYPE_CHECKING:
    import torch

BLOCK = 64
"""Weights that share a scale in NF4; bitsandbytes wants the width of a layer's input to be a multiple of it."""
FULL, QLORA = "full", "qlora"


def check_objective(config: FinetuneConfig) -> None:
    """Raise UsageError where preference tuning is asked for in a way that it is not done here."""
    if config.objective != DPO:
        return
    if config.method == FULL:
        raise UsageError(
            "--objective dpo trains an adapter: it is compared with the base, which --method full changes.",
            hint="Take --method lora.",
        )
    if config.packing == "on":
        raise UsageError("--objective dpo packs no rows.", hint="Leave out --packing on.")
    if ranks.count() > 1:
        raise UsageError("--objective dpo runs in one process.", hint="Start it without torchrun.")


def adapter_config(made: Recipe) -> Any | None:  # noqa: ANN401 - peft ships no types
    """Return PEFT's config of a recipe's adapter, or None where every weight is trained.

    rsLoRA: Kalajdzievski 2023; DoRA: Liu et al. 2024; QLoRA: Dettmers et al. 2023.
    """
    if made.method == FULL:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=made.rank,
        lora_alpha=made.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        use_rslora=made.method == "rslora",
        use_dora=made.method == "dora",
    )


def nf4() -> Any:  # noqa: ANN401 - transformers ships no types
    """Return the settings of a base in NF4, its scales quantized too, computing in bfloat16. Raises MissingExtra."""
    if find_spec("bitsandbytes") is None:
        raise MissingExtra("bitsandbytes", extra="qlora", purpose="--method qlora")
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def check_quantizable(base: str) -> None:
    """Refuse a base whose layers cannot be kept in 4 bits, before its weights are read.

    Raises:
        TrainingError: A layer's input is not a multiple of 64 wide.
        ModelNotFound, ProviderError: As `open_model`.
    """
    import torch
    from transformers import AutoModelForCausalLM

    config = open_config(base)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    for name, width in linear_widths(model):
        if width % BLOCK:
            raise TrainingError(
                f"{base} cannot be kept in 4 bits: the layer {name} has {width} inputs, no multiple of {BLOCK}.",
                hint="Use --method lora, or a base all of whose widths are multiples of 64.",
            )


def linear_widths(model: torch.nn.Module) -> Iterator[tuple[str, int]]:
    """Yield name and input width of every linear layer but the output layer."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()  # type: ignore[operator]  # a method of transformers' models
    for name, module in model.named_modules():
        if module is head:
            continue
        if isinstance(module, Linear):
            yield name, module.in_features
        elif isinstance(module, Conv1D):
            yield name, module.nx
