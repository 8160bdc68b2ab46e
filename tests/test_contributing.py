"""The code blocks of CONTRIBUTING.md, put where they say they belong, run, and taken away again.

A block's first line names its place: `# path/of/file.py` is a file, `# path/of/file.py: TABLE` a line of a table in it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prompts.catalog

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(
    r"^```(?:python|markdown)\n(?:# |<!-- )(\S+?\.\w+)(?:: (\w+))?(?: -->)?\n(.*?)^```", re.MULTILINE | re.DOTALL
)
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {
    title: body for title, body in re.findall(r"^## (Add [^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
}


@pytest.fixture
def added() -> Iterator[list[str]]:
    """Give a list of module names, and forget those modules afterwards."""
    names: list[str] = []
    yield names
    for name in names:
        sys.modules.pop(name, None)


def module_of(place: str, code: str) -> types.ModuleType:
    """Run a block as the module that it would be."""
    name = place.removesuffix(".py").replace("/", ".")
    assert not (ROOT / place).exists(), f"{place} exists: choose another example"
    module = types.ModuleType(name)
    exec(compile(code, f"CONTRIBUTING.md: {place}", "exec"), module.__dict__)
    sys.modules[name] = module
    return module


def test_every_part_is_explained() -> None:
    assert [title.removeprefix("Add a").lstrip("n ") for title in SECTIONS] == [
        "metric", "loader", "prompt", "provider", "export format",
    ]  # fmt: skip


@pytest.mark.parametrize("title", SECTIONS)
def test_blocks_run(title: str, added: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tests: list[Any] = []
    for place, table, code in BLOCK.findall(SECTIONS[title]):
        if table:
            rows: dict[str, str] = getattr(importlib.import_module(module_name(place)), table)
            for key, value in ast.literal_eval("{" + code + "}").items():
                assert key not in rows
                monkeypatch.setitem(rows, key, value)
        elif place.endswith(".md"):
            shutil.copytree(ROOT / "prompts" / "templates", tmp_path / "templates")
            (tmp_path / "templates" / Path(place).name).write_text(code, encoding="utf-8")
            monkeypatch.setattr(prompts.catalog, "files", lambda _: tmp_path)
        else:
            module = module_of(place, code)
            added.append(module.__name__)
            tests += [thing for name, thing in vars(module).items() if name.startswith("test_")]
    assert tests, "a section without a test"
    for test in tests:
        test(*([tmp_path] if "tmp_path" in inspect.signature(test).parameters else []))


def module_name(place: str) -> str:
    """Return the import name of a file."""
    return place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
