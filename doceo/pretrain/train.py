"""Text to a small base model: an ordinary Hugging Face folder that any tool opens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.jsonl import storage_error
from doceo.core.config import PretrainConfig
from doceo.core.errors import TrainingError
from doceo.core.protocols import Progress
from doceo.core.records import Record
from doceo.pretrain.model import learning_rate, llama_config
from doceo.pretrain.stream import token_stream, windows
from doceo.pretrain.tokenizer import save_tokenizer, train_tokenizer
from doceo.providers.hf_models import bf16_in_hardware, quiet, quiet_start

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

SHORT = 256
"""Tokens of most windows: attention over long ones costs time that a small budget does not have."""
LONG_EVERY = 4
"""Each so many steps the windows are as long as the context, so that every position is trained."""
WARMUP = 0.05
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

    With `config.max_steps` the same texts and seed give the same weights (on one number of threads); else training
    lasts `config.seconds` and the learning rate falls with the time that is left.

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
    from transformers import GenerationConfig, LlamaForCausalLM, set_seed

    with quiet(), progress.task("tokenizer", unit="texts"):
        tokenizer = tokenizer or train_tokenizer(texts, config.vocab_size, config.context)
        stream = token_stream(texts, tokenizer)
    if len(stream) < LEAST_TOKENS:
        raise TrainingError(
            f"There are {len(stream)} tokens of text to pretrain on, fewer than {LEAST_TOKENS}.",
            hint="Give more documents, or name a finished model with --base.",
        )
    set_seed(config.seed)
    model = LlamaForCausalLM(llama_config(config, tokenizer))
    start = clock()
    losses = _train(model, stream, config, progress, clock)
    seconds = clock() - start
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    try:
        with quiet():
            model.save_pretrained(out)
    except OSError as error:
        raise storage_error(error, out) from error
    save_tokenizer(tokenizer, out)
    loss = float(np.mean(losses[-max(1, len(losses) // 10) :]))
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return Pretrained(
        parameters=model.num_parameters(),
        vocabulary=len(tokenizer),
        tokens=len(losses) * config.batch_tokens,
        steps=len(losses),
        seconds=round(seconds, 3),
        loss=round(loss, 4),
        bits_per_byte=round(loss * len(stream) / max(1, size) / math.log(2), 4),
    )


def _train(
    model: LlamaForCausalLM,
    stream: np.ndarray[tuple[int], np.dtype[np.int32]],
    config: PretrainConfig,
    progress: Progress,
    clock: Callable[[], float],
) -> list[float]:
    """Run the training loop and return the loss of every step."""
    import torch

    random = np.random.default_rng(config.seed)
    lengths = (min(SHORT, config.context), config.context)
    sources = [windows(stream, length, random) for length in lengths]
    peak = learning_rate(config)
    optimizer = torch.optim.AdamW(_groups(model), lr=peak, betas=(0.9, 0.95), fused=True)
    half = bf16_in_hardware()
    model.train()
    losses: list[float] = []
    start, done = clock(), 0.0
    with progress.task("pretrain", total=config.max_steps, unit="steps") as task:
        while done < 1.0:
            long = len(losses) % LONG_EVERY == LONG_EVERY - 1
            rows = max(1, config.batch_tokens // lengths[long])
            batch = torch.from_numpy(np.stack([next(sources[long]) for _ in range(rows)]))
            for group in optimizer.param_groups:
                group["lr"] = peak * schedule(done)
            losses.append(_step(model, optimizer, batch, half))
            if not math.isfinite(losses[-1]):
                raise TrainingError(
                    f"The loss was {losses[-1]} at step {len(losses)}.", hint="Try another --seed or a smaller --depth."
                )
            done = len(losses) / config.max_steps if config.max_steps else (clock() - start) / config.seconds
            task.advance(1, f"loss {losses[-1]:.2f}")
    return losses


def _step(model: LlamaForCausalLM, optimizer: torch.optim.Optimizer, batch: torch.Tensor, half: bool) -> float:
    """Take one optimizer step on a batch of shape (rows, length + 1) and return its loss."""
    import torch

    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def schedule(done: float) -> float:
    """Return the share of the peak learning rate at a point of the run, 0 to 1: short warm-up, then linear to 0."""
    return max(0.02, min(1.0, (done + 0.01) / WARMUP, (1.0 - done) / (1.0 - WARMUP)))


def _groups(model: LlamaForCausalLM) -> list[dict[str, object]]:
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
