"""What finding repeats costs: vectors that are nearly the same among 10,000 and 100,000, and the checks of a question.

The vectors are those of real texts by the packaged MiniLM: questions that people wrote (SQuAD 1.1 and 2.0, MedQuAD,
Natural Questions, GSM8K and a COVID FAQ, of ../shared/data), then sentences of manuals and books, and a fifth of
them a second time with one small edit (a word left out, doubled or swapped, a letter dropped, another opening or end).
The peers run beside it: comparing all with all by blocks in numpy, which is exact, and faiss's HNSW where installed.
Writes benchmarks/results/dedupe.json. Every run is a process of its own with one thread; CPU is its user and system
time over the search alone. DOCEO_BENCH_CACHE names a folder that keeps the vectors for the next run.
"""

from __future__ import annotations

import csv
import gzip
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
RESULT = ROOT / "benchmarks" / "results" / "dedupe.json"
SIZES = (10_000, 100_000)
THRESHOLD = 0.9
REPETITIONS = 3
EDITED = 0.2
Found = tuple[NDArray[np.intp], NDArray[np.intp]]


def rows_of(path: Path) -> Iterator[Any]:
    """Yield the JSON rows of a file, packed or not."""
    content = path.read_bytes()
    for line in (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8").splitlines():
        yield json.loads(line)


def questions() -> Iterator[str]:
    """Yield the questions of the shared data."""
    for name in ("squad-v1.1-dev.first24", "squad-v2.0-dev.first24"):
        for article in next(rows_of(DATA / "squad" / f"{name}.json.gz"))["data"]:
            for paragraph in article["paragraphs"]:
                yield from (row["question"] for row in paragraph["qas"])
    for path in [*sorted(DATA.glob("faq/*.jsonl.gz")), DATA / "docqa" / "NQ-open.dev.jsonl"]:
        yield from (row["question"] for row in rows_of(path))
    yield from (row["question"] for row in rows_of(DATA / "sft" / "gsm8k_train.jsonl.gz"))
    with (DATA / "faq" / "covid_faq_2020.csv").open(encoding="utf-8") as file:
        yield from (row["question"] for row in csv.DictReader(file))


def sentences() -> Iterator[str]:
    """Yield sentences of the shared manuals and books."""
    from doceo.text.sentences import sentence_spans

    for path in sorted(DATA.glob("lm/**/*.txt.gz")):
        text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
        yield from (" ".join(text[start:end].split()) for start, end in sentence_spans(text))


def edited(text: str, chance: random.Random) -> str:
    """Return a text with one small edit."""
    words = text.split()
    at = chance.randrange(len(words))
    edits: tuple[Callable[[], list[str]], ...] = (
        lambda: words[:at] + words[at + 1 :],
        lambda: words[: at + 1] + words[at:],
        lambda: [*words[:at], *reversed(words[at : at + 2]), *words[at + 2 :]],
        lambda: [*words[:at], words[at][1:], *words[at + 1 :]],
        lambda: ["So,", *words],
        lambda: [*words, "exactly?"],
    )
    return " ".join(chance.choice(edits)())


def texts(n: int) -> list[str]:
    """Return n texts: real ones, a fifth of them edited a second time, shuffled."""
    chance, seen = random.Random(0), dict[str, None]()
    for source in (questions(), sentences()):
        seen.update(dict.fromkeys(text.strip() for text in source if 20 <= len(text.strip()) <= 250))
    plain = list(seen)[: n - int(n * EDITED)]
    if len(plain) < n - int(n * EDITED):
        raise SystemExit(f"only {len(plain)} texts")
    found = plain + [edited(text, chance) for text in chance.sample(plain, int(n * EDITED))]
    chance.shuffle(found)
    return found


def embed(n: int, path: Path) -> int:
    """Write n vectors, and return their number."""
    from doceo.providers.embedders import open_embedder

    vectors = open_embedder().embed(texts(n))
    np.save(path, vectors)
    return len(vectors)


def exact(vectors: NDArray[np.float32]) -> Found:
    """Compare all with all, by blocks."""
    found = []
    for start in range(0, len(vectors), 256):
        rows, columns = np.nonzero(vectors[start : start + 256] @ vectors[start:].T >= THRESHOLD)
        later = columns > rows
        found.append((rows[later] + start, columns[later] + start))
    return np.concatenate([rows for rows, _ in found]), np.concatenate([columns for _, columns in found])


def ours(vectors: NDArray[np.float32]) -> Found:
    """Search with generator.semantic."""
    from generator.semantic import similar_pairs

    return similar_pairs(vectors, THRESHOLD)[:2]


def growing(vectors: NDArray[np.float32]) -> Found:
    """Search one vector at a time among those before it, as a generation does."""
    from generator.semantic import VectorIndex

    index, found = VectorIndex(THRESHOLD), []
    for place in range(len(vectors)):
        vector = vectors[place : place + 1]
        found += [(number, place) for number, _ in index.query(vector)[0]]
        index.add(vector)
    pairs = np.array(found, dtype=np.intp).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def hnsw(vectors: NDArray[np.float32]) -> Found:
    """Search with faiss's HNSW (M 16, 8 neighbours)."""
    import faiss  # type: ignore[import-not-found]

    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(vectors.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.add(vectors)
    cosines, neighbours = index.search(vectors, 8)
    rows, columns = np.nonzero(cosines >= THRESHOLD)
    others = neighbours[rows, columns]
    pairs = np.unique(np.sort(np.column_stack((rows, others))[rows != others], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def gates(n: int, way: str) -> float:
    """Return the CPU milliseconds a question of checking and remembering it, without vectors."""
    from doceo.core.records import Pair
    from generator.dedupe import Repeats

    asked = [
        Pair(id=f"p_{i}", question=text, answer=f"{i}", chunk_ids=("c",), teacher="t")
        for i, text in enumerate(texts(n))
    ]  # fmt: skip
    before = time.process_time()
    if way == "ours":
        known = Repeats()
        for pair in asked:
            if known.verdict(pair) is None:
                known.add(pair)
    else:
        from datasketch import MinHash, MinHashLSH

        index = MinHashLSH(threshold=0.7, num_perm=64)
        for pair in asked:
            words = pair.question.lower().split()
            sketch = MinHash(num_perm=64, seed=1)
            sketch.update_batch([" ".join(words[i : i + 2]).encode() for i in range(max(1, len(words) - 1))])
            if not index.query(sketch):
                index.insert(pair.id, sketch)
    return (time.process_time() - before) / n * 1000


WAYS: dict[str, Callable[[NDArray[np.float32]], Found]] = {
    "ours": ours,
    "numpy": exact,
    "growing": growing,
    "faiss-hnsw": hnsw,
}


def one(way: str, vectors: Path, pairs: Path) -> dict[str, float]:
    """Run one search in this process: CPU and wall seconds, peak memory in MB with and before it, pairs found."""
    loaded = np.load(vectors)
    WAYS[way](loaded[:2000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, wall = time.process_time(), time.perf_counter()
    first, second = WAYS[way](loaded)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    np.save(pairs, first * len(loaded) + second)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scale = 1024 if sys.platform != "darwin" else 1024**2
    return {
        "cpu_s": round(cpu, 3), "wall_s": round(wall, 3), "peak_mb": round(peak / scale),
        "before_mb": round(before / scale), "pairs": len(first),
    }  # fmt: skip


def child(*arguments: str) -> Any:  # noqa: ANN401 - JSON
    """Run this file in a process of its own with one thread, and return what it says."""
    threads = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, __file__, *arguments]
    said = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **threads, "PYTHONPATH": path}
    )
    return json.loads(said.stdout)


def search(n: int, folder: Path) -> dict[str, Any]:
    """Measure every way on n vectors."""
    vectors = folder / f"{n}.npy"
    if not vectors.exists():
        child("embed", str(n), str(vectors))
    result: dict[str, Any] = {}
    wanted: NDArray[np.intp] | None = None
    for way in ("numpy", "ours", "growing", "faiss-hnsw"):
        if way == "faiss-hnsw" and importlib.util.find_spec("faiss") is None:
            continue
        if way == "growing" and n > SIZES[0]:
            continue
        times = REPETITIONS if n <= SIZES[0] or way == "ours" else 1
        runs = [child("one", way, str(vectors), str(folder / "pairs.npy")) for _ in range(times)]
        pairs = np.load(folder / "pairs.npy")
        wanted = pairs if wanted is None else wanted
        found, all_found = (np.unique(np.concatenate((p // n, p % n))) for p in (pairs, wanted))
        result[way] = {
            "runs": runs,
            "pairs_found_share": round(len(np.intersect1d(pairs, wanted)) / len(wanted), 6),
            "texts_found_share": round(len(np.intersect1d(found, all_found)) / len(all_found), 6),
        }
    middle = {way: float(np.median([run["cpu_s"] for run in result[way]["runs"]])) for way in ("numpy", "ours")}
    result["cpu_to_numpy"] = round(middle["ours"] / middle["numpy"], 3)
    return result


def main() -> None:
    """Measure, and write the result."""
    cache = os.environ.get("DOCEO_BENCH_CACHE")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(cache or temporary)
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
        packages = ("numpy", "datasketch", "faiss-cpu", "onnxruntime")
        installed = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
        result = {
            "command": "python benchmarks/bench_dedupe.py",
            "commit": commit,
            "date": datetime.now(UTC).date().isoformat(),
            "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "packages": {name: installed[name] for name in packages if name in installed},
            "load_average": round(os.getloadavg()[0], 1),
            "threshold": THRESHOLD,
            "vectors": {str(n): search(n, folder) for n in SIZES},
            "question_cpu_ms": {
                way: [round(child("gates", way, "20000"), 4) for _ in range(REPETITIONS)] for way in ("ours", "minhash")
            },
        }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))))
    elif sys.argv[1:2] == ["embed"]:
        print(json.dumps(embed(int(sys.argv[2]), Path(sys.argv[3]))))
    elif sys.argv[1:2] == ["gates"]:
        print(json.dumps(gates(int(sys.argv[3]), sys.argv[2])))
    else:
        main()
