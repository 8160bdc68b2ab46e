"""Write `requirements.txt` and `requirements-dev.txt`: exact versions for Linux, macOS and Windows.

The versions are chosen together with those of every optional extra and of the development tools, so that an extra
can be added later without changing what is installed. torch is installed in a step of its own, which also brings
what its build for the machine needs (CUDA libraries on Linux); those packages are left out here.

`make lock` keeps the versions that are there and adds or drops what pyproject.toml asks for;
`make lock ARGS=--upgrade` takes the newest of everything.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
TORCH = "2.13.0"
TORCH_BRINGS = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "Darwin", "arm64"),
    ("win32", "Windows", "AMD64"),
)
HEADER = "# Exact versions, made by `make lock`; torch=={torch} is installed before, in a step of its own.\n"


def environments() -> Iterator[dict[str, str]]:
    """Yield the marker values of every system and Python that the lock serves."""
    for platform, system, machine in SYSTEMS:
        for python in PYTHONS:
            yield {
                "implementation_name": "cpython",
                "implementation_version": f"{python}.0",
                "os_name": "nt" if platform == "win32" else "posix",
                "platform_machine": machine,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": system,
                "platform_version": "",
                "python_full_version": f"{python}.0",
                "python_version": python,
                "sys_platform": platform,
            }


def resolve(folder: Path, name: str, *options: str) -> list[str]:
    """Let uv choose the versions for all systems at once and return the lines `name==version ; marker`."""
    target = folder / name
    how = f"--universal --python-version {PYTHONS[0]} --fork-strategy fewest --no-header --no-annotate --quiet"
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *how.split(), *options]
    command += ["--constraint", str(folder / "torch.txt"), "--output-file", str(target)]
    subprocess.run(command, cwd=ROOT, check=True)
    return target.read_text(encoding="utf-8").splitlines()


def kept(lines: Iterable[str]) -> list[str]:
    """Return the lines that hold on one of the systems and that torch does not bring along."""
    served = list(environments())
    requirements = [(line, Requirement(line)) for line in lines]
    return [
        line
        for line, requirement in requirements
        if not TORCH_BRINGS.fullmatch(requirement.name)
        and (requirement.marker is None or any(requirement.marker.evaluate(where) for where in served))
    ]


def needs_of(line: str) -> list[str]:
    """Return what a package requires, as its wheel on the index says: it may not be installed on this system."""
    how = "install --quiet --dry-run --ignore-installed --no-deps --report -"
    command = [sys.executable, "-m", "pip", *how.split(), line.partition(";")[0].strip()]
    report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    needs: list[str] = json.loads(report)["install"][0]["metadata"].get("requires_dist", [])
    return needs


def main() -> None:
    """Resolve three times: everything together, then the program, then the program with its tools."""
    now = [ROOT / name for name in ("requirements.txt", "requirements-dev.txt")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "torch.txt").write_text(f"torch=={TORCH}\n", encoding="utf-8")
        if "--upgrade" not in sys.argv[1:]:  # uv prefers the versions that it finds where it writes
            (folder / "all.txt").write_text("".join(f.read_text(encoding="utf-8") for f in now if f.exists()), "utf-8")
        resolve(folder, "all.txt", "--all-extras", "--group", "dev")
        together = ("--constraint", str(folder / "all.txt"))
        # llama.cpp comes with the program, so that every export to GGUF can be compared with the model it was made of.
        program = kept(resolve(folder, "program.txt", *together, "--extra", "gguf"))
        tools = kept(resolve(folder, "tools.txt", *together, "--extra", "gguf", "--group", "dev"))
    header = HEADER.format(torch=TORCH)
    tools = [line for line in tools if line not in program]
    for file, lines in zip(now, (program, tools), strict=True):
        file.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        print(f"{file.name}: {len(lines)} packages")
    partly = [line for line in program + tools if ";" in line]
    needs = {line.partition(";")[0].strip(): needs_of(line) for line in partly}
    text = json.dumps(needs, indent=2, sort_keys=True) + "\n"
    (ROOT / "tests" / "lock_needs.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
