"""What cutting text into chunks costs: CPU seconds a megabyte, and a single line of 50 MB.

    python benchmarks/bench_chunks.py [docs lm "de and zh" ...]

Every measurement is a process of its own that chunks what it is given once (blocks, tokenization, records), after the
tokenizer is loaded; CPU time is that of the whole process, all threads. Also boilerplate and private data, on the same
text. Writes benchmarks/results/chunks.json. Limits of the design: at least 1 MB of text a CPU second; the memory that
chunking 50 MB adds is that of the chunks.
"""

from __future__ import annotations

import gzip
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from record import ROOT, save

from data.boilerplate import boilerplate
from data.chunking import chunk_document
from data.loaders import Unreadable, loader_of
from data.private import find
from doceo.core.config import ChunkConfig
from doceo.core.records import Chunk, Document
from doceo.providers.minilm_onnx import MiniLM

DATA = ROOT.parent / "shared" / "data"
REPETITIONS = 5
LINE = 50_000_000
PACKAGES = ("tokenizers", "numpy", "pydantic", "phonenumbers", "python-stdnum", "detect-secrets")


def document(name: str, text: str) -> Document:
    """Return a document with this text."""
    return Document(id=Document.identify(text), source=name, media_type="text/plain", title=name, text=text, sha256="")


def docs() -> list[Document]:
    """Return the real documents in many formats, as far as there is a loader for them."""
    found = []
    for path in sorted((DATA / "docs").rglob("*.*")):
        with suppress(Unreadable):
            found.append(document(path.name, loader_of(path.suffix)(path.read_bytes(), 1 << 26).text))
    return found


def language_model_texts() -> list[Document]:
    """Return the manuals and books."""
    paths = sorted((DATA / "lm").rglob("*.txt.gz"))
    return [document(path.name, gzip.decompress(path.read_bytes()).decode()) for path in paths]


def languages() -> list[Document]:
    """Return paragraphs in German and Chinese."""
    found = []
    for name in ("de", "zh"):
        read = json.loads(gzip.decompress((DATA / "squad" / f"xquad.{name}.json.gz").read_bytes()))
        texts = [paragraph["context"] for article in read["data"] for paragraph in article["paragraphs"]]
        found.append(document(name, "\n\n".join(texts)))
    return found


def one_line(unit: str) -> list[Document]:
    """Return one document of one line."""
    return [document("line", (unit * (LINE // len(unit) + 1))[:LINE])]


SETS: dict[str, Callable[[], list[Document]]] = {
    "docs": docs,
    "lm": language_model_texts,
    "de and zh": languages,
    "50 MB line of sentences": lambda: one_line(
        "The pump of the mill number seven was repaired in the autumn of 1874. "
    ),
    "50 MB line of words": lambda: one_line("pump mill number seven wheel repaired autumn harbour "),
    "50 MB line without a blank": lambda: one_line("QUJD8xk1"),
}


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(name: str) -> dict[str, object]:
    """Chunk one set in this process."""
    documents, tokens = SETS[name](), MiniLM()
    tokens.counts(["open the tokenizer"])
    megabytes = sum(len(one.text.encode()) for one in documents) / 1e6
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    chunks: list[Chunk] = []
    wall = time.perf_counter()
    cpu = cpu_seconds(lambda: chunks.extend(c for one in documents for c in chunk_document(one, tokens, ChunkConfig())))
    wall = time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row: dict[str, object] = {
        "text_mb": round(megabytes, 1),
        "chunks": len(chunks),
        "most_tokens": max(found.tokens for found in chunks),
        "cpu_s": round(cpu, 2),
        "wall_s": round(wall, 2),
        "mb_per_cpu_s": round(megabytes / cpu, 2),
        "rss_before_mb": round(before / 1000),
        "rss_peak_mb": round(peak / 1000),
    }
    if name in ("docs", "lm"):
        cpu = cpu_seconds(lambda: boilerplate(documents, chunks))
        row["boilerplate_mb_per_cpu_s"] = round(megabytes / cpu, 1)
        cpu = cpu_seconds(lambda: [find(one.text) for one in documents])
        row["private_mb_per_cpu_s"] = round(megabytes / cpu, 1)
    return row


def main() -> None:
    """Measure every set, each repetition in a process of its own."""
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(measure(sys.argv[2])))
        return
    for name in sys.argv[1:] or SETS:
        runs = []
        for _ in range(REPETITIONS if not name.startswith("50 MB") else 1):
            said = subprocess.run(
                [sys.executable, __file__, "--here", name], check=True, capture_output=True, text=True, cwd=ROOT
            )
            runs.append(json.loads(said.stdout.splitlines()[-1]))
            print(name, runs[-1], flush=True)
        row = {"median_mb_per_cpu_s": statistics.median(run["mb_per_cpu_s"] for run in runs), "runs": runs}
        save("chunks", {name: row}, PACKAGES)


if __name__ == "__main__":
    main()
