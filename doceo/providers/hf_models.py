"""Opens Hugging Face models: safetensors only, no remote code, no telemetry, every error as one of ours.

Shared by the local provider and by fine-tuning, so that a base is found and refused in the same words by both.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from doceo.core.errors import ModelNotFound, ProviderError
from doceo.providers.model_folder import check_name
from doceo.providers.shipped_model import located
from doceo.text.chat_template import PLAIN

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len")
"""What configs call the longest text that a model reads; the last is MPT's."""
_UNBOUNDED = 1_000_000
"""Tokenizers without a limit report a number far above this."""


class Opened(NamedTuple):
    """A model in memory with its tokenizer; `context` is how many tokens it can read."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    context: int


def open_model(
    name: str,
    *,
    dtype: torch.dtype | Literal["auto"] | None = None,
    device: str | None = None,
    quantization: object | None = None,
) -> Opened:
    """Open a causal language model by folder or hub name.

    Args:
        name: A folder, or a name on the hub, which is fetched if it is not in the cache and the network allows.
        dtype: Weights' type, `auto` for the stored one; left out, bfloat16 on a GPU and float32 on a CPU.
        device: `cpu` or `cuda`; left out, a GPU where there is one.
        quantization: Settings of transformers that keep the weights in fewer bits, or None.

    Raises:
        ModelNotFound: There is no such folder or name, or it cannot be fetched.
        ProviderError: The files are not a causal language model, or hold pickled weights only.
    """
    quiet_start()
    import torch
    from transformers import AutoModelForCausalLM

    name = located(name)
    check_name(name)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or (torch.bfloat16 if device == "cuda" else torch.float32)
    fewer = {"quantization_config": quantization, "device_map": {"": device}} if quantization else {}
    with quiet(), _mapped(name):
        model = AutoModelForCausalLM.from_pretrained(
            name, dtype=dtype, use_safetensors=True, trust_remote_code=False, **fewer
        )
        tokenizer = open_tokenizer(name)
        model = model.eval() if quantization else model.to(device).eval()
    return Opened(model, tokenizer, context_of(model.config, tokenizer))


def open_config(name: str) -> PreTrainedConfig:
    """Return the config of a model without reading its weights. Raises ModelNotFound and ProviderError."""
    quiet_start()
    from transformers import AutoConfig

    name = located(name)
    check_name(name)
    with quiet(), _mapped(name):
        return AutoConfig.from_pretrained(name, trust_remote_code=False)


def open_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """Open a tokenizer; one without a chat template or padding token gets Doceo's plain ones.

    Raises ModelNotFound and ProviderError as `open_model`.
    """
    quiet_start()
    from transformers import AutoTokenizer

    name = located(name)
    with quiet(), _mapped(name):
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    if tokenizer.eos_token is None:
        raise ProviderError(
            f"The tokenizer of {name} has no end-of-sequence token.",
            hint="Without one no answer would end; set eos_token in its tokenizer_config.json.",
        )
    if not tokenizer.chat_template:
        tokenizer.chat_template = _plain_template(tokenizer)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _plain_template(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the plain template, with the begin token that the tokenizer puts before every text, if it does.

    Such a model has never read a text without it (Llama, Gemma), and answers badly where it is left out.
    """
    begin = tokenizer.bos_token_id
    begins = begin is not None and tokenizer("a", verbose=False)["input_ids"][:1] == [begin]
    return "{{- bos_token -}}" + PLAIN if begins else PLAIN


def context_of(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return how many tokens a model can read: what its config and its tokenizer both allow."""
    text = config.get_text_config()
    positions = next((found for name in _POSITIONS if (found := getattr(text, name, None))), 1024)
    limit = tokenizer.model_max_length
    return int(min(positions, limit) if limit < _UNBOUNDED else positions)


def quiet_start() -> None:
    """Turn the libraries' telemetry off; has to come before their first import to hold for all of them."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # PEFT sets it right by itself for GPT-2's kind of layer, and says so.
    warnings.filterwarnings("ignore", message="fan_in_fan_out is set to False", module=r"peft\b")
    # They warn one another of renamed settings, which is nobody's business here.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|peft|trl)\b")
    # It warns that a kernel of the hub is not there, when peft imports it.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    # Every try to reach the hub is a line of its own; what comes of them is said once, as an error of ours.
    logging.getLogger("huggingface_hub.utils._http").setLevel(logging.ERROR)
    if constants := sys.modules.get("huggingface_hub.constants"):
        vars(constants)["HF_HUB_DISABLE_TELEMETRY"] = True


def bf16_in_hardware() -> bool:
    """Return True where the processor multiplies bfloat16 in hardware; elsewhere emulation makes it slower."""
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from printing warnings and progress bars of its own."""
    from transformers.utils import logging as shown

    before, bars = shown.get_verbosity(), shown.is_progress_bar_enabled()
    shown.set_verbosity_error()
    shown.disable_progress_bar()
    try:
        yield
    finally:
        shown.set_verbosity(before)
        if bars:
            shown.enable_progress_bar()


@contextmanager
def _mapped(name: str) -> Iterator[None]:
    """Turn transformers' and the hub's errors into ours."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    libraries = (StrictDataclassError, SafetensorError)
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, *libraries) as error:
        raise _map(name, error) from error


def _map(name: str, error: Exception) -> ProviderError:
    text = " ".join(str(error).split())
    short = text[:240]
    lower = text.lower()
    if "trust_remote_code" in lower or "custom code" in lower:
        return ProviderError(
            f"{name} needs code of its own to run.",
            hint="Doceo never runs code that comes with a model; choose one of an architecture transformers knows.",
        )
    if "unrecognized configuration class" in lower or "for this kind of automodel" in lower:
        return ProviderError(f"{name} is not a causal language model.", hint="Choose a model for text generation.")
    if "model type" in lower and "does not recognize" in lower:
        return ProviderError(
            f"transformers does not know the architecture of {name}.",
            hint="Choose another base, or update transformers.",
        )
    if Path(name).is_dir():
        return ProviderError(
            f"The model in {name} cannot be opened: {short}", hint="Its files may be damaged; fetch it again."
        )
    if "safetensors" in lower:
        return ProviderError(
            f"{name} has no safetensors weights.",
            hint="Pickled weights are never read; choose a model with safetensors.",
        )
    return ModelNotFound(
        f"There is no folder {name}, and no model of that name could be fetched from the hub.",
        hint="Check the spelling and the network; gated models need a token of yours (hf auth login).",
    )
