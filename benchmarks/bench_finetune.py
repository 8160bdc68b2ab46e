"""LoRA fine-tuning on this machine's processor: ours, stock TRL and a bare PyTorch loop over the same batches.

    python benchmarks/bench_finetune.py [5M 30M] [--steps N] [--repetitions R]

The three train the same adapter from the same weights on the same rows in the same order and with the same settings;
their losses are compared step by step. Rates are of tokens without padding; the first steps warm up and are not
counted. Writes benchmarks/results/finetune.json. The rows are made here: questions with short answers of words drawn by
number, as instruction data has them; the models have random weights.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from record import ROOT, save

sys.path.insert(0, str(ROOT))

import torch
from peft import get_peft_model
from torch.nn.functional import cross_entropy
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.optimization import get_cosine_schedule_with_warmup
from trl import SFTTrainer

import finetune.answer_trainer as ours
from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import Opened, quiet
from finetune.examples import IGNORED, Encoded
from finetune.method import adapter_config
from finetune.recipe import Recipe, recipe
from finetune.trainer import build_trainer

PACKAGES = ("doceo", "torch", "transformers", "peft", "trl")
VOCABULARY = 8192
SHAPES = {"5M": (256, 4, 704), "30M": (512, 8, 1408)}
"""Width, layers, and width of the inner layers."""
WARM = 3
ROWS = 512


class Timed(NamedTuple):
    """Seconds behind the warm-up, processor seconds of them, tokens read in them, and the loss of every step."""

    seconds: float
    cpu: float
    tokens: int
    losses: list[float]


def base(shape: str) -> Opened:
    """Return a Llama of random weights, with a tokenizer of numbered words."""
    from tokenizers import Tokenizer, models

    width, layers, inner = SHAPES[shape]
    set_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=width, num_hidden_layers=layers, num_attention_heads=width // 64,
        num_key_value_heads=width // 64, intermediate_size=inner, max_position_embeddings=1024,
        tie_word_embeddings=True, bos_token_id=0, eos_token_id=1, pad_token_id=2,
    )  # fmt: skip
    words = {f"w{n}": n for n in range(VOCABULARY)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w3")),
        bos_token="w0", eos_token="w1", pad_token="w2", unk_token="w3",
    )  # fmt: skip
    return Opened(LlamaForCausalLM(config).eval(), tokenizer, 1024)


def rows() -> list[Encoded]:
    """Return rows of 30 to 400 tokens, of which a third to two thirds are learned."""
    luck = random.Random(0)
    made = []
    for _ in range(ROWS):
        length = int(min(400, max(30, luck.lognormvariate(4.7, 0.6))))
        prompt = int(length * luck.uniform(0.33, 0.67))
        ids = [luck.randrange(4, VOCABULARY) for _ in range(length - 1)] + [1]
        made.append(Encoded(ids, [IGNORED] * prompt + ids[prompt:]))
    return made


class Watch(TrainerCallback):
    """Notes when every step begins, the tokens until then, and its loss."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.cpu: list[float] = []
        self.tokens: list[int] = []
        self.losses: list[float] = []

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Note the time."""
        self.at.append(time.perf_counter())
        self.cpu.append(time.process_time())
        self.tokens.append(int(state.num_input_tokens_seen))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **more: object,
    ) -> None:
        """Note the loss."""
        if logs and "loss" in logs:
            self.losses.append(float(logs["loss"]))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Note the end."""
        self.on_step_begin(args, state, control)

    def timed(self) -> Timed:
        """Return what was noted."""
        return Timed(
            self.at[-1] - self.at[WARM], self.cpu[-1] - self.cpu[WARM], self.tokens[-1] - self.tokens[WARM], self.losses
        )


def trained(shape: str, made: Recipe, steps: int, data: list[Encoded]) -> Timed:
    """Train with whatever `AnswerTrainer` is at the moment."""
    watch = Watch()
    with quiet(), tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(
            base(shape), data, [], made, FinetuneConfig(), Path(folder), [watch], max_steps=steps, save_strategy="no"
        )
        trainer.train()
    return watch.timed()


@contextmanager
def stock() -> Iterator[None]:
    """Let TRL compute the loss as it does; only the order of the rows stays ours, so that the losses compare."""
    own = ours.AnswerTrainer.compute_loss
    ours.AnswerTrainer.compute_loss = SFTTrainer.compute_loss
    try:
        yield
    finally:
        ours.AnswerTrainer.compute_loss = own


def stock_trained(shape: str, made: Recipe, steps: int, data: list[Encoded]) -> Timed:
    """Train with TRL's own loss."""
    with stock():
        return trained(shape, made, steps, data)


def bare(shape: str, made: Recipe, steps: int, data: list[Encoded]) -> Timed:
    """Train with a plain loop: the same batches, adapter, loss, clipping, optimizer and schedule."""
    opened = base(shape)
    with quiet(), tempfile.TemporaryDirectory() as folder:
        feeder = build_trainer(
            base(shape), data, [], made, FinetuneConfig(), Path(folder), [], max_steps=steps, save_strategy="no"
        )
        micro = feeder.args.gradient_accumulation_steps
        batches = iter(
            [dict(batch) for batch, _ in zip(feeder.get_train_dataloader(), range(steps * micro), strict=False)]
        )
    set_seed(0)
    model = get_peft_model(opened.model, adapter_config(made)).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=made.learning_rate, weight_decay=0.0, fused=True)
    schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(0.03 * steps), steps)
    at, cpu, tokens, losses = [], [], [0], []
    for _ in range(steps):
        at.append(time.perf_counter())
        cpu.append(time.process_time())
        step = [next(batches) for _ in range(micro)]
        count = sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in step)
        total = 0.0
        for batch in step:
            labels = batch.pop("labels")[:, 1:]
            columns = (labels != IGNORED).any(dim=0).nonzero().flatten()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=made.half):
                logits = model(**batch, use_cache=False, logits_to_keep=columns).logits.float()
            target = labels[:, columns].flatten()
            loss = cross_entropy(logits.flatten(0, 1), target, ignore_index=IGNORED, reduction="sum") / count
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(total)
        tokens.append(tokens[-1] + sum(int(batch["attention_mask"].sum()) for batch in step))
    return Timed(time.perf_counter() - at[WARM], time.process_time() - cpu[WARM], tokens[-1] - tokens[WARM], losses)


RUNNERS: dict[str, Callable[[str, Recipe, int, list[Encoded]], Timed]] = {
    "doceo": trained, "trl": stock_trained, "bare": bare,
}  # fmt: skip


def measure(shape: str, steps: int, repetitions: int) -> dict[str, object]:
    """Return rates, their ratios and the greatest difference of a step's loss."""
    data = rows()
    made = recipe(FinetuneConfig(rank=16, alpha=32, learning_rate=2e-4), base(shape))
    rates: dict[str, list[float]] = {name: [] for name in RUNNERS}
    busy: dict[str, list[float]] = {name: [] for name in RUNNERS}
    losses: dict[str, list[float]] = {}
    for repetition in range(repetitions):
        for name in RUNNERS if repetition % 2 == 0 else reversed(RUNNERS):
            timed = RUNNERS[name](shape, made, steps, data)
            rates[name].append(round(timed.tokens / timed.seconds, 1))
            busy[name].append(round(timed.tokens / timed.cpu, 1))
            losses[name] = timed.losses
            print(shape, repetition, name, rates[name][-1], "tokens/s,", busy[name][-1], "a CPU second", flush=True)
    return {
        "parameters": base(shape).model.num_parameters(),
        "recipe": {"rank": made.rank, "bf16": made.half, "rows_a_step": made.batch_size, "steps": steps},
        "tokens_per_second": rates,
        "tokens_per_cpu_second": busy,
        "medians": {name: statistics.median(values) for name, values in rates.items()},
        "ratio_to_trl": ratio(rates, "trl"),
        "ratio_to_bare": ratio(rates, "bare"),
        "ratio_to_trl_by_cpu": ratio(busy, "trl"),
        "ratio_to_bare_by_cpu": ratio(busy, "bare"),
        "most_loss_difference": {
            name: max(abs(a - b) for a, b in zip(losses["doceo"], losses[name], strict=True))
            for name in ("trl", "bare")
        },
        "first_loss_difference": {name: abs(losses["doceo"][0] - losses[name][0]) for name in ("trl", "bare")},
        "bars": {"5M": "trl >= 2", "30M": "trl >= 1.1, bare >= 0.85"}[shape],
    }


def ratio(rates: dict[str, list[float]], other: str) -> float:
    """Return the median of our rate by another's, repetition by repetition."""
    return round(statistics.median(own / theirs for own, theirs in zip(rates["doceo"], rates[other], strict=True)), 3)


def main() -> None:
    """Measure the shapes that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"of {list(SHAPES)}")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="print only, for a look on a busy machine")
    asked = parser.parse_args()
    for shape in asked.shapes or SHAPES:
        found = measure(shape, asked.steps, asked.repetitions)
        print(found, flush=True)
        if not asked.dry:
            save("finetune", {shape: found}, PACKAGES)


if __name__ == "__main__":
    main()
