"""The bytes of files, each under its id: whole or absent, and gone when the file is deleted."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from data.jsonl import storage_error
from doceo.app.store.files import Files, StoredFile, missing_file

_BLOCK = 1 << 20
_BEGUN = ".begun-"
_STALE = 24 * 3600.0
"""Seconds after which what was begun and never finished is deleted."""


class Incoming:
    """A file on its way in: counted, hashed and written as it comes.

    Attributes:
        bytes: How many there are until now.
        lines: How many line ends.
    """

    def __init__(self, out: BinaryIO, path: Path) -> None:
        self._out, self._path, self._hash = out, path, hashlib.sha256()
        self.bytes = self.lines = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of what came until now, in hex."""
        return self._hash.hexdigest()

    def write(self, block: bytes) -> None:
        """Take the next bytes. Raises StorageError."""
        try:
            self._out.write(block)
        except OSError as error:
            raise storage_error(error, self._path.parent) from error
        self._hash.update(block)
        self.bytes += len(block)
        self.lines += block.count(b"\n")

    def move(self, place: Path) -> None:
        """Have all of it on the disk under another name; nothing can be written any more. Raises StorageError."""
        try:
            self._out.flush()
            os.fsync(self._out.fileno())
            self._out.close()
            self._path.replace(place)
        except OSError as error:
            raise storage_error(error, place) from error


class Uploads:
    """Files with their bytes. Safe for several threads and processes.

    Args:
        files: Their rows.
        folder: Where the bytes lie, each file under its id.
    """

    def __init__(self, files: Files, folder: Path) -> None:
        self._files, self._folder = files, folder

    @contextmanager
    def receiving(self) -> Iterator[Incoming]:
        """Take a file in; what is not kept within the block leaves nothing behind. Raises StorageError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix=_BEGUN, dir=self._folder)
        except OSError as error:
            raise storage_error(error, self._folder) from error
        path = Path(name)
        try:
            with os.fdopen(handle, "wb", _BLOCK) as out:
                yield Incoming(out, path)
        except OSError as error:  # what is buffered is written when the file is closed
            raise storage_error(error, self._folder) from error
        finally:
            path.unlink(missing_ok=True)

    def keep(
        self,
        incoming: Incoming,
        owner: str,
        filename: str,
        purpose: str,
        *,
        seconds: float | None = None,
        name: str = "",
    ) -> StoredFile:
        """Keep what came in as a file of an owner, until it is deleted or `seconds` are over, under the id `name`.

        Left out, the id is a new one. Raises StorageError.
        """
        size, sha256 = incoming.bytes, incoming.sha256
        file = self._files.new(owner, filename, purpose, size=size, sha256=sha256, seconds=seconds, name=name)
        incoming.move(self._begun(file.id))
        try:
            self._files.add(file)
        except BaseException:
            # a worker that was taken for dead may come too late with what its successor has kept meanwhile
            if not (name and self._files.is_kept(name)):
                self._begun(file.id).unlink(missing_ok=True)
            raise
        self._finish(file.id)
        return file

    def put(self, owner: str, path: Path, filename: str, purpose: str, *, name: str = "") -> StoredFile:
        """Keep a copy of a file that was made here, as `keep`. Raises StorageError."""
        with self.receiving() as incoming:
            try:
                with path.open("rb") as content:
                    while block := content.read(_BLOCK):
                        incoming.write(block)
            except OSError as error:
                raise storage_error(error, path) from error
            return self.keep(incoming, owner, filename, purpose, name=name)

    def path(self, file: StoredFile) -> Path:
        """Return where a file's bytes lie. Raises NotFound where they are not there."""
        place = self._folder / file.id
        if not place.is_file():
            self._finish(file.id)
        if not place.is_file():
            raise missing_file(file.id)
        return place

    def holds(self, file: str) -> bool:
        """Say whether the bytes of a file are there, by its id."""
        return (self._folder / file).is_file() or self._begun(file).is_file()

    def held(self) -> list[str]:
        """Return the ids of all files whose bytes are here, whether or not the database knows them."""
        if not self._folder.is_dir():
            return []
        return [path.name for path in self._folder.iterdir() if not path.name.startswith(_BEGUN)]

    def delete(self, file: StoredFile) -> list[str]:
        """Delete a file, its bytes first; return the ids of the vector stores that still have to forget it.

        Raises StorageError.
        """
        self.erase(file.id)
        return self._files.remove(file)

    def erase(self, file: str) -> None:
        """Delete the bytes of a file by its id; its row stays. Raises StorageError."""
        try:
            for place in (self._begun(file), self._folder / file):
                place.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, self._folder) from error

    def sweep(self) -> list[str]:
        """Delete what has expired, and what was never finished; return the ids of vector stores as `delete` does."""
        stores = [store for file in self._files.expired() for store in self.delete(file)]
        for path in self._folder.glob(f"{_BEGUN}*"):
            with suppress(FileNotFoundError):  # it may be finished just now
                if path.stat().st_mtime >= time.time() - _STALE:
                    continue
                if self._files.is_kept(name := path.name.removeprefix(_BEGUN)):
                    self._finish(name)
                else:
                    path.unlink()
        return stores

    def _begun(self, file: str) -> Path:
        """Return where bytes lie that have no row yet: who is killed before there is one leaves nothing for good."""
        return self._folder / f"{_BEGUN}{file}"

    def _finish(self, file: str) -> None:
        """Put the bytes of a file that has its row in their place, unless that was done. Raises StorageError."""
        try:
            self._begun(file).replace(self._folder / file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(error, self._folder) from error
