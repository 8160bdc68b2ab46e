"""What the small base model that ships can do: how well it predicts text, reads a passage, and how fast it writes.

Run: python benchmarks/bench_base_model.py [FOLDER] [text] [reading] [speed], the folder left out for the model that
ships. `text` gives bits per byte beside those of `xz -9e` and `bz2 -9` for the same bytes. `reading` asks SQuAD
questions over their paragraph, of articles that no training row is from: the base as it is, and tuned for one pass on
the questions of other articles. Needs ../shared/data for it. A rule reader's figures stand in short_answers.json.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from record import ROOT, save

sys.path.insert(0, str(ROOT))
from data.jsonl import write_jsonl
from doceo.core.config import FinetuneConfig
from doceo.core.progress import Silent
from doceo.core.records import ChatRequest, Example, Message
from doceo.providers.hf_models import open_model
from doceo.providers.local_hf import LocalModel
from doceo.providers.shipped_model import shipped_folder
from doceo.text.passages import ask_with_passages
from evaluation.metrics.squad import F1, ExactMatch
from finetune.lora import finetune

PACKAGES = ("torch", "transformers", "peft", "trl")
SQUAD = ROOT.parent / "shared" / "data" / "squad" / "squad-v1.1-dev.first24.json.gz"
TRAINED, ASKED, ANSWER, TOKENS, REPETITIONS = 2000, 400, 32, 128, 3
TEXTS = {
    "the handbook of Doceo (Markdown)": sorted((ROOT / "data" / "sample" / "handbook").glob("*.md")),
    "the general text (novels, speeches, SQLite)": [ROOT / "finetune" / "general.txt"],
}


def text(folder: Path) -> dict[str, object]:
    """Bits per byte of texts that ship; the novels are not of the kind that was trained on."""
    model, tokenizer, context = open_model(str(folder), dtype=torch.float32)
    found = {}
    for name, files in TEXTS.items():
        content = "\n\n".join(file.read_text(encoding="utf-8") for file in files)
        size = len(content.encode())
        ids = tokenizer(content, add_special_tokens=False, verbose=False)["input_ids"]
        nats = 0.0
        for at in range(0, len(ids), context - 1):
            row = torch.tensor([[tokenizer.eos_token_id, *ids[at : at + context - 1]]])
            with torch.inference_mode():
                nats += float(model(input_ids=row, labels=row).loss) * (row.shape[1] - 1)
        found[name] = {
            "bytes": size,
            "bits_per_byte": round(nats / size / math.log(2), 3),
            "xz": round(8 * len(lzma.compress(content.encode(), preset=9 | lzma.PRESET_EXTREME)) / size, 3),
            "bz2": round(8 * len(bz2.compress(content.encode(), 9)) / size, 3),
        }
    return found


def reading(folder: Path) -> dict[str, object]:
    """SQuAD F1 and EM with the gold paragraph given, on articles that were not trained on."""
    articles = json.loads(gzip.decompress(SQUAD.read_bytes()))["data"]
    train, test = _questions(articles[:12]), _questions(articles[12:])
    base = LocalModel(folder)
    fitting = [one for one in test if base.count_tokens(one[0]) + ANSWER <= base.context]
    left_out, test = len(test) - len(fitting), random.Random(1).sample(fitting, ASKED)
    train = random.Random(0).sample(train, TRAINED)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        rows = [
            Example(id=str(n), style="open", messages=(*asked, Message(role="assistant", content=f"{answers[0]} [1]")))
            for n, (asked, answers) in enumerate(train)
        ]
        write_jsonl(place / "rows.jsonl", rows)
        adapter = place / "adapter"
        adapter.mkdir()
        began = time.perf_counter()
        config = FinetuneConfig(epochs=1.0, holdout_share=0.02)
        finetune(place / "rows.jsonl", None, str(folder), config, adapter, Silent(), holdout=0.02)
        seconds = time.perf_counter() - began
        models = {"base": base, "tuned": base.with_adapter(adapter, "tuned")}
        scores = {name: _score(model, test) for name, model in models.items()}
    return {"trained_on": len(train), "asked": len(test), "too_long": left_out, "tuning_s": round(seconds, 1), **scores}


def speed(folder: Path) -> dict[str, object]:
    """Tokens a second of one stream through transformers."""
    model = LocalModel(folder)
    rates = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        reply = model.complete(
            ChatRequest(messages=(Message(role="user", content="What is an index?"),), max_tokens=TOKENS)
        )
        rates.append(round(reply.usage.completion_tokens / (time.perf_counter() - began), 1))
    return {"tokens_a_second": rates, "median": statistics.median(rates)}


def _questions(articles: list[dict[str, object]]) -> list[tuple[tuple[Message, ...], list[str]]]:
    return [
        (ask_with_passages(asked["question"], [("", paragraph["context"])]), [a["text"] for a in asked["answers"]])
        for article in articles
        for paragraph in article["paragraphs"]  # type: ignore[attr-defined]
        for asked in paragraph["qas"]
    ]


def _score(model: LocalModel, asked: list[tuple[tuple[Message, ...], list[str]]]) -> dict[str, float]:
    replies = model.complete_many([ChatRequest(messages=messages, max_tokens=ANSWER) for messages, _ in asked])
    found = {}
    for metric in (F1(), ExactMatch()):
        values = [
            metric.compare(reply.text.replace("[1]", "").strip(), answers)[0]
            for reply, (_, answers) in zip(replies, asked, strict=True)
        ]
        found[metric.name] = round(float(statistics.mean(values)), 1)
    return found


def main() -> None:
    """Measure what was named, or everything."""
    parts = {"text": text, "reading": reading, "speed": speed}
    named = [name for name in sys.argv[1:] if name not in parts]
    folder = Path(named[0]) if named else shipped_folder()
    for name in [name for name in parts if name in sys.argv[1:]] or list(parts):
        result = parts[name](folder)
        print(name, json.dumps(result))
        save("base_model", {name: result}, PACKAGES)


if __name__ == "__main__":
    main()
