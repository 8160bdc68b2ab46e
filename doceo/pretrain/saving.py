"""A trained model as an ordinary Hugging Face folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from data.disk import disk_errors
from data.jsonl import write_json, write_text
from doceo.pretrain.card import Origin, Pretrained, card
from doceo.pretrain.curve import draw_curve
from doceo.pretrain.log import Log
from doceo.pretrain.objective import STANDARD, WRITTEN_OUT
from doceo.pretrain.tokenizer import save_tokenizer
from doceo.providers.hf_models import quiet

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from doceo.pretrain.training import Learner

RESULT, CURVE, CARD = "pretraining.json", "curve.svg", "README.md"


def save_results(
    learner: Learner, result: Pretrained, log: Log, origin: Origin, out: Path, *, name: str, weights: str
) -> None:
    """Write everything that a finished training leaves: model, tokenizer, card, curve and figures.

    Args:
        learner: What was trained.
        result: What came of it.
        log: Its lines and samples.
        origin: What it was made from.
        out: The folder to write.
        name: Of the model, for its card.
        weights: Type of the saved weights, such as `float16`.

    Raises:
        StorageError: The disk is full or not writable.
    """
    import torch

    save_model(learner.model, learner.tokenizer, out, dtype=getattr(torch, weights))
    draw_curve(log.lines, out / CURVE)
    last = [sample for sample in log.samples if sample["step"] == result.steps]
    write_text(out / CARD, card(name, result, origin, learner.recipe, learner.model.config, last))
    figures = {**result.model_dump(), "recipe": learner.recipe.model_dump(), "origin": origin.model_dump()}
    write_json(out / RESULT, figures)


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, out: Path, *, dtype: torch.dtype) -> None:
    """Write weights of a type, config, generation config and tokenizer.

    A model that is trained further keeps its own generation config. Raises StorageError.
    """
    if model.config._attn_implementation == WRITTEN_OUT:
        model.set_attn_implementation(STANDARD)
    set_ends(model, tokenizer)
    with disk_errors(out):
        with quiet(), quiet():
            model.to(dtype).save_pretrained(out)
            if not _is_byte_level(tokenizer):
                tokenizer.save_pretrained(out)
        for file in out.glob("*.safetensors"):
            # safetensors lets nobody else read it; the model is as public as its config.
            shutil.copymode(out / "config.json", file)
    if _is_byte_level(tokenizer):
        save_tokenizer(tokenizer, out)


def set_ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Let generation end at the tokenizer's end-of-sequence token, unless the model came with its own settings."""
    from transformers import GenerationConfig

    if getattr(model, "name_or_path", ""):
        return
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )


def _is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether a tokenizer is a byte-level BPE, of which older tools want vocabulary and merges in two files."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or type(backend.model).__name__ != "BPE":
        return False
    return "ByteLevel" in str(backend.pre_tokenizer)
