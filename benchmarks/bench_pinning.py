"""What a kept prefix saves: seconds a question over a pinned corpus, with the prefix kept and without.

    python benchmarks/bench_pinning.py [TOKENS ...]

A model of random weights with the shape of a small one (what it says is nonsense; what it costs is not) answers
questions over as much of the shipped handbook as has that many tokens. Both ways answer the same questions in turn,
and the answers have to be equal letter for letter. Seconds are CPU seconds of this process on one thread, from the
second question on; the first one reads the prefix either way. Writes benchmarks/results/pinning.json.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from record import ROOT, save
from transformers import LlamaConfig, LlamaForCausalLM

from data.loaders import loader_of
from doceo.core.config import PretrainConfig
from doceo.core.progress import Silent
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.pretrain.train import pretrain
from doceo.providers.hf_models import open_tokenizer
from doceo.providers.local_hf import LocalModel
from doceo.text.passages import ask_with_passages

PACKAGES = ("torch", "transformers")
TOKENS = (512, 1024, 2048, 4096)
SHAPE = {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 8, "num_attention_heads": 8}
QUESTIONS = ["Who wrote it?", "When is it open?", "What does it cost, and for whom?", "Why is that so?", "How long?"]
NEW = 16


def handbook() -> list[str]:
    """Return the paragraphs of the shipped sample."""
    text = "\n\n".join(
        loader_of(path.suffix)(path.read_bytes(), 1 << 26).text
        for path in sorted((ROOT / "data" / "sample" / "handbook").rglob("*.*"))
        if path.suffix in (".md", ".html", ".txt")
    )
    return [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]


def random_model(folder: Path, texts: list[str]) -> Path:
    """Write a model of random weights with a tokenizer of the texts."""
    config = PretrainConfig(depth=1, vocab_size=2048, context=8192, max_steps=1, batch_tokens=8192)
    pretrain(texts * 40, config, folder, Silent())
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(open_tokenizer(str(folder))), num_key_value_heads=2, max_position_embeddings=8192, **SHAPE
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    return folder


def asked(model: LocalModel, texts: list[str], tokens: int) -> list[ChatRequest]:
    """Return a request for every question, over passages of so many tokens in all."""
    passages, size = list[tuple[str, str]](), 0
    for text in texts * 20:
        size += model.count_tokens([Message(role="user", content=text)])
        if size > tokens:
            break
        passages.append(("", text))
    return [ChatRequest(messages=ask_with_passages(question, passages), max_tokens=NEW) for question in QUESTIONS]


def answered(model: LocalModel, requests: list[ChatRequest]) -> tuple[list[ChatReply], list[float]]:
    """Return the replies and the CPU seconds of each."""
    replies, seconds = [], []
    for request in requests:
        start = time.process_time()
        replies.append(model.complete(request))
        seconds.append(time.process_time() - start)
    return replies, seconds


def main() -> None:
    """Measure for every number of tokens."""
    torch.set_num_threads(1)
    texts = handbook()
    with tempfile.TemporaryDirectory() as folder:
        base = random_model(Path(folder) / "base", texts)
        for tokens in map(int, sys.argv[1:] or TOKENS):
            plain, keeping = LocalModel(base), LocalModel(base)
            keeping.keep_prefix()
            requests = asked(plain, texts, tokens)
            replies, seconds = answered(plain, requests)
            kept, kept_seconds = answered(keeping, requests)
            row = {
                "prompt_tokens": round(statistics.fmean(reply.usage.prompt_tokens for reply in replies)),
                "cached_tokens": round(statistics.fmean(reply.usage.cached_tokens for reply in kept[1:])),
                "new_tokens": NEW,
                "cpu_s_first": [round(seconds[0], 2), round(kept_seconds[0], 2)],
                "cpu_s": round(statistics.median(seconds[1:]), 2),
                "cpu_s_kept": round(statistics.median(kept_seconds[1:]), 2),
                "times": round(statistics.median(seconds[1:]) / statistics.median(kept_seconds[1:]), 1),
                "answers_equal": [a.text == b.text for a, b in zip(replies, kept, strict=True)],
            }
            print(tokens, json.dumps(row), flush=True)
            save("pinning", {f"{tokens} tokens": row}, PACKAGES)


if __name__ == "__main__":
    main()
