"""Pretraining against a bare PyTorch loop doing the same work: tokens a second at 5M and 30M parameters.

    python benchmarks/bench_pretrain.py [5m 30m] [--rounds N]

The bare loop is what one writes by hand: transformers' Llama with sdpa under bf16 autocast, cross-entropy over all
logits at once, AdamW (fused), clipping. Ours is `doceo.pretrain.loop` with AdamW on the same windows, and with Muon,
its default.
Both run in one process, in turn, so that a busy machine slows both. Writes benchmarks/results/pretrain.json.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from record import save
from torch.nn import functional
from transformers import PreTrainedModel

from data.jsonl import write_json
from doceo.core.config import PretrainConfig, TrainingConfig
from doceo.pretrain.batches import batches
from doceo.pretrain.loop import computes_in_half, run_steps
from doceo.pretrain.model import llama_config, new_model
from doceo.pretrain.objective import Objective
from doceo.pretrain.optimizers import Optimizers
from doceo.pretrain.presets import PRESETS, sized
from doceo.pretrain.recipe import Recipe, recipe
from doceo.pretrain.shards import INDEX, Index, Shards

STEPS, WARM, WINDOW = 8, 2, 256
PACKAGES = ("doceo", "torch", "transformers")
WORK = tempfile.TemporaryDirectory()


class Tokens(SimpleNamespace):
    """What a config needs of a tokenizer."""

    def __len__(self) -> int:
        """Return its size."""
        return int(self.size)


def model_of(depth: int) -> tuple[PreTrainedModel, PretrainConfig]:
    """Return a model with seeded weights and its config, with steps of the 2,048 tokens that are in memory at once."""
    config = sized(PretrainConfig(depth=depth, batch_tokens=2048, context=WINDOW, max_steps=STEPS + WARM))
    torch.manual_seed(0)
    tokens = Tokens(size=config.vocab_size, bos_token_id=0, eos_token_id=2, pad_token_id=3)
    return new_model(llama_config(config, tokens), "preset", device="cpu").train(), config


def made(config: PretrainConfig, optimizer: str) -> Recipe:
    """Return how both loops step."""
    training = TrainingConfig.model_validate({"optimizer": optimizer})
    return recipe(config, training, context=WINDOW, width=64 * config.depth, new_llama=True, further=False)


def bare(depth: int) -> list[float]:
    """Return the seconds of every step of the loop written by hand."""
    model, config = model_of(depth)
    steps = made(config, "adamw")
    shards = shards_of(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    half = computes_in_half("cpu")
    seconds = []
    for (length, starts), _ in zip(batches(len(shards), steps), range(STEPS + WARM), strict=False):
        start = time.perf_counter()
        windows = torch.from_numpy(shards.windows(starts, length + 1))
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = model(input_ids=windows[:, :-1], use_cache=False).logits
        loss = functional.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        seconds.append(time.perf_counter() - start)
    return seconds[WARM:]


def ours(depth: int, optimizer: str = "adamw", *, compiled: bool = False) -> list[float]:
    """Return the seconds of every step of `doceo pretrain`."""
    model, config = model_of(depth)
    steps = made(config, optimizer)
    objective = Objective(model, half=computes_in_half("cpu"), compiled=compiled)
    seconds, before = [], time.perf_counter()
    for _ in run_steps(model, objective, Optimizers(model, steps), shards_of(config), steps, time.perf_counter):
        seconds.append(time.perf_counter() - before)
        before = time.perf_counter()
    return seconds[WARM:]


def shards_of(config: PretrainConfig) -> Shards:
    """Return random tokens."""
    folder, count = Path(WORK.name), 100_000
    np.random.default_rng(0).integers(4, config.vocab_size, count).astype("uint16").tofile(folder / "train-00000.bin")
    index = Index(dtype="uint16", tokens=(count,), texts=1, bytes=count, held_out=())
    write_json(folder / INDEX, index.model_dump(mode="json"))
    return Shards(folder)


def speed(name: str, rounds: int) -> dict[str, object]:
    """Return tokens a second of each, and the median over rounds of each one's ratio to the bare loop."""
    depth = PRESETS[name].depth
    kinds: dict[str, Callable[[], list[float]]] = {
        "bare": lambda: bare(depth),
        "adamw": lambda: ours(depth),
        "muon": lambda: ours(depth, "muon"),
        "adamw compiled": lambda: ours(depth, compiled=True),
    }
    taken = [{kind: statistics.median(run()) for kind, run in kinds.items()} for _ in range(rounds)]
    result: dict[str, object] = {}
    for kind in kinds:
        median = statistics.median(one[kind] for one in taken)
        ratio = statistics.median(one["bare"] / one[kind] for one in taken)
        result[kind] = {"tokens_per_second": round(2048 / median), "to_bare": round(ratio, 3)}
    return {"threads": torch.get_num_threads(), "rounds": rounds, **result, "seconds_per_step": taken}


def main() -> None:
    """Measure the sizes that are named."""
    arguments = sys.argv[1:]
    rounds = int(arguments[arguments.index("--rounds") + 1]) if "--rounds" in arguments else 5
    for name in [argument for argument in arguments if argument in PRESETS] or ["5m", "30m"]:
        row = speed(name, rounds)
        print(name, row)
        save("pretrain", {name: row}, PACKAGES)


if __name__ == "__main__":
    main()
