"""Text to a small base model: an ordinary Hugging Face folder that any tool opens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.jsonl import storage_error
from doceo.core.config import PretrainConfig
from doceo.core.errors import TrainingError
from doceo.core.protocols import Progress
from doceo.core.records import Record
from doceo.pretrain.loop import run_steps
from doceo.pretrain.model import llama_config
from doceo.pretrain.stream import token_stream
from doceo.pretrain.tokenizer import save_tokenizer, train_tokenizer
from doceo.providers.hf_models import quiet, quiet_start

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

LEAST_TOKENS = 64


class Pretrained(Record):
    """What pretraining made. `loss` is in nats a token, over the last tenth of the training steps."""

    parameters: int
    vocabulary: int
    tokens: int
    steps: int
    seconds: float
    loss: float
    bits_per_byte: float


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
    from transformers import LlamaForCausalLM, set_seed

    with quiet(), progress.task("tokenizer", unit="texts"):
        tokenizer = tokenizer or train_tokenizer(texts, config.vocab_size, config.context)
        stream = token_stream(texts, tokenizer)
    if len(stream) < LEAST_TOKENS:
        raise TrainingError(
            f"There are {len(stream)} tokens of text to pretrain on, fewer than {LEAST_TOKENS}.",
            hint="Give more documents, or name a finished model with --base.",
        )
    set_seed(config.seed)
    model = LlamaForCausalLM(llama_config(config, tokenizer)).to("cuda" if torch.cuda.is_available() else "cpu")
    start = clock()
    log = run_steps(model, stream, config, progress, clock)
    seconds = clock() - start
    _save(model, tokenizer, out)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return _described(model, log, len(stream) / size, seconds)


def _described(
    model: LlamaForCausalLM, log: list[tuple[int, float]], tokens_a_byte: float, seconds: float
) -> Pretrained:
    tail = [loss for _, loss in log[-max(1, len(log) // 10) :]]
    loss = sum(tail) / len(tail)
    return Pretrained(
        parameters=model.num_parameters(),
        vocabulary=model.config.vocab_size,
        tokens=sum(tokens for tokens, _ in log),
        steps=len(log),
        seconds=round(seconds, 3),
        loss=round(loss, 4),
        bits_per_byte=round(loss * tokens_a_byte / math.log(2), 4),
    )


def _save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    try:
        with quiet(), quiet():
            model.save_pretrained(out)
    except OSError as error:
        raise storage_error(error, out) from error
    save_tokenizer(tokenizer, out)
