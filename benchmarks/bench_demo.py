"""What the demo takes and what it scores: three runs with three seeds, the machine otherwise quiet.

Writes benchmarks/results/demo.json: seconds, peak memory, and for every set and system F1, ROUGE-L and chrF with
intervals and the paired difference to `base`. The limits of the design are 180 s and 2 GB.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "demo.json"
METRICS = ("f1", "rougeL", "chrf")
PACKAGES = (
    "doceo",
    "torch",
    "transformers",
    "peft",
    "trl",
    "chromadb",
    "tantivy",
    "onnxruntime",
    "sacrebleu",
    "rouge-score",
)


def run_demo(seed: int, folder: Path) -> dict[str, object]:
    """Run the demo once in a process of its own."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "doceo", "demo", "--out", str(folder), "--seed", str(seed), "--no-open", "--json"]
    said = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "CI": "1"}
    ).stdout
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = json.loads(said.splitlines()[-1])
    stages = {p.parent.name: json.loads(p.read_text())["wall_s"] for p in sorted(folder.glob("*/manifest.json"))}
    return {
        "seed": seed,
        "wall_s": round(wall, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "stages_wall_s": stages,
        "ledger": result["ledger"],
        "scores": [
            {key: score[key] for key in ("set", "system", "metric", "value", "low", "high", "n", "versus")}
            for score in result["scores"]
            if score["metric"] in METRICS
        ],
    }


def main() -> None:
    """Run the demo three times and write what it took."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with tempfile.TemporaryDirectory() as temporary:
        runs = [run_demo(seed, Path(temporary) / f"seed-{seed}") for seed in range(3)]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    RESULT.write_text(
        json.dumps(
            {
                "command": "python benchmarks/bench_demo.py",
                "commit": commit.stdout.strip(),
                "date": datetime.now(UTC).date().isoformat(),
                "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
                "python": platform.python_version(),
                "packages": {name: version(name) for name in PACKAGES},
                "load_average_before": load,
                "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000),
                "runs": runs,
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
    print(
        json.dumps([{key: run[key] for key in ("seed", "wall_s", "cpu_s", "stages_wall_s")} for run in runs], indent=1)
    )


if __name__ == "__main__":
    main()
