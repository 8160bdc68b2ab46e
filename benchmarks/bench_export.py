"""Exports: a merged model against adapter and base, and a Q8_0 file in llama.cpp against transformers.

Run: python benchmarks/bench_export.py [merged] [speed]. Weights are random: what is measured are differences and
tokens a second, which do not depend on what a model has learned. Ratios are taken in one run. The parity of the Q8_0
file is kept beside them; random weights have no clear favourites, so that its agreement is lower than a real model's.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from record import ROOT, save
from transformers import LlamaConfig, LlamaForCausalLM

sys.path.insert(0, str(ROOT))
from doceo.app.exporting import export_model
from doceo.core.config import ExportConfig
from doceo.core.progress import Silent
from doceo.core.records import ChatRequest, Message
from doceo.pretrain.tokenizer import save_tokenizer, train_tokenizer
from doceo.providers.hf_models import open_model
from doceo.providers.local_gguf import GgufModel
from doceo.providers.local_hf import LocalModel

PACKAGES = ("torch", "transformers", "peft", "gguf", "xllamacpp")
SIZES = {"5M": (256, 704, 4, 4), "30M": (512, 1408, 8, 8)}
VOCABULARY, TOKENS, REPETITIONS = 8192, 128, 3


def trained(folder: Path, size: str) -> Path:
    """Write a base of a size and an adapter of rank 16 with weights that are not zero; return the adapter."""
    texts = [page.read_text(encoding="utf-8") for page in sorted((ROOT / "data" / "sample").rglob("*.md"))]
    tokenizer = train_tokenizer(texts * 2, VOCABULARY, 1024)
    width, inner, layers, heads = SIZES[size]
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=width,
            intermediate_size=inner,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=2,
            pad_token_id=3,
        )
    )
    model.save_pretrained(folder / "base")
    save_tokenizer(tokenizer, folder / "base")
    base: Any = LlamaForCausalLM.from_pretrained(folder / "base")
    adapted = get_peft_model(base, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, value in adapted.named_parameters():
            if "lora_B" in name:
                value.normal_(0.0, 0.02)
    adapted.save_pretrained(folder / "adapter", save_embedding_layers=False)
    return folder / "adapter"


def merged(folder: Path) -> dict[str, object]:
    """The largest difference of a logit between adapter on base and the merged folder, both in float32."""
    found: dict[str, object] = {}
    for size in SIZES:
        adapter = trained(folder / f"merged-{size}", size)
        made = export_model(str(adapter), "hf", folder / f"hf-{size}", ExportConfig(positions=300), Silent()).parity
        opened = open_model(str(folder / f"hf-{size}"), dtype=torch.float32, device="cpu")
        with torch.inference_mode():
            largest = float(opened.model(torch.arange(4, 68)[None]).logits.abs().max())
        found[size] = {
            "logits_max_difference": made.logits_max_difference,
            "largest_logit": round(largest, 3),
            "answers_equal": f"{made.answers_equal} of {made.answers}",
            "passed": made.passed,
        }
        print(size, found[size], flush=True)
    return found


def speed(folder: Path) -> dict[str, object]:
    """Tokens a second of one stream, the same prompt and length: transformers, then llama.cpp with F32 and Q8_0."""
    adapter = trained(folder / "speed", "30M")
    config = ExportConfig(positions=100, answer_tokens=8)
    export_model(str(adapter), "hf", folder / "hf", config, Silent())
    parity = {}
    for kind in ("f32", "q8_0"):
        wanted = config.model_copy(update={"quantize": kind})
        made = export_model(str(adapter), "gguf", folder / kind, wanted, Silent()).parity
        parity[kind] = {"top1_agreement": made.top1_agreement, "loss_rise": made.loss_rise, "passed": made.passed}
    models: dict[str, LocalModel | GgufModel] = {
        "transformers_f32": LocalModel(folder / "hf"),
        "llama_cpp_f32": GgufModel(folder / "f32" / "f32-f32.gguf"),
        "llama_cpp_q8_0": GgufModel(folder / "q8_0" / "q8_0-q8_0.gguf"),
    }
    rates: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(REPETITIONS):
        for name, model in models.items():
            rates[name].append(rate(model))
            print(name, round(rates[name][-1], 1), flush=True)
    middle = {name: statistics.median(values) for name, values in rates.items()}
    ratios = {name: round(value / middle["transformers_f32"], 2) for name, value in middle.items()}
    rounded = {name: [round(value, 1) for value in values] for name, values in rates.items()}
    shown = {"threads_torch": torch.get_num_threads(), "tokens": TOKENS, "parity": parity}
    return {"tokens_per_second": rounded, "ratio_to_transformers": ratios, **shown}


def rate(model: LocalModel | GgufModel) -> float:
    """Return new tokens a second, the prompt's reading included."""
    messages = (Message(role="user", content="Write down everything that you know about bridges, please."),)
    request = ChatRequest(messages=messages, max_tokens=TOKENS)
    start = time.perf_counter()
    reply = model.complete(request)
    return reply.usage.completion_tokens / (time.perf_counter() - start)


ROWS = {"merged": merged, "speed": speed}


def main() -> None:
    """Measure the rows that are named, or all."""
    with tempfile.TemporaryDirectory() as temporary:
        for row in sys.argv[1:] or list(ROWS):
            print(f"== {row}", flush=True)
            save("export", {row: ROWS[row](Path(temporary))}, PACKAGES)


if __name__ == "__main__":
    main()
