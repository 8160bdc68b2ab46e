"""What an installation costs: seconds of each step in a fresh environment without pip's cache, and the download.

Writes benchmarks/results/install.json.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "install.json"
TORCH = "torch==2.13.0"
BUILD = "import importlib.metadata; print(importlib.metadata.version('torch'))"
PACKAGES = ("doceo", "generator", "finetune", "rag", "evaluation", "prompts", "data")


def pip(python: Path | str, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[float, float, str]:
    """Run pip; return wall seconds, CPU seconds and what it said."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(python), "-m", "pip", *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, said


def megabytes(folder: Path) -> int:
    """Return the size of a folder's files in MB."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6)


def default_torch() -> int:
    """Return the MB of PyTorch and what it needs, as the public index offers it for this system."""
    plain = {k: v for k, v in os.environ.items() if k not in {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"}}
    plain["PIP_CONFIG_FILE"] = os.devnull
    arguments = ("install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", TORCH)
    report = json.loads(pip(sys.executable, *arguments, environment=plain)[2])
    total = 0
    for item in report["install"]:
        asked = urllib.request.Request(item["download_info"]["url"], method="HEAD")
        with urllib.request.urlopen(asked, timeout=60) as reply:
            total += int(reply.headers["content-length"])
    return round(total / 1e6)


def copy_of_the_program(folder: Path) -> Path:
    """Copy what an installation reads, so that building leaves nothing behind."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    return folder


def main() -> None:
    """Install into a fresh environment step by step, and write what it cost."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = copy_of_the_program(folder / "source")
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        quiet = ("install", "--quiet", "--no-cache-dir")
        steps = {
            "torch": (*quiet, TORCH),
            "packages": (*quiet, "--no-deps", "-r", "requirements.txt"),
            "doceo": (*quiet, "--no-deps", str(source)),
        }
        costs = {name: pip(python, *arguments)[:2] for name, arguments in steps.items()}
        shutil.rmtree(source)
        build = subprocess.run([str(python), "-c", BUILD], check=True, capture_output=True, text=True).stdout.strip()
        pip(sys.executable, "download", "--quiet", "--no-deps", "-r", "requirements.txt", "-d", str(folder / "wheels"))
        result = {
            "date": datetime.now(UTC).date().isoformat(),
            "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "torch": build,
            "load_average": round(os.getloadavg()[0], 1),
            "wall_s": {name: round(wall) for name, (wall, _) in costs.items()},
            "cpu_s": {name: round(cpu) for name, (_, cpu) in costs.items()},
            "packages_mb": megabytes(folder / "wheels"),
            "torch_default_mb": default_torch(),
            "installed_mb": megabytes(folder / "venv"),
        }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
