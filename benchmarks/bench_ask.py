"""What one `doceo ask` costs from nothing: CPU seconds, seconds and peak memory of the whole process.

    python benchmarks/bench_ask.py [repetitions]

The quote answerer over a collection of 1,000 passages made from paragraphs of SQuAD; the packaged embedder's graph is
in its cache, as after the first `doceo index`. Every repetition is a process of its own. Writes
benchmarks/results/ask.json.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import record

from data.chunking import chunk_document
from doceo.core.config import ChunkConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import Document
from doceo.providers.embedders import open_embedder
from rag.indexing import update

DATA = record.ROOT.parent / "shared" / "data" / "squad" / "squad-v1.1-dev.first24.json.gz"
PASSAGES = 1000
QUESTION = "When did the 1973 oil crisis begin?"
BARS = {"cpu_s": 2.5, "peak_mb": 450}
REPETITIONS = 5


def collection(home: Path) -> None:
    """Make the collection `default` of 1,000 passages."""
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    embedder = open_embedder()
    documents, chunks = [], []
    for article in articles:
        text = "\n\n".join(paragraph["context"] for paragraph in article["paragraphs"])
        title = article["title"].replace("_", " ")
        document = Document(
            id=Document.identify(text), source=f"squad/{title}.txt", media_type="text/plain", title=title, text=text,
            sha256=sha256(text),
        )  # fmt: skip
        documents.append(document)
        chunks += chunk_document(document, embedder, ChunkConfig())
    kept = chunks[:PASSAGES]
    ids = {chunk.document_id for chunk in kept}
    update(
        home / "runs" / ".collections" / "default",
        [document for document in documents if document.id in ids],
        kept,
        embedder,
    )


def ask(home: Path) -> dict[str, float]:
    """Ask once in a process of its own, and return what it cost."""
    command = [sys.executable, "-m", "doceo", "ask", QUESTION, "--json"]
    environment = os.environ | {"PYTHONPATH": str(record.ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=home, env=environment, stdout=out, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said.seek(0)
        if child.returncode != 0:
            raise SystemExit(said.read())
        answer = json.loads(out.read())
        assert not answer["refused"], answer
        return {"cpu_s": used.ru_utime + used.ru_stime, "seconds": seconds, "peak_mb": peak_mb(used)}


def peak_mb(used: resource.struct_rusage) -> float:
    """Return the peak memory of a process that ended, in MB; the unit that the system counts in differs."""
    return used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    """Measure, print, and write the result."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else REPETITIONS
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        collection(home)
        ask(home)  # files into the system's cache
        runs = [ask(home) for _ in range(repetitions)]
    median = {name: round(statistics.median(run[name] for run in runs), 2) for name in runs[0]}
    result = {
        "passages": PASSAGES, "median": median, "bars": BARS,
        "runs": [{name: round(value, 2) for name, value in run.items()} for run in runs],
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    record.save("ask", {"quote answerer": result}, ("chromadb", "tantivy", "onnxruntime", "pydantic", "typer"))


if __name__ == "__main__":
    main()
