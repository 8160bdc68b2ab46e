"""One base with eight adapters: tokens a second of mixed requests against those of one adapter, and memory.

    python benchmarks/bench_adapters.py [--repetitions N] [--requests N] [--tokens N] [--threads N]

A Llama of 112M parameters with weights by chance and the vocabulary of the model that ships, eight LoRA adapters of
rank 16 on all its layers. The requests go through what the service asks (`doceo.providers.local_batches`), all at once:
to one adapter; to eight, mixed, rows of one pass each through its own; to eight, one adapter after the other, which is
what a server without such a pass would do; and to the base alone. Memory is that of the process with the base, and with
the adapters put on it. Writes benchmarks/results/adapters.json, each repetition in it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import record
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.providers.local_hf import LocalModel
from doceo.providers.shipped_model import shipped_folder

ADAPTERS = 8
BARS = {"mixed_to_one": 0.6, "memory_to_adapters": 1.3}
PACKAGES = ("torch", "transformers", "peft")


def make(folder: Path) -> None:
    """Write the base and its adapters."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(shipped_folder())
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=768, intermediate_size=2048, num_hidden_layers=14,
        num_attention_heads=12, num_key_value_heads=12, max_position_embeddings=2048, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    for n in range(ADAPTERS):
        model = LlamaForCausalLM.from_pretrained(folder / "base")
        tuned = get_peft_model(model, LoraConfig(r=16, target_modules="all-linear"))
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.02)
        tuned.save_pretrained(folder / f"adapter{n}")


def resident() -> int:
    """Return the bytes of memory of this process."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def answered(models: Sequence[LocalModel], request: ChatRequest) -> list[ChatReply]:
    """Return the answers of models to one request each, all asked at once."""
    return await asyncio.gather(*(model.asynchronous().complete(request) for model in models))


def rate(groups: Sequence[Sequence[LocalModel]], request: ChatRequest) -> float:
    """Return tokens a second of groups of requests, one group after the other."""
    began, tokens = time.perf_counter(), 0
    for group in groups:
        tokens += sum(reply.usage.completion_tokens for reply in asyncio.run(answered(group, request)))
    return tokens / (time.perf_counter() - began)


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder), options)
    print(json.dumps(rows, indent=1))
    record.save("adapters", rows, PACKAGES)


def measured(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures."""
    make(folder)
    base = LocalModel(folder / "base")
    question = "What does the manual say about the valve of the pump, and how often is it to be looked at? " * 4
    request = ChatRequest(messages=(Message(role="user", content=question),), max_tokens=options.tokens)
    base.complete(request.model_copy(update={"max_tokens": 4}))
    alone = resident()
    tuned = [base.with_adapter(folder / f"adapter{n}", f"adapter{n}") for n in range(ADAPTERS)]
    with_adapters, size = resident(), sum(model.size().adapter_bytes for model in tuned)
    mixed = [tuned[n % ADAPTERS] for n in range(options.requests)]
    by_adapter = [[model for model in mixed if model is one] for one in tuned]
    ways = {
        "one": [[tuned[0]] * options.requests],
        "mixed": [mixed],
        "one_after_the_other": by_adapter,
        "base": [[base] * options.requests],
    }
    for groups in ways.values():
        rate(groups, request.model_copy(update={"max_tokens": 4}))
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.repetitions):
        for name, groups in ways.items():
            rates[name].append(round(rate(groups, request), 1))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    return {
        "bars": BARS,
        "speed": {
            "requests": options.requests,
            "threads": options.threads,
            "parameters": base.size().parameters,
            "tokens_per_s": rates,
            "mixed_to_one": round(middle["mixed"] / middle["one"], 3),
            "one_after_the_other_to_one": round(middle["one_after_the_other"] / middle["one"], 3),
        },
        "memory": {
            "base_mb": round(base.size().model_bytes / 2**20, 1),
            "adapters_mb": round(size / 2**20, 1),
            "added_mb": round((with_adapters - alone) / 2**20, 1),
            "memory_to_adapters": round((with_adapters - alone) / size, 3),
        },
    }


if __name__ == "__main__":
    main()
