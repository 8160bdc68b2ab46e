"""Chroma's files looked at before Chroma opens them: it ends the process over some that are damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

DATABASE = "chroma.sqlite3"
_TABLES = ("databases", "tenants", "collections", "segments", "max_seq_id", "embeddings", "embeddings_queue")
"""What Chroma reads; `acquire_write` is left out, in which every reader leaves a row."""
_HEADER = 36
"""Bytes of an HNSW header up to the size of an element: version, offset, room, elements, bytes an element."""
_LENGTH = 4
"""Bytes of a vector's length."""


class Unsafe(ValueError):
    """The folder is not one that this program wrote, or it is damaged."""


def check(folder: Path) -> None:
    """Raise Unsafe where a folder's settings name an embedding function or its files do not fit each other.

    Chroma would build the function, whatever it is (CVE-2026-45829). Raises sqlite3.Error for a damaged database.
    """
    with closing(_open(folder / DATABASE)) as database:
        rows = database.execute("SELECT config_json_str, schema_str FROM collections").fetchall()
    for text in (text for row in rows for text in row if text):
        for kind in _functions(json.loads(text)):
            if kind not in {"legacy", "unknown"}:
                raise Unsafe(f"its settings ask for an embedding function of type {kind!r}")
    for part in parts(folder):
        _check_size(part)


def parts(folder: Path) -> list[Path]:
    """Return the folders of HNSW files that hold vectors, sorted."""
    return sorted(path.parent for path in folder.glob("*/index_metadata.pickle"))


def settle(folder: Path) -> None:
    """Overwrite with zeros what Chroma writes into its files behind the last vector.

    That is memory as it was before, in which there may be anything that the process ever held, deleted words among it.
    Raises Unsafe where the vectors do not fill their file: a disk that was full leaves it short, without a word.
    """
    for part in parts(folder):
        elements, stride = _check_size(part)
        for name, length in (("data_level0.bin", stride), ("length.bin", _LENGTH)):
            with (part / name).open("r+b") as file:
                rest = file.seek(0, os.SEEK_END) - elements * length
                file.seek(elements * length)
                file.write(bytes(max(rest, 0)))


def content_sha256(folder: Path) -> str:
    """Return the hash of what the database holds but for what readers change.

    Raises Unsafe where there is none, sqlite3.Error where it is damaged.
    """
    digest = hashlib.sha256()
    with closing(_open(folder / DATABASE)) as database:
        if (found := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise Unsafe(f"{DATABASE}: {found}")
        statements = ["SELECT type, name, sql FROM sqlite_master ORDER BY type, name"]
        statements += [f"SELECT * FROM {table} ORDER BY rowid" for table in _TABLES]
        for statement in statements:
            for row in database.execute(statement):
                digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def copy(source: Path, target: Path) -> None:
    """Copy a folder, while others may read it, into one that does not exist.

    Raises OSError, sqlite3.Error where the disk is full.
    """
    target.mkdir()
    with closing(_open(source / DATABASE)) as database:
        # not the file itself: a reader may be about to leave its row there
        database.execute("VACUUM INTO ?", [str(target / DATABASE)])
    for part in parts(source):
        (target / part.name).mkdir()
        for path in part.iterdir():
            shutil.copyfile(path, target / part.name / path.name)


def _check_size(part: Path) -> tuple[int, int]:
    """Return the number of vectors and the bytes of each; raise Unsafe where their file is too short for them."""
    header = (part / "header.bin").read_bytes()
    if len(header) < _HEADER:
        raise Unsafe(f"{part.name}/header.bin is cut off")
    elements, stride = (int.from_bytes(header[at : at + 8], "little") for at in (20, 28))
    if (part / "data_level0.bin").stat().st_size < elements * stride:
        raise Unsafe(f"{part.name}/data_level0.bin is cut off")
    return elements, stride


def _open(file: Path) -> sqlite3.Connection:
    if not file.is_file():
        raise Unsafe(f"there is no {file.name}")
    # for writing, since a reader that was killed may have left a journal that has to be undone
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)


def _functions(value: object) -> Iterable[str]:
    """Yield the type of every embedding function that Chroma's settings hold, however deep."""
    if isinstance(value, list):
        for part in value:
            yield from _functions(part)
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "embedding_function" and part is not None:
                yield str(part.get("type")) if isinstance(part, dict) else str(part)
            else:
                yield from _functions(part)
