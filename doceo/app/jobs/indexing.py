"""Brings the index of a vector store to what its files say: `python -m doceo.app.jobs.indexing STORE_ID [HOME]`.

Whoever dies in the middle leaves nothing that the next one does not put right: the files' rows say what is wanted, the
index what is there, and a row is only marked as done once the index holds its text.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from filelock import FileLock

from data.chunking import chunk_document
from data.jsonl import storage_error
from data.private import Redactor
from data.reader import Reader
from data.sources import SourceFile
from doceo.app.host import FILES
from doceo.app.runs import HOME, collection_folder
from doceo.app.settings import Settings, load_settings
from doceo.app.store import Store, open_store
from doceo.app.store.attachments import Attachment, ReadError
from doceo.app.store.owners import VECTOR_STORE
from doceo.app.uploads import Uploads
from doceo.core import lease
from doceo.core.config import ReadConfig
from doceo.core.errors import DoceoError, IndexUnusable, NotFound, RunLocked, UsageError
from doceo.core.protocols import Embedder
from doceo.core.records import Chunk, Document, Skipped
from rag import versions
from rag.index import delete
from rag.indexing import compact, update
from rag.manifest import read_manifest
from rag.texts import FILE as TEXTS
from rag.texts import Texts

_AT_ONCE, _BYTES_AT_ONCE = 100, 64 << 20
"""Files, and bytes of text, that are read before the index is written."""
_UNSUPPORTED = {"unsupported", "binary", "scanned"}
_OUR_FAULT = {"crashed", "memory", "timeout", "unreadable"}
_LOCK = ".{name}.lock"


@dataclass
class _Read:
    """What a round has read, of these files."""

    rows: list[Attachment] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    errors: dict[str, ReadError] = field(default_factory=dict)


class Indexing:
    """Indexes vector stores, one after the other.

    Args:
        settings: How documents are read and cut, and the embedder.
        store: The database.
        uploads: The files.
        home: The folder that holds the collections.
        tell: Told after each round how many of how many files need nothing more.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        uploads: Uploads,
        home: Path = HOME,
        tell: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._settings, self._store, self._uploads, self._home = settings, store, uploads, home
        self._tell = tell
        self._reader = Reader(_limits(settings))

    def close(self) -> None:
        """End the process that reads files."""
        self._reader.close()

    def run(self, name: str) -> None:
        """Index a store until nothing is left to do; where another process does it, wait for that one first.

        Raises IndexUnusable, RunLocked, StorageError, ProviderError.
        """
        folder = collection_folder(name, self._home)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, folder.parent) from error
        lock = folder.parent / _LOCK.format(name=name)
        with FileLock(lock):
            try:
                left = self._rounds(folder)
            except IndexUnusable:
                # it is damaged, or another embedder made it: the files are all here to make it again
                delete(folder)
                self._store.attachments.again(name)
                left = self._rounds(folder)
        if not left:
            lock.unlink(missing_ok=True)

    def _rounds(self, folder: Path) -> bool:
        """Index until nothing is left to do; return whether the store is still there."""
        while (owner := self._store.vector_stores.owner(folder.name)) and self._round(folder, owner):
            pass
        if owner is None:
            self._delete(folder)
        else:
            _compacted(folder)
        return owner is not None

    def _round(self, folder: Path, owner: str) -> bool:
        """Do some of what is to be done; return whether there was anything."""
        name, attached = folder.name, self._store.attachments
        rows = attached.all(name)
        removed = [row for row in rows if row.removed]
        wanted = [row for row in rows if row.status == "in_progress" and not row.removed]
        read = self._read(name, owner, wanted[:_AT_ONCE])
        kept = {row.source for row in rows if not row.removed and row.status in ("completed", "in_progress")}
        kept -= {row.source for row in read.rows if row.file in read.errors}
        gone = [source for source in _sources(folder) if source not in kept]
        if read.documents or gone:
            try:
                self._index(folder, read.documents, gone)
            except (RunLocked, IndexUnusable):
                raise
            except DoceoError as error:
                failed = ReadError(code="server_error", message=f"{error.message} {error.hint}")
                attached.failed(name, {row.file: failed for row in read.rows})
                raise
        attached.failed(name, read.errors)
        attached.completed(name, read.sizes)
        attached.forget(name, [row.file for row in removed])
        total = len(rows) - len(removed)
        self._tell(total - len(wanted) + len(read.rows), total)
        return bool(wanted or removed or gone)

    def _read(self, name: str, owner: str, rows: Sequence[Attachment]) -> _Read:
        read = _Read()
        redactor = Redactor() if self._settings.read.redact else None
        for row in rows:
            if sum(read.sizes.values()) >= _BYTES_AT_ONCE:
                break
            read.rows.append(row)
            try:
                file = self._store.files.get(owner, row.file)
                path = self._uploads.path(file)
            except NotFound:  # it was deleted, or has expired
                with suppress(NotFound):
                    self._store.attachments.remove(name, row.file)
                continue
            record = self._reader.read(SourceFile(row.source, path, _ending(file.filename)))
            if isinstance(record, Skipped):
                read.errors[row.file] = _error(record)
                continue
            document = redactor.redacted(record) if redactor is not None else record
            read.documents.append(document)
            read.sizes[row.file] = len(document.text.encode("utf-8", "surrogatepass"))
        return read

    def _index(self, folder: Path, documents: Sequence[Document], gone: Sequence[str]) -> None:
        embedder = self._embedder
        chunks: dict[str, list[Chunk]] = {}
        for document in documents:
            # two files of one text are one document with two names
            if document.id not in chunks:
                chunks[document.id] = chunk_document(document, embedder, self._settings.chunk)
        update(folder, documents, [chunk for some in chunks.values() for chunk in some], embedder, roots=gone)

    @cached_property
    def _embedder(self) -> Embedder:
        from doceo.providers.embedders import open_embedder

        return open_embedder(self._settings.embedder)

    def _delete(self, folder: Path) -> None:
        if folder.is_dir():
            delete(folder)
        self._store.vector_stores.forget(folder.name)


def _sources(folder: Path) -> list[str]:
    """Return the names of what an index holds."""
    version = versions.current(folder)
    if version is None:
        return []
    with closing(Texts(version / TEXTS)) as texts:
        return list(texts.sources())


def _compacted(folder: Path) -> None:
    """Leave no vector of a deleted text in the files of an index."""
    version = versions.current(folder)
    if version is not None and read_manifest(folder, version).removed:
        compact(folder)


def _limits(settings: Settings) -> ReadConfig:
    megabytes = min(settings.read.megabytes, settings.service.max_unpacked_mb)
    return settings.read.model_copy(update={"megabytes": megabytes})


def _ending(filename: str) -> str:
    """Return what a file's name says that it is; one that says nothing is taken for text."""
    found = re.search(r"\.[A-Za-z0-9]{1,10}$", filename)
    return found.group() if found else ".txt"


def _error(skipped: Skipped) -> ReadError:
    said = f"{skipped.reason}: {skipped.detail}" if skipped.detail else skipped.reason
    if skipped.reason in _UNSUPPORTED:
        return ReadError(code="unsupported_file", message=said)
    return ReadError(code="server_error" if skipped.reason in _OUR_FAULT else "invalid_file", message=said)


def _tell(done: int, total: int) -> None:
    """Write a line of progress, as the command line does for `DOCEO_PROGRESS=json`."""
    sys.stderr.write(json.dumps({"task": "index", "done": done, "total": total, "unit": "files"}) + "\n")
    sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """Index the store that is named, and print what the command line's `--json` does: one object."""
    lease.watch()
    said, code = {}, 0
    try:
        if not arguments or not arguments[0].startswith(VECTOR_STORE):
            raise UsageError("The id of a vector store is needed.", hint="python -m doceo.app.jobs.indexing STORE_ID")
        home = Path(arguments[1]) if arguments[1:] else HOME
        settings = load_settings({})
        store = open_store(settings.database_url, scrub_later=True)
        with closing(Indexing(settings, store, Uploads(store.files, home / FILES), home, _tell)) as indexing:
            indexing.run(arguments[0])
    except DoceoError as error:
        said = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        code = error.exit_code
    sys.stdout.write(json.dumps(said) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
