"""Reads files in child processes that are killed when one takes too long, takes too much memory, or dies."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from data.loaders.loaded import Loaded, Unreadable
from data.sources import SourceFile, is_local
from doceo.core.config import ReadConfig
from doceo.core.records import Document, Skipped

_ROOT = Path(__file__).resolve().parent.parent
_LOOK = 0.02
"""Seconds between two looks at a child's memory."""
_Reply = tuple[dict[str, object], str]


class Reader:
    """One child process. A new one is started for the next file after one was killed."""

    def __init__(self, config: ReadConfig) -> None:
        self._config = config
        self._child: subprocess.Popen[bytes] | None = None

    def read(self, file: SourceFile) -> Document | Skipped:
        """Read one file; whatever happens in the child, the caller gets a record."""
        try:
            header, text = self._ask(file)
        except Unreadable as error:
            self.close()
            return Skipped(source=file.source, reason=error.reason, detail=error.detail)
        return _record(file.source, header, text, self._config)

    def _ask(self, file: SourceFile) -> _Reply:
        """Return the child's reply. Raises Unreadable where it has to be killed, or is dead already."""
        child = self._child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        ending = file.ending or file.path.suffix
        limit = self._config.megabytes * 2**20
        request = json.dumps({"path": str(file.path.resolve()), "ending": ending, "limit": limit})
        replies: queue.Queue[_Reply | None] = queue.Queue()
        waiting = threading.Thread(target=_await, args=(child.stdout, replies), daemon=True)
        try:
            child.stdin.write(request.encode() + b"\n")
            child.stdin.flush()
            waiting.start()
            process = psutil.Process(child.pid)
            reply = self._watch(process, replies)
            if reply is not None and process.memory_info().rss > 0.7 * self._config.memory * 2**20:
                self.close()  # what one file leaves behind is not counted against the next
        except (BrokenPipeError, psutil.NoSuchProcess):
            reply = None
        if reply is None:
            raise Unreadable("crashed", "the process that read it died; the other files are not touched by that")
        return reply

    def _watch(self, process: psutil.Process, replies: queue.Queue[_Reply | None]) -> _Reply | None:
        """Return the reply, or None from a child that died. Raises Unreadable where it is over a limit."""
        end = time.monotonic() + self._config.seconds
        while (left := end - time.monotonic()) > 0:
            try:
                return replies.get(timeout=min(_LOOK, left))
            except queue.Empty:
                if process.memory_info().rss > self._config.memory * 2**20:
                    detail = f"reading took more than {self._config.memory} MB of memory; see --read-memory"
                    raise Unreadable("memory", detail) from None
        raise Unreadable("timeout", f"reading took more than {self._config.seconds:g} s; see --read-seconds")

    def close(self) -> None:
        """Kill the child, if there is one."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            self._child = None

    def _start(self) -> subprocess.Popen[bytes]:
        # The path is set so that a user's own `data` folder never shadows ours.
        environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}
        return subprocess.Popen(
            [sys.executable, "-m", "data.loaders.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )


def _await(stdout: IO[bytes], replies: queue.Queue[_Reply | None]) -> None:
    """Take one reply from a child and hand it over; None where the child died first."""
    reply: _Reply | None = None
    with suppress(ValueError, OSError):  # the pipe was closed because the child was killed
        if line := stdout.readline():
            header = json.loads(line)
            size = header.get("bytes", 0)
            if len(text := stdout.read(size)) == size:
                reply = header, text.decode("utf-8")
    replies.put(reply)


def read_files(files: Sequence[SourceFile], config: ReadConfig, workers: int = 2) -> Iterator[Document | Skipped]:
    """Yield a record for every file, in order. A file of the same text as an earlier one is skipped as `duplicate`."""
    return distinct(read_each(files, config, workers))


def read_each(files: Sequence[SourceFile], config: ReadConfig, workers: int = 2) -> Iterator[Document | Skipped]:
    """Yield a record for every file, in order, whatever the others hold."""
    idle: queue.Queue[Reader] = queue.Queue()
    readers = [Reader(config) for _ in range(max(1, min(workers, len(files))))]
    for reader in readers:
        idle.put(reader)

    def read(file: SourceFile) -> Document | Skipped:
        reader = idle.get()
        try:
            return reader.read(file)
        finally:
            idle.put(reader)

    pool = ThreadPoolExecutor(len(readers))
    try:
        yield from pool.map(read, files)
    finally:
        pool.shutdown(cancel_futures=True)
        for reader in readers:
            reader.close()


def distinct(records: Iterable[Document | Skipped]) -> Iterator[Document | Skipped]:
    """Yield the records of files, those of the same text as an earlier one skipped as `duplicate`."""
    seen: dict[str, str] = {}
    for record in records:
        if isinstance(record, Document):
            first = seen.setdefault(record.id, record.source)
            if first != record.source:
                yield Skipped(source=record.source, reason="duplicate", detail=f"the same text as {first}")
                continue
        yield record


def _record(source: str, reply: dict[str, object], text: str, config: ReadConfig) -> Document | Skipped:
    if "reason" in reply:
        return Skipped(source=source, reason=str(reply["reason"]), detail=str(reply["detail"]))
    loaded = Loaded.model_validate(reply["loaded"])
    title = loaded.title or source.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("_", " ").replace("-", " ")
    local = {"local": "true"} if is_local(source, config.local) else {}
    return Document(
        id=Document.identify(text),
        source=source,
        media_type=loaded.media_type,
        title=" ".join(title.split()),
        text=text,
        sha256=str(reply["sha256"]),
        pages=loaded.pages,
        metadata={**loaded.metadata, **local},
    )
