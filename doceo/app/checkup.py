"""What is installed, reachable and writable; each problem with its cure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from doceo.app.machine import GIB, describe, suggested_base
from doceo.app.runs import HOME
from doceo.app.settings import Settings
from doceo.core.errors import DoceoError
from doceo.providers.chat import is_remote, list_models
from doceo.providers.shipped_model import located

PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "chromadb",
    "tantivy",
    "onnxruntime",
    "pypdfium2",
    "markitdown",
    "openai",
)
EXTRAS = {
    "gguf": "xllamacpp",
    "qlora": "bitsandbytes",
    "postgres": "psycopg",
    "ray": "ray",
    "trackers": "trackio",
    "ocr": "rapidocr",
}
LEAST_DISK = 2 * GIB


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `cure` says what to do where `ok` is False; an optional thing that is absent is ok."""

    name: str
    ok: bool
    words: str
    cure: str = ""


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield what was found, one thing at a time. Nothing is sent; a named server is asked for its list of models."""
    machine = describe()
    yield Finding("machine", ok=True, words=f"{machine.words()}; suggested base: {suggested_base(machine)}")
    for package in PACKAGES:
        yield _package(package)
    for extra, package in EXTRAS.items():
        found = _version(package)
        yield Finding(
            f"extra {extra}",
            ok=True,
            words=f"{package} {found}" if found else f"not installed: pip install 'doceo[{extra}]'",
        )
    yield _embedder(settings)
    yield _disk()
    for name, spec in (("teacher", settings.teacher), ("model", settings.model)):
        if is_remote(spec):
            yield _server(name, spec, settings)
    if settings.base and settings.base != "none":
        yield _base(settings.base)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _package(package: str) -> Finding:
    found = _version(package)
    cure = "pip install torch==2.13.0" if package == "torch" else "pip install --no-deps -r requirements.txt"
    return Finding(package, ok=bool(found), words=found or "not installed", cure=cure)


def _embedder(settings: Settings) -> Finding:
    from doceo.providers.embedders import open_embedder

    try:
        embedder = open_embedder(settings.embedder)
        embedder.embed(["a word"])
    except DoceoError as error:
        return Finding("embedder", ok=False, words=error.message, cure=error.hint)
    return Finding("embedder", ok=True, words=embedder.fingerprint)


def _disk() -> Finding:
    place = HOME if HOME.exists() else Path()
    free = shutil.disk_usage(place).free
    return Finding(
        "disk", ok=free > LEAST_DISK, words=f"{free / GIB:.1f} GiB free in {place.resolve()}", cure="Free some space."
    )


def _server(name: str, spec: str, settings: Settings) -> Finding:
    try:
        host, models = list_models(spec, base_url=settings.base_url or None)
    except DoceoError as error:
        return Finding(name, ok=False, words=error.message, cure=error.hint)
    wanted = spec.partition(":")[2]
    if models and wanted not in models:
        return Finding(
            name, ok=False, words=f"{host} does not list {wanted}", cure=f"It lists: {', '.join(models[:8])}"
        )
    answers = "would be asked" if spec.startswith("langchain:") else "answers"
    return Finding(name, ok=True, words=f"{host} {answers}")


def _base(base: str) -> Finding:
    path = Path(located(base))
    if path.is_dir():
        ok = (path / "config.json").exists()
        return Finding(
            "base", ok=ok, words=f"{base}", cure="The folder has no config.json: it is no Hugging Face model."
        )
    return Finding("base", ok=True, words=f"{base}: will be fetched from the Hugging Face hub when it is needed")
