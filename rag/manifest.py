"""What a version of an index says of itself, and whether its files are as they were written."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from data.jsonl import write_json
from data.manifest import hash_inputs
from doceo.core.errors import IndexOutdated, IndexUnusable
from doceo.core.records import Record
from rag import chroma_files, versions
from rag.vectors import FOLDER as CHROMA

FILE = "manifest.json"
FORMAT = 2
DATABASE = f"{CHROMA}/{chroma_files.DATABASE}"
"""Its name among the files; an index of the first kind lacks it, and its Chroma folder cannot be changed."""


class IndexManifest(Record):
    """What a version holds and which embedder made its vectors (name, backend, hash of the weights).

    `files` has the hash of every file that readers do not change (`file_hashes`). `removed` counts the vectors deleted
    since Chroma's folder was last written whole: its files never shrink.
    """

    format: int = FORMAT
    embedder: str
    dimensions: int
    documents: int
    chunks: int
    files: dict[str, str]
    removed: int = 0


def read_manifest(folder: Path, version: Path) -> IndexManifest:
    """Return a version's manifest. Raises IndexUnusable, also for one of a newer program."""
    try:
        text = (version / FILE).read_text(encoding="utf-8")
        found = json.loads(text)
        if isinstance(found, dict) and isinstance(made := found.get("format"), int) and made > FORMAT:
            raise IndexUnusable(
                f"The index {folder} was made by a newer Doceo: it has format {made}, and this one reads {FORMAT}.",
                hint=f"Update Doceo, or delete the folder {folder} and index the documents again: doceo index SRC.",
            )
        manifest = IndexManifest.model_validate_json(text)
        if manifest.format < FORMAT:
            raise IndexOutdated(
                f"The index {folder} cannot be used: an older Doceo made it, in format {manifest.format}.",
                hint=f"Delete the folder {folder} and index the documents again: doceo index SRC.",
            )
    except (OSError, ValueError, ValidationError) as error:
        raise versions.unusable(folder, f"the manifest of version {version.name} cannot be read") from error
    return manifest


def write_manifest(version: Path, manifest: IndexManifest) -> None:
    """Write a version's manifest: the last file of a version. Raises StorageError."""
    write_json(version / FILE, manifest.model_dump(mode="json"))


def file_hashes(version: Path) -> dict[str, str]:
    """Return {path in the version: SHA-256} of the files that no reader changes.

    Of Chroma's database, in which every reader leaves a row, the hash is of what it holds. Raises ValueError,
    sqlite3.Error, OSError for damaged files.
    """
    others = [path for path in version.iterdir() if path.name not in (CHROMA, FILE)]
    hashes = hash_inputs([*others, *chroma_files.parts(version / CHROMA)], version)
    return {**hashes, DATABASE: chroma_files.content_sha256(version / CHROMA)}


def check_files(version: Path, manifest: IndexManifest) -> None:
    """Raise ValueError naming a file that is not as it was written, and what `file_hashes` raises."""
    found = file_hashes(version)
    if DATABASE not in manifest.files:
        found.pop(DATABASE)
    if found != manifest.files:
        changed = sorted(found.items() ^ manifest.files.items())[0][0]
        raise ValueError(f"{changed} is not as it was written")


def check_embedder(folder: Path, manifest: IndexManifest, fingerprint: str) -> None:
    """Raise IndexUnusable, naming what differs and the way back, where another embedder made an index's vectors."""
    if manifest.embedder == fingerprint:
        return
    made, given = manifest.embedder.split("|"), fingerprint.split("|")
    again = f"delete the folder {folder} and index the documents again: doceo index SRC."
    if made[0] != given[0]:
        hint = f"Name that embedder, with --embedder {made[0]}, or {again}"
    else:
        hint = f"It is the same model by another backend or with other weights, whose vectors do not fit: {again}"
    raise IndexUnusable(
        f"The index {folder} was made by the embedder {manifest.embedder}, not by {fingerprint}.", hint=hint
    )
