"""The lock is complete: on every system that it serves, nothing that a package needs is missing or of a wrong version.

Requirements are read from the installed packages; those of lines that hold on some systems only stand in
`lock_needs.json`, since they may not be installed here.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lock import TORCH, TORCH_BRINGS, environments

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
KEYS = ("sys_platform", "platform_machine", "python_version")
SERVED = {"-".join(where[key] for key in KEYS): where for where in environments()}
ELSEWHERE: dict[str, list[str]] = json.loads((ROOT / "tests" / "lock_needs.json").read_text(encoding="utf-8"))


def lines(name: str) -> list[str]:
    """Return the requirement lines of a lock file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def locked(names: tuple[str, ...], where: dict[str, str]) -> dict[str, str]:
    """Return the version of every package that is installed on one system, torch included."""
    versions = {"torch": TORCH}
    for line in (line for name in names for line in lines(name)):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(where):
            assert requirement.name not in versions, f"{requirement.name} is locked twice"
            (specifier,) = requirement.specifier
            versions[requirement.name] = specifier.version
    return versions


@cache
def needs(name: str, version: str) -> list[Requirement]:
    """Return what one version of a package requires, all extras included."""
    written = ELSEWHERE.get(f"{name}=={version}")
    if written is None:
        found = importlib.metadata.version(name).partition("+")[0]
        assert found == version, f"{name} {found} is installed and {version} is locked: install the lock first"
        written = importlib.metadata.requires(name) or []
    return [Requirement(line) for line in written]


def walk(roots: list[str], versions: dict[str, str], where: dict[str, str]) -> tuple[set[str], list[str]]:
    """Follow all requirements from the roots; return the packages that were reached and what is wrong."""
    waiting = [("doceo", Requirement(root)) for root in roots]
    seen: set[tuple[str, str]] = set()
    wrong: list[str] = []
    while waiting:
        parent, requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if parent == "torch" and TORCH_BRINGS.fullmatch(name):
            continue
        if name not in versions:
            wrong.append(f"{parent} needs {requirement}, which is not locked")
            continue
        if versions[name] not in requirement.specifier:
            wrong.append(f"{parent} needs {requirement}, and {versions[name]} is locked")
            continue
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                below = needs(name, versions[name])
                holds = [r for r in below if r.marker is None or r.marker.evaluate({**where, "extra": extra})]
                waiting.extend((name, r) for r in holds)
    return {name for name, _ in seen}, wrong


LLAMA_CPP = PROJECT["project"]["optional-dependencies"]["gguf"]
"""The one extra that the lock brings along: what is written for llama.cpp is compared in llama.cpp."""


@pytest.mark.parametrize("where", SERVED.values(), ids=SERVED.keys())
def test_program_finds_all_it_needs(where: dict[str, str]) -> None:
    versions = locked(("requirements.txt",), where)
    reached, wrong = walk([*PROJECT["project"]["dependencies"], *LLAMA_CPP], versions, where)
    assert not wrong
    assert set(versions) - reached <= {"setuptools"}, "locked, and needed by nothing"


def test_tools_find_all_they_need() -> None:
    roots = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    for where in SERVED.values():
        versions = locked(("requirements.txt", "requirements-dev.txt"), where)
        _, wrong = walk(roots, versions, where)
        assert not wrong


def test_a_missing_package_is_noticed() -> None:
    where = SERVED["linux-x86_64-3.11"]
    versions = locked(("requirements.txt",), where)
    del versions["pillow"]
    versions["mpmath"] = "2.0"
    _, wrong = walk(PROJECT["project"]["dependencies"], versions, where)
    assert any(line.startswith("matplotlib needs pillow") for line in wrong)
    assert any(line.startswith("sympy needs mpmath") and line.endswith("and 2.0 is locked") for line in wrong)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lines_are_exact_and_without_addresses(name: str) -> None:
    for line in lines(name):
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.!]*( ; .+)?", line), line
        assert "://" not in line
        assert Requirement(line).name == canonicalize_name(Requirement(line).name)
    assert not any(TORCH_BRINGS.fullmatch(Requirement(line).name) for line in lines(name))


def test_torch_is_the_same_everywhere() -> None:
    for name in ("Makefile", "README.md", "requirements.txt", "CONTRIBUTING.md"):
        found = set(re.findall(r"torch==([0-9.]*[0-9])", (ROOT / name).read_text(encoding="utf-8")))
        assert found <= {TORCH}, f"{name} names torch {found}"
        assert found or name == "CONTRIBUTING.md", f"{name} does not name torch"
