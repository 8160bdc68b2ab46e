"""What the code looks like, and what starting it costs. Style and types are checked by `make check`."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("doceo", "generator", "finetune", "rag", "evaluation", "prompts", "data", "scripts")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

LONGEST_FILE = 250
LONG_FILES: dict[str, str] = {
    "doceo/core/records.py": "the records, one vocabulary read as one page",
    "doceo/core/errors.py": "the errors, one tree read as one page",
}
LONGEST_FUNCTION = 50
LONG_FUNCTIONS: dict[str, str] = {}
BROAD: dict[str, str] = {
    "doceo/cli/console.py": "the last resort: a bug greets nobody with a traceback",
    "doceo/providers/local_batches.py": "the thread that all answers of a model wait for tells what failed and goes on",
    "doceo/providers/local_stream.py": "a thread hands what it caught to the reader, who raises it",
    "doceo/service/housekeeping.py": "what has to be done again and again goes on after a failure, which the log tells",
}
"""Files that may catch everything and not raise it again, each with its reason."""

HEAVY = {"torch", "transformers", "chromadb", "langchain", "sentence_transformers", "matplotlib", "trl", "onnxruntime"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Return a file's name from the root, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    """Yield every node of a file's syntax tree."""
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def test_files_are_short() -> None:
    long = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    long = {name: n for name, n in long.items() if n > LONGEST_FILE}
    assert set(long) <= set(LONG_FILES), f"more than {LONGEST_FILE} lines: {long}"


def length(function: Function) -> int:
    """Return a function's lines, its docstring not counted."""
    first = function.body[0]
    described = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(function) else 0
    return (function.end_lineno or 0) - function.lineno + 1 - described


def test_functions_are_short() -> None:
    long = {
        f"{name_of(path)}:{node.name}": length(node)
        for path in FILES
        for node in nodes(path)
        if isinstance(node, Function) and length(node) > LONGEST_FUNCTION
    }
    assert set(long) <= set(LONG_FUNCTIONS), f"more than {LONGEST_FUNCTION} lines: {long}"


def test_exceptions_to_the_rules_are_still_needed() -> None:
    for name in {*LONG_FILES, *BROAD, *(key.partition(":")[0] for key in LONG_FUNCTIONS)}:
        assert (ROOT / name).exists(), f"{name} is gone; take it off the list"


def test_only_the_command_line_prints() -> None:
    printing = {
        f"{name_of(path)}:{node.lineno}"
        for path in FILES
        if not name_of(path).startswith(("doceo/cli/", "scripts/"))
        for node in nodes(path)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    }
    assert not printing


def test_nothing_swallows_everything() -> None:
    broad = {
        f"{name_of(path)}:{node.lineno}"
        for path in FILES
        if name_of(path) not in BROAD
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or {"Exception", "BaseException"} & {getattr(n, "id", "") for n in ast.walk(node.type)})
        and not (isinstance(last := node.body[-1], ast.Raise) and last.exc is None)
    }
    assert not broad


def test_files_are_named_after_what_they_hold() -> None:
    assert not {name_of(path) for path in FILES if path.stem in {"utils", "util", "helpers", "common", "misc"}}


def test_public_things_have_a_docstring() -> None:
    bare = {
        f"{name_of(path)}:{getattr(node, 'name', 'module')}"
        for path in FILES
        for node in public(ast.parse(path.read_text(encoding="utf-8")))
        if not ast.get_docstring(node)
    }
    assert not bare


def public(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | Function]:
    """Yield a module with its public classes, functions and methods."""
    yield tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (n for n in node.body if isinstance(n, Function) and not n.name.startswith("_"))


def tracked() -> list[Path]:
    """Return the files that a clone would hold."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_machine_or_a_package_index() -> None:
    places = [r"/(?:work|root|Users)/\w", r"/home/(?!you\b|user\b|me\b)\w", r"/opt/(?:pypi|wheels)", r"/tmp/dev\b"]
    indexes = [r"pypi\.org/simple", r"files\.pythonhosted\.org", r"index-url[ =]+\W*https?:", r"find-links[ =]+\W*[/h]"]
    forbidden = re.compile("|".join(places + indexes))
    for path in tracked():
        if path != Path(__file__).resolve() and b"\0" not in (content := path.read_bytes()):
            found = forbidden.search(content.decode("utf-8", "replace"))
            assert found is None, f"{name_of(path)} holds {found.group()}"


def started(code: str) -> tuple[set[str], float]:
    """Run code in a fresh interpreter; return the modules that it imported and its CPU seconds."""
    tail = (
        "\nimport sys, json, time\n"
        "print(json.dumps([sorted({n.partition('.')[0] for n in sys.modules}), time.process_time()]), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code + tail]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    modules, seconds = json.loads(done.stderr.splitlines()[-1])
    return set(modules), seconds


HELP = """
import sys
sys.argv = ["doceo", "--help"]
from doceo.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize("code", ["import doceo", HELP], ids=["import", "help"])
def test_starting_is_cheap(code: str, record_property: pytest.RecordProperty) -> None:
    started(code)  # the first run may have to compile
    modules, seconds = started(code)
    record_property("cpu_seconds", seconds)
    assert not modules & HEAVY
    assert seconds < 1.0, "the aim is 0.5; 1.0 leaves room for a busy machine"
