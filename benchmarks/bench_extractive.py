"""What the built-in teacher costs: N pairs from 1, 10 and 100 MB of text, chunking and form gates included.

    python benchmarks/bench_extractive.py            # teacher and gates, from chunking on
    python benchmarks/bench_extractive.py --command  # the whole `doceo generate`, reading, topics and dataset included

Each size runs three times, in a process of its own: CPU seconds of that process (and its children) and its peak memory.
The text is real: manuals, encyclopedia articles, speeches, plays; where that is used up, it is taken again with
its names changed, so that no copy repeats the one before. The limits stand in the result beside what was measured:
time may grow as n^1.1, 100 MB may take 1.5 GB, and 1,000 accepted pairs 20 CPU seconds of teacher and gates.

Writes benchmarks/results/extractive.json.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from bench_engine import ran
from record import save

from data.chunking import chunk_document
from doceo.core.config import ChunkConfig, Gate, GateConfig, GenerateConfig
from doceo.core.fingerprint import sha256
from doceo.core.progress import Silent
from doceo.core.records import Document
from doceo.providers.minilm_onnx import MiniLM
from generator.corpus import Corpus, Crew
from generator.difficulty import difficulty_of
from generator.pipeline import generate
from generator.teachers.extractive import ExtractiveTeacher

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "extractive.json"
TEXTS = ROOT.parent / "shared" / "data" / "lm"
SIZES = (1, 10, 100)
GATES: tuple[Gate, ...] = ("form", "exact", "near", "grounding")
PART = 100_000
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}")


def parts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of pieces of about 100 kB of all files, one of each file in turn, again and again."""
    files = [path for path in sorted(folder.rglob("*.gz")) if not {"gutenberg"} & set(path.parts)]
    texts = {path.name: gzip.decompress(path.read_bytes()).decode("utf-8") for path in files}
    turn = 0
    while True:
        for start in range(0, max(map(len, texts.values())), PART):
            for name, text in texts.items():
                if start < len(text):
                    yield f"{turn}/{name}/{start}", changed(text[start : start + PART], turn)
        turn += 1


def changed(text: str, turn: int) -> str:
    """Return a text whose names have an ending of their own in every turn but the first."""
    ending = "".join("aeioukmnrst"[int(digit)] for digit in str(turn))
    return text if turn == 0 else _NAME.sub(lambda match: match.group() + ending, text)


def run(megabytes: int, n: int) -> dict[str, float]:
    """Read, chunk and generate in this process; return what it took."""
    tokens, documents, chunks, size = MiniLM(1), [], [], 0
    for name, text in parts(TEXTS):
        if size >= megabytes * 1_000_000:
            break
        text = text[: megabytes * 1_000_000 - size]
        size += len(text)
        documents.append(
            Document(
                id=Document.identify(text), source=name, media_type="text/plain", title=name, text=text,
                sha256=sha256(text),
            )
        )  # fmt: skip
        chunks.append(chunk_document(documents[-1], tokens, ChunkConfig()))
    before = time.process_time()
    teacher = ExtractiveTeacher(list(zip(documents, chunks, strict=True)))
    corpus = Corpus(documents, [chunk for some in chunks for chunk in some], frozenset())
    config = GenerateConfig(pairs=n, taught_share=0, topics=0, gates=GATES)
    crew = Crew(teacher, difficulty_of)
    made = asyncio.run(generate(corpus, crew, config, GateConfig(), Silent(), gates=GATES))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "chunks": len(corpus.chunks),
        "accepted": len(made.pairs),
        "cpu_s": round(time.process_time(), 2),
        "teacher_and_gates_cpu_s": round(time.process_time() - before, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


def measured(megabytes: int, n: int, times: int) -> dict[str, object]:
    """Run one size several times, each in a process of its own; return medians and all runs."""
    command = [sys.executable, str(Path(__file__).resolve()), "--child", str(megabytes), "--pairs", str(n)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runs = []
    for _ in range(times):
        said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        runs.append(json.loads(said.splitlines()[-1]))
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    per_1000 = round(1000 * middle["teacher_and_gates_cpu_s"] / max(1, middle["accepted"]), 2)
    return {"megabytes": megabytes, **middle, "cpu_s_per_1000": per_1000, "runs": runs}


def commanded(megabytes: int, n: int, times: int) -> dict[str, object]:
    """Run `doceo generate` over a folder of text files, as a user runs it; return medians and all runs."""
    runs = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            write_texts(Path(folder) / "texts", megabytes)
            command = [sys.executable, "-m", "doceo", "generate", "texts", "--out", f"{folder}/run", "--pairs", str(n)]
            took = ran(command, Path(folder))
            assert took.code in (0, 3), took.output
            ledger = json.loads((Path(folder) / "run" / "3-pairs" / "ledger.json").read_text())
        runs.append(
            {"accepted": ledger["accepted"], "wall_s": round(took.wall, 1), "cpu_s": round(took.cpu, 1),
             "peak_mb": round(took.memory)}
        )  # fmt: skip
        print(megabytes, runs[-1], flush=True)
    return {
        "megabytes": megabytes,
        **{key: statistics.median(run[key] for run in runs) for key in runs[0]},
        "runs": runs,
    }


def write_texts(folder: Path, megabytes: int) -> None:
    """Write files of about 100 kB each, together as large as wanted."""
    folder.mkdir()
    size = 0
    for number, (_, text) in enumerate(parts(TEXTS)):
        if size >= megabytes * 1_000_000:
            return
        text = text[: megabytes * 1_000_000 - size]
        size += len(text)
        (folder / f"{number:05}.txt").write_text(text, encoding="utf-8")


def growth(rows: Sequence[Mapping[str, object]]) -> list[float]:
    """Return the exponents by which CPU time grows from each size to the next."""
    return [
        round(math.log(float(str(b["cpu_s"])) / float(str(a["cpu_s"]))) / math.log(SIZES[i + 1] / SIZES[i]), 3)
        for i, (a, b) in enumerate(pairwise(rows))
    ]


def main() -> None:
    """Measure every size and write the result; with --child, run one size here and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", type=int)
    parser.add_argument("--command", action="store_true")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(run(options.child, options.pairs)))
        return
    if options.command:
        os.environ["PYTHONPATH"] = str(ROOT)
        rows = [commanded(size, options.pairs, options.times) for size in SIZES]
        limits = {"growth_exponent": 1.1, "peak_mb_at_100": 1536}
        found = {"pairs": options.pairs, "sizes": rows, "growth_exponents": growth(rows), "limits": limits}
        save("extractive_command", {"generate": found}, ("doceo", "scikit-learn", "onnxruntime"))
        return
    rows = [measured(size, options.pairs, options.times) for size in SIZES]
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 1),
        "pairs": options.pairs,
        "gates": ",".join(GATES),
        "sizes": rows,
        "growth_exponents": growth(rows),
        "limits": {"growth_exponent": 1.1, "peak_mb_at_100": 1536, "cpu_s_per_1000": 20},
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
