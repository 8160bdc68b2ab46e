"""From SRC arguments to files: which ones there are and what each is called in the records."""

from __future__ import annotations

import atexit
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from data.jsonl import read_rows
from data.lock import LOCK
from doceo.core.errors import InputError, UsageError

STDIN = "-"
"""The SRC that stands for what is piped in; in the records it is called `stdin`."""
_LONGEST_STDIN = 2**31


@dataclass(frozen=True)
class SourceFile:
    """A file and its name in the records: last name of its SRC, then the path inside it, POSIX.

    `ending` says what it is, such as `.pdf`; left out, the ending of the path does.
    """

    source: str
    path: Path
    ending: str = ""


def find_files(sources: Sequence[str]) -> list[SourceFile]:
    """Return the files under the SRCs (folders, files, globs, `-` for stdin), sorted by name; hidden ones are left out.

    Raises InputError where a SRC does not exist, UsageError where two SRCs end in the same name.
    """
    roots: dict[str, Path] = {}
    for path in _expand(sources):
        name = path.resolve().name
        if name in roots and roots[name].resolve() != path.resolve():
            raise UsageError(
                f"{roots[name]} and {path} both end in {name!r}, so their documents could not be told apart.",
                hint="Rename one of them, or give their common parent folder.",
            )
        roots[name] = path
    files = [file for name, root in roots.items() for file in _files(name, root)]
    return sorted(files, key=lambda file: file.source)


def listed_files(path: Path) -> list[SourceFile]:
    """Return the files that a list names, sorted by name: JSONL of {"source": NAME, "path": FILE}.

    The ending of the name says what a file is. Raises InputError naming the line that is wrong.
    """
    found: dict[str, SourceFile] = {}
    for number, row in read_rows(path):
        source, file = row.get("source"), row.get("path")
        if not (isinstance(source, str) and source and isinstance(file, str) and Path(file).is_file()):
            hint = 'Each line is {"source": NAME, "path": FILE}, of a file that exists.'
            raise InputError(f"{path}, line {number}: no file with its name.", hint=hint)
        if source in found:
            raise InputError(f"{path}, line {number}: {source!r} is named twice.", hint="Names have to differ.")
        found[source] = SourceFile(source, Path(file), PurePosixPath(source).suffix or ".txt")
    return [found[source] for source in sorted(found)]


def is_local(source: str, globs: Sequence[str]) -> bool:
    """Return whether a document's source name matches one of the globs (`*` also goes over `/`; case counts)."""
    return any(fnmatchcase(source, pattern) for pattern in globs)


def _expand(sources: Sequence[str]) -> Iterator[Path]:
    for source in sources:
        if source == STDIN:
            yield _spooled(sys.stdin.buffer)
            continue
        path = Path(source).expanduser()
        if path.exists():
            yield path
            continue
        matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(source) else []
        if not matches:
            raise InputError(f"There is no file or folder {source}.", hint="Check the spelling and the current folder.")
        yield from map(Path, matches)


def _spooled(stream: BinaryIO) -> Path:
    """Return a file, deleted at exit, that holds what a stream gives. Raises InputError where that is nothing."""
    folder = Path(tempfile.mkdtemp(prefix="doceo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "stdin"
    with path.open("wb") as file:
        while (block := stream.read(1 << 20)) and file.tell() < _LONGEST_STDIN:
            file.write(block)
    if not path.stat().st_size:
        raise InputError(
            "There is nothing on stdin.", hint="Pipe a document in, such as: cat notes.md | doceo ingest -"
        )
    return path


def _files(name: str, root: Path) -> Iterator[SourceFile]:
    if not root.is_dir():
        yield SourceFile(_utf8(name), root)
        return
    # A folder with a writer's lock is a run: what Doceo wrote is no source.
    runs = {lock.parent for lock in root.rglob(LOCK) if lock.parent != root}
    for path in root.rglob("*"):
        inside = path.relative_to(root)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden and not runs.intersection(path.parents):
            yield SourceFile(f"{name}/{_utf8(inside.as_posix())}", path)


def _utf8(name: str) -> str:
    """Return a file name as UTF-8 can hold it; the bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")
