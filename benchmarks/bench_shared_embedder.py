"""What it saves that concurrent questions share an embedder: CPU time and waiting time of a question's vector.

    python benchmarks/bench_shared_embedder.py [questions]

The packaged model (int8, every text by itself) and the same weights through sentence-transformers (a batch together),
each as it is and shared, with 1, 4 and 16 threads that ask for different questions of SQuAD one after the other; and
shared with questions that were asked before. CPU milliseconds of the process a question; median and 99th percentile of
a thread's waiting. That the vectors are the same is a test. Writes benchmarks/results/shared_embedder.json.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import record

from doceo.core.protocols import Embedder
from doceo.providers import minilm_files
from doceo.providers.minilm_onnx import MiniLM
from doceo.providers.sentence_embed import SentenceEmbedder
from doceo.providers.shared_embedder import SharedEmbedder

DATA = record.ROOT.parent / "shared" / "data" / "squad" / "squad-v1.1-dev.first24.json.gz"
THREADS = (1, 4, 16)
QUESTIONS = 400


def questions(n: int) -> list[str]:
    """Return n different questions."""
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    asked = [one["question"] for article in articles for part in article["paragraphs"] for one in part["qas"]]
    return list(dict.fromkeys(asked))[:n]


def cost(embedder: Embedder, asked: Sequence[str], threads: int) -> dict[str, float]:
    """Return what one question costs when so many threads ask."""

    def wait(question: str) -> float:
        began = time.perf_counter()
        embedder.embed_queries([question])
        return (time.perf_counter() - began) * 1000

    began = time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        waited = list(pool.map(wait, asked))
    cpu = (time.process_time() - began) * 1000 / len(asked)
    median, worst = np.percentile(waited, [50, 99])
    return {"cpu_ms": round(cpu, 2), "p50_ms": round(float(median), 1), "p99_ms": round(float(worst), 1)}


def measure(plain: Embedder, asked: Sequence[str], *, together: int, at_once: int) -> dict[str, object]:
    """Return the costs of an embedder as it is, shared, and shared with what is kept."""
    plain.embed_queries(asked[:8])
    rows: dict[str, object] = {}
    for threads in THREADS:
        shared = SharedEmbedder(plain, together=together, at_once=at_once)
        rows[f"{threads} threads"] = {
            "as it is": cost(plain, asked, threads),
            "shared": cost(shared, asked, threads),
            "asked before": cost(shared, asked, threads),
        }
    return rows


def main() -> None:
    """Measure, print, and write the results."""
    asked = questions(int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS)
    results = {"packaged, int8": measure(MiniLM(), asked, together=1, at_once=minilm_files.cores())}
    package = find_spec(minilm_files.PACKAGE)
    assert package is not None
    assert package.origin is not None
    folder = str(Path(package.origin).parent / "model")
    results["sentence-transformers"] = measure(SentenceEmbedder(folder, "cpu"), asked, together=32, at_once=1)
    print(json.dumps(results, indent=1))
    record.save("shared_embedder", results, ("onnxruntime", "sentence-transformers", "torch"))


if __name__ == "__main__":
    main()
