"""The closed loop on real documents with the base that ships: gap-driven budget against the same budget spent evenly.

    python benchmarks/bench_loop.py --shared ../shared/data

Documents: the Debian handbook, the Debian reference, the developer's reference and the Linux administrator's guide,
which the base has not read, in eight topics. Three rounds, three seeds, real LoRA; the built-in teacher. Writes
benchmarks/results/loop.json: after every round and for each arm the mean F1 of the measured questions of both sets over
all seeds, and the difference of the arms, with intervals for other seeds and other questions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import save

BOOKS = ("debian-handbook", "debian-reference", "developers-reference", "linux-admin-guide")
PACKAGES = ("doceo", "torch", "transformers", "peft", "trl", "scikit-learn", "numpy")


def documents(shared: Path, folder: Path) -> None:
    """Unpack the documents into a folder."""
    folder.mkdir(parents=True)
    for name in BOOKS:
        packed = (shared / "lm" / "debian" / f"{name}.txt.gz").read_bytes()
        (folder / f"{name}.txt").write_bytes(gzip.decompress(packed))


def run(shared: Path, work: Path, given: argparse.Namespace) -> dict[str, object]:
    """Run the loop in a process of its own and return what is kept of it."""
    documents(shared, work / "books")
    numbers = {name: str(getattr(given, name)) for name in ("rounds", "budget", "seeds", "exam", "topics")}
    flags = [part for name, value in numbers.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-m", "doceo", "loop", str(work / "books"), "--control", *flags]
    start = time.perf_counter()
    subprocess.run([*command, "--out", str(work / "loop"), "--json"], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    loop = json.loads((work / "loop" / "loop.json").read_text(encoding="utf-8"))
    kept = (
        "axis",
        "metric",
        "budget",
        "rounds",
        "explore",
        "focus",
        "banked",
        "exam",
        "standings",
        "compared",
        "words",
    )
    return {
        "documents": list(BOOKS),
        **{name: loop[name] for name in kept},
        "base": loop["start"]["means"],
        "series": [_series(series) for series in loop["series"]],
        "wall_s": round(wall),
    }


def _series(series: dict[str, object]) -> dict[str, object]:
    """Return what is kept of one arm and seed: no question's text, no path."""
    kept = ("round", "made", "banked", "pairs", "means", "change", "taught", "leaks", "training")
    rounds = [{name: one[name] for name in kept} | {"unlearned": _counts(one)} for one in series["rounds"]]  # type: ignore[attr-defined]
    return {"arm": series["arm"], "seed": series["seed"], "stopped": series["stopped"], "rounds": rounds}


def _counts(one: dict[str, dict[str, object]]) -> dict[str, object]:
    return {name: one["unlearned"][name] for name in ("lost", "gained", "rise")}


def main() -> None:
    """Run the loop and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=240)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--exam", type=int, default=400)
    parser.add_argument("--topics", type=int, default=8)
    parser.add_argument("--work", type=Path, help="where the loop's folder is kept; left out, nowhere")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        result = run(given.shared, given.work or Path(temporary), given)
    if given.work:
        # Where the work lay is no part of the measurement.
        at = sys.argv.index("--work")
        del sys.argv[at : at + 2]
    save("loop", {"real documents": result}, PACKAGES)
    print("\n".join(map(str, result["words"])))  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
