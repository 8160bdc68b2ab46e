"""Base and adapter as one model: opened, merged in float32, saved as an ordinary Hugging Face folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from data.disk import disk_errors
from doceo.core.errors import ExportFailed
from doceo.providers.hf_models import open_model, open_tokenizer, quiet
from doceo.providers.local_weights import SharedWeights
from finetune.export.measured import ends_of

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Trained(NamedTuple):
    """A model as it was trained: float32 on the CPU, the adapter (if any) over the base, `dtype` the base's own."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    context: int
    base: str
    adapter: Path | None
    dtype: torch.dtype

    def forget(self) -> None:
        """Give the weights' memory back, once they are written and are to be opened again in another form."""
        self.model.to("meta")


def open_trained(base: str, adapter: Path | None) -> Trained:
    """Open a base, with an adapter where one is given. The adapter's own tokenizer goes before the base's.

    Raises ModelNotFound and ProviderError.
    """
    import torch
    from transformers import AutoConfig

    opened = open_model(base, dtype=torch.float32, device="cpu")
    named = AutoConfig.from_pretrained(base, trust_remote_code=False).dtype
    tokenizer, model = opened.tokenizer, opened.model
    if adapter is not None:
        weights = SharedWeights(opened)
        weights.attach(adapter)
        model = weights.model
        if (adapter / "tokenizer_config.json").exists():
            tokenizer = open_tokenizer(str(adapter))
    return Trained(model, tokenizer, opened.context, base, adapter, named or torch.float32)


def merge(trained: Trained) -> PreTrainedModel:
    """Return the base with the adapter's weights added to its own; the trained model is used up.

    Raises ExportFailed where the sum is not a number.
    """
    from peft import PeftModel

    if not isinstance(trained.model, PeftModel):
        return trained.model
    try:
        with quiet():
            merged: PreTrainedModel = trained.model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise ExportFailed(
            f"The adapter {trained.adapter} cannot be merged: {' '.join(str(error).split())[:200]}",
            hint="Train it again, with a lower --learning-rate where its weights are not numbers.",
        ) from error
    return merged


def save_merged(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, dtype: torch.dtype) -> None:
    """Write a model folder: safetensors, tokenizer with chat template, generation config with every end mark.

    The model is left in the number format that it is saved in. Raises StorageError.
    """
    model.generation_config.eos_token_id = ends_of(model, tokenizer)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    # A base may ship settings that only sampling reads; saving refuses them beside greedy decoding.
    model.generation_config.do_sample = model.generation_config.do_sample or _samples(model.generation_config)
    with quiet(), disk_errors(folder):
        model.to(dtype).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        mode = (folder / "config.json").stat().st_mode
        for file in folder.glob("*.safetensors"):
            file.chmod(mode)  # safetensors writes files that only their owner can read


def _samples(config: Any) -> bool:  # noqa: ANN401 - transformers ships partial types
    return any(getattr(config, name, None) not in (None, 1.0) for name in ("temperature", "top_p"))
