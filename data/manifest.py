"""The manifest of a stage: what it was made from and how. Written last, so its presence means "complete"."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from data.jsonl import write_text

NAME = "manifest.json"


class Manifest(BaseModel):
    """What a finished stage was made from. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    config: dict[str, object]
    config_hash: str
    inputs: dict[str, str]
    prompts: dict[str, str] = {}
    packages: dict[str, str] = {}
    seed: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


def read(folder: Path) -> Manifest | None:
    """Return a stage folder's manifest, or None where the stage is not finished."""
    try:
        return Manifest.model_validate_json((folder / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError, ValidationError):
        return None


def write(folder: Path, manifest: Manifest) -> None:
    """Write a stage's manifest. Raises StorageError."""
    write_text(folder / NAME, json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def hash_inputs(paths: Iterable[Path], base: Path) -> dict[str, str]:
    """Return {path relative to base: sha256}; a folder stands for all files in it but manifests and logs."""
    hashes: dict[str, str] = {}
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file() and p.name != NAME) if path.is_dir() else [path]
        for file in files:
            name = file.relative_to(base) if file.is_relative_to(base) else file
            hashes[name.as_posix()] = file_sha256(file)
    return dict(sorted(hashes.items()))


def installed(packages: Iterable[str]) -> Mapping[str, str]:
    """Return {package: version} of those that are installed."""
    found: dict[str, str] = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
