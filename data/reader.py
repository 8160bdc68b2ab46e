"""Reads files in child processes that are killed when one takes too long or dies."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from data.loaders.loaded import Loaded
from data.sources import SourceFile
from doceo.core.config import ReadConfig
from doceo.core.records import Document, Skipped

_ROOT = Path(__file__).resolve().parent.parent


class Reader:
    """One child process. A new one is started for the next file after one was killed."""

    def __init__(self, config: ReadConfig) -> None:
        self._config = config
        self._child: subprocess.Popen[str] | None = None

    def read(self, file: SourceFile) -> Document | Skipped:
        """Read one file; whatever happens in the child, the caller gets a record."""
        request = json.dumps({"path": str(file.path.resolve()), "limit": self._config.megabytes * 2**20})
        replies: queue.Queue[str] = queue.Queue()
        child = self._child = self._child or self._start()
        stdin, stdout = child.stdin, child.stdout
        assert stdin is not None
        assert stdout is not None
        waiting = threading.Thread(target=lambda: replies.put(stdout.readline()), daemon=True)
        try:
            stdin.write(request + "\n")
            stdin.flush()
            waiting.start()
            line = replies.get(timeout=self._config.seconds)
        except queue.Empty:
            self.close()
            return Skipped(
                source=file.source, reason="timeout", detail=f"reading took more than {self._config.seconds:g} s"
            )
        except BrokenPipeError:
            line = ""
        if not line:
            self.close()
            return Skipped(source=file.source, reason="crashed", detail="the reader died on this file")
        return _record(file.source, json.loads(line))

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

    def _start(self) -> subprocess.Popen[str]:
        # The path is set so that a user's own `data` folder never shadows ours.
        environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}
        return subprocess.Popen(
            [sys.executable, "-m", "data.loaders.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=environment,
        )


def read_files(files: Sequence[SourceFile], config: ReadConfig, workers: int = 2) -> Iterator[Document | Skipped]:
    """Yield a record for every file, in order. A file of the same text as an earlier one is skipped as `duplicate`."""
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

    seen: dict[str, str] = {}
    pool = ThreadPoolExecutor(len(readers))
    try:
        for record in pool.map(read, files):
            if isinstance(record, Document):
                first = seen.setdefault(record.id, record.source)
                if first != record.source:
                    yield Skipped(source=record.source, reason="duplicate", detail=f"the same text as {first}")
                    continue
            yield record
    finally:
        pool.shutdown(cancel_futures=True)
        for reader in readers:
            reader.close()


def _record(source: str, reply: dict[str, str]) -> Document | Skipped:
    if "reason" in reply:
        return Skipped(source=source, reason=reply["reason"], detail=reply["detail"])
    loaded = Loaded.model_validate(reply["loaded"])
    title = loaded.title or source.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("_", " ").replace("-", " ")
    return Document(
        id=Document.identify(loaded.text),
        source=source,
        media_type=loaded.media_type,
        title=" ".join(title.split()),
        text=loaded.text,
        sha256=reply["sha256"],
        pages=loaded.pages,
        metadata=loaded.metadata,
    )
