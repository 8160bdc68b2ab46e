"""How a measurement is kept: what was run, when, on what, with every repetition."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def commit() -> str:
    """Return the commit that was measured, with a plus where files differ from it."""
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout
    return head.strip() + ("+" if changed.strip() else "")


def circumstances(packages: Sequence[str]) -> dict[str, object]:
    """Return command, commit, date, machine and versions of a measurement that is made now."""
    return {
        "command": " ".join(["python", *sys.argv]).replace(f"{(ROOT.parent / 'shared').resolve()}", "../shared"),
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_average": round(os.getloadavg()[0], 1),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def save(name: str, rows: Mapping[str, object], packages: Sequence[str]) -> None:
    """Put rows into benchmarks/results/NAME.json beside the rows that stand there, each with its own date."""
    path = RESULTS / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for row, value in rows.items():
        kept[row] = {"measured": circumstances(packages), "result": value}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
