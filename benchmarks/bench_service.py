"""What the service costs over the model behind it, and how it stands many clients.

    python benchmarks/bench_service.py [cpu] [first] [soak] [overload] [--repetitions N] [--minutes M]

A collection of 1,228 passages of SQuAD; the model's server is `fake_stream.py` (20 tokens in 200 ms), in a process of
its own; the clients are in this one. `cpu`: processor time of the server for a RAG answer with 256 streaming clients,
behind 500 answers that are not counted, with the packaged embedder and with the same weights through torch. `first`:
what the service adds to the time to the first token, one client after the other asked directly. `soak`: 256 clients for
minutes, errors and memory. `overload`: four times as many clients as are answered at once. Writes
benchmarks/results/service.json, each repetition in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil
import record
from bench_ask import DATA
from chat_load import Seen, load
from squad import articles

from data.chunking import chunk_document
from doceo.core.config import ChunkConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import Document
from doceo.providers import minilm_files
from doceo.providers.embedders import DEFAULT, open_embedder
from rag.indexing import update

PASSAGES, CLIENTS, WARM = 1228, 256, 500
BARS = {"cpu_ms": 7.5, "against_torch": 0.5, "added_first_p50_ms": 20, "memory_growth": 0.05, "refused_ms": 50}
HERE = Path(__file__).resolve().parent
PACKAGES = ("openai", "fastapi", "uvicorn", "aiohttp", "onnxruntime", "torch", "sentence-transformers")


def collection(home: Path, embedder_name: str) -> list[str]:
    """Make the collection `default` of 1,228 passages and return questions about them."""
    embedder = open_embedder(embedder_name)
    documents, chunks, questions = list[Document](), [], []
    for path in (DATA, DATA.with_name("squad-v2.0-dev.first24.json.gz")):
        for title, paragraphs in articles(path):
            text = "\n\n".join(context for context, _ in paragraphs)
            document = Document(
                id=Document.identify(text), source=f"{path.name[:10]}/{title}.txt", media_type="text/plain",
                title=title, text=text, sha256=sha256(text),
            )  # fmt: skip
            if document.id in {known.id for known in documents}:
                continue
            documents.append(document)
            chunks += chunk_document(document, embedder, ChunkConfig())
            questions += [question for _, asked in paragraphs for question, golds in asked if golds]
    kept = chunks[:PASSAGES]
    ids = {chunk.document_id for chunk in kept}
    place = home / "runs" / ".collections" / "default"
    update(place, [one for one in documents if one.id in ids], kept, embedder, roots=["squad-v1.1", "squad-v2.0"])
    return questions


@contextmanager
def backend() -> Iterator[str]:
    """Run the model's server; yields its address."""
    child = subprocess.Popen([sys.executable, str(HERE / "fake_stream.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield f"http://127.0.0.1:{int(child.stdout.readline())}/v1"
    finally:
        child.kill()
        child.wait()


@contextmanager
def service(home: Path, behind: str, *options: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run `doceo serve`; yields its address and its process."""
    command = [sys.executable, "-m", "doceo", "serve", "--model", "openai:fake", "--base-url", behind, "--port", "0"]
    # every answer is to be made: with 0 no question is refused before the model is asked
    command += ["--refuse-below", "0", "--max-chats", str(CLIENTS), *options]
    env = {**os.environ, "PYTHONPATH": str(record.ROOT), "OMP_NUM_THREADS": "1"}
    log = home / "serve.log"
    with log.open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=out, cwd=home, env=env)
    try:
        while (found := re.search(r"http://[\d.:]+/v1", log.read_text().partition("Serving")[2])) is None:
            assert child.poll() is None, log.read_text()
            time.sleep(0.05)
        yield found.group(), psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(60)


def seconds_of(process: psutil.Process) -> float:
    """Return the processor time of a process."""
    times = process.cpu_times()
    return float(times.user + times.system)


def asked(address: str, questions: list[str], **how: object) -> Seen:
    """Have a service asked."""
    return asyncio.run(load(address, "openai:fake", questions, **how))  # type: ignore[arg-type]


def cpu(home: Path, behind: str, questions: list[str], requests: int, *options: str) -> dict[str, object]:
    """Return the processor time of one answer, with 256 clients."""
    with service(home, behind, *options) as (address, process):
        asked(address, questions, clients=CLIENTS, requests=WARM)
        before = seconds_of(process)
        began = time.perf_counter()
        seen = asked(address, questions[WARM:], clients=CLIENTS, requests=requests)
        spent, took = seconds_of(process) - before, time.perf_counter() - began
        assert not seen.errors, seen.errors[:3]
        figures = {"cpu_ms": round(1000 * spent / requests, 2), "per_s": round(requests / took, 1)}
        return figures | seen.figures()


def first(home: Path, behind: str, questions: list[str], requests: int) -> dict[str, object]:
    """Return the time to the first token, directly and through the service, one client."""
    with service(home, behind) as (address, _):
        asked(address, questions, clients=1, requests=20)
        direct = asked(behind, questions, clients=1, requests=requests)
        through = asked(address, questions[20:], clients=1, requests=requests)
    added = statistics.median(through.first) - statistics.median(direct.first)
    return {"added_p50_ms": round(1000 * added, 2), "direct": direct.figures(), "through": through.figures()}


def soak(home: Path, behind: str, questions: list[str], minutes: float) -> dict[str, object]:
    """Return errors and the growth of memory under 256 clients: its end against its first fifth."""
    with service(home, behind) as (address, process):
        asked(address, questions, clients=CLIENTS, requests=1000)
        before = process.memory_info().rss
        samples = [before]

        async def run() -> Seen:
            async def sample() -> None:
                while True:
                    await asyncio.sleep(5)
                    samples.append(process.memory_info().rss)

            task = asyncio.create_task(sample())
            try:
                return await load(address, "openai:fake", questions, clients=CLIENTS, seconds=60 * minutes)
            finally:
                task.cancel()

        seen = asyncio.run(run())
        samples.append(process.memory_info().rss)
    fifth = max(samples[: max(1, len(samples) // 5)])
    growth = samples[-1] / fifth - 1
    return {"minutes": minutes, "growth": round(growth, 4), "mb": [n >> 20 for n in samples]} | seen.figures()


def overload(home: Path, behind: str, questions: list[str], seconds: float, most: int) -> dict[str, object]:
    """Return what clients see where four times as many ask as are answered at once, against one client alone."""
    with service(home, behind, "--max-chats", str(most)) as (address, _):
        asked(address, questions, clients=4, requests=40)
        alone = asked(address, questions[40:], clients=1, requests=60)
        many = asked(address, questions[100:], clients=4 * most, seconds=seconds, again=1.0)
    figures = many.figures()
    ratio = float(str(figures["whole_p99_ms"])) / float(str(alone.figures()["whole_p99_ms"]))
    return {"answered_at_once": most, "p99_ratio": round(ratio, 2), "alone": alone.figures(), "overloaded": figures}


def main() -> None:
    """Measure what is named, print, and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=["cpu", "first", "soak", "overload"])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--at-once", type=int, default=32)
    options = parser.parse_args()
    rows: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder, backend() as behind:
        home = Path(folder) / "packaged"
        questions = collection(home, DEFAULT)
        rows |= measured(options, home, behind, questions, Path(folder))
    print(json.dumps(rows, indent=1))
    record.save("service", rows, PACKAGES)


def measured(
    options: argparse.Namespace, home: Path, behind: str, questions: list[str], folder: Path
) -> dict[str, object]:
    """Return the rows of what is named."""
    rows: dict[str, object] = {"bars": BARS}
    many = range(options.repetitions)
    if "cpu" in options.what:
        spec = find_spec(minilm_files.PACKAGE)
        assert spec is not None
        assert spec.origin is not None
        weights = str(Path(spec.origin).parent / "model")
        collection(folder / "torch", weights)
        rows["cpu, packaged"] = [cpu(home, behind, questions, options.requests) for _ in many]
        torch = [cpu(folder / "torch", behind, questions, options.requests, "--embedder", weights) for _ in many]
        rows["cpu, torch"] = torch
    if "first" in options.what:
        rows["first"] = [first(home, behind, questions, 200) for _ in many]
    if "soak" in options.what:
        rows["soak"] = soak(home, behind, questions, options.minutes)
    if "overload" in options.what:
        rows["overload"] = [overload(home, behind, questions, 20, options.at_once) for _ in many]
    return rows


if __name__ == "__main__":
    main()
