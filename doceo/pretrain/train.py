"""Text to a small base model in one go: what a run makes for itself in a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.config import PretrainConfig
from doceo.core.errors import TrainingError
from doceo.core.protocols import Progress
from doceo.pretrain.card import Pretrained
from doceo.pretrain.loop import computes_in_half, run_steps
from doceo.pretrain.model import llama_config, new_model
from doceo.pretrain.objective import Objective
from doceo.pretrain.optimizers import Optimizers
from doceo.pretrain.recipe import Recipe, short_recipe
from doceo.pretrain.saving import save_model
from doceo.pretrain.stream import MemoryStream, Stream, token_stream
from doceo.pretrain.tokenizer import train_tokenizer
from doceo.providers.hf_models import quiet, quiet_start

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

LEAST_TOKENS = 64


def pretrain(
    texts: Sequence[str],
    config: PretrainConfig,
    out: Path,
    progress: Progress,
    *,
    tokenizer: PreTrainedTokenizerFast | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Pretrained:
    """Train a tokenizer and a small Llama on texts and save both to a folder.

    With `config.max_steps` the same texts and seed give the same weights (on one machine with one number of threads);
    else training lasts `config.seconds`, and the learning rate falls with the time that is left.

    Args:
        texts: Documents as plain text.
        config: Depth, vocabulary, context and budget.
        out: The folder to write: config, safetensors, tokenizer, generation config.
        progress: Where steps are shown.
        tokenizer: A tokenizer to use instead of training one.
        clock: Seconds, read once a step.

    Raises:
        TrainingError: There is too little text, or the loss is no longer a number.
        StorageError: The folder cannot be written.
    """
    quiet_start()
    import torch
    from transformers import set_seed

    with quiet(), progress.task("tokenizer", unit="texts"):
        tokenizer = tokenizer or train_tokenizer(texts, config.vocab_size, config.context)
        stream = token_stream(texts, tokenizer)
    check_enough(len(stream))
    set_seed(config.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = new_model(llama_config(config, tokenizer), "--depth", device=device)
    start = clock()
    losses, tokens = _losses(model, MemoryStream(stream), short_recipe(config), progress, clock)
    seconds = clock() - start
    save_model(model, tokenizer, out)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return described(model, losses, tokens, seconds, tokens_per_byte=len(stream) / size)


def check_enough(tokens: int) -> None:
    """Raise TrainingError where there is too little to train on."""
    if tokens < LEAST_TOKENS:
        raise TrainingError(
            f"There are {tokens} tokens of text to pretrain on, fewer than {LEAST_TOKENS}.",
            hint="Give more text, or start from a finished model: doceo pretrain --from, doceo run --base.",
        )


def described(
    model: PreTrainedModel, losses: Sequence[float], tokens: int, seconds: float, *, tokens_per_byte: float
) -> Pretrained:
    """Return what came of a training, its bits per byte those of the text that was trained on last."""
    tail = losses[-max(1, len(losses) // 10) :]
    loss = sum(tail) / len(tail)
    return Pretrained(
        parameters=model.num_parameters(),
        vocabulary=model.config.get_text_config().vocab_size,
        tokens=tokens,
        steps=len(losses),
        seconds=round(seconds, 3),
        loss=round(loss, 4),
        bits_per_byte=round(loss * tokens_per_byte / math.log(2), 4),
    )


def _losses(
    model: PreTrainedModel, stream: Stream, recipe: Recipe, progress: Progress, clock: Callable[[], float]
) -> tuple[list[float], int]:
    """Train a model and return the loss of every step, in nats a token, and the tokens of all."""
    objective = Objective(model, half=computes_in_half(model.device.type))
    optimizers = Optimizers(model, recipe)
    model.train()
    losses: list[float] = []
    tokens = shown = 0
    total, unit = (recipe.max_steps, "steps") if recipe.max_steps else (math.ceil(recipe.seconds), "s")
    with progress.task("pretrain", total=total, unit=unit) as task:
        for step in run_steps(model, objective, optimizers, stream, recipe, clock):
            losses.append(step.loss)
            tokens = step.reached.tokens
            reached = min(total, int(step.share * total))
            task.advance(reached - shown, f"loss {step.loss:.2f}")
            shown = reached
    model.eval()
    return losses, tokens
