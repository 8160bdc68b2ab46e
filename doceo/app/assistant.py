"""Who answers in `ask`, `chat` and `serve`: a model by name, over a run, a collection, or nothing."""

from __future__ import annotations

import threading
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from data.store import ADAPTER, Run
from doceo.app.collection import collections
from doceo.app.models import QUOTE
from doceo.app.runs import DEFAULT_COLLECTION, collection_folder, existing_run, run_at
from doceo.app.settings import Settings
from doceo.app.systems import RAG, Systems, default_model
from doceo.core.errors import IndexUnusable, UsageError
from doceo.core.protocols import Answerer, Progress
from rag import versions
from rag.calibration import FILE as CALIBRATION


def choose_documents(run: str, collection: str, *, none: bool) -> tuple[Run | None, Path | None]:
    """Return the run and the index that a command's options name; the collection `default` where none is named.

    Raises UsageError where options contradict, RunError or IndexUnusable where what is named does not exist.
    """
    if collection and (run or none):
        raise UsageError("--collection goes with neither --run nor --no-documents.", hint="Name one of them.")
    found = existing_run(run) if run else None
    if none:
        return found, None
    if found is not None:
        return found, found.index
    if not collection and versions.current(collection_folder(DEFAULT_COLLECTION)) is None:
        demo = run_at("demo")
        known = f" There is a run: --run {demo.path}." if demo.path.is_dir() else ""
        raise IndexUnusable(
            "There are no documents to answer from: no --run, no --collection, and no collection called default.",
            hint=f"Index your documents first: doceo index FOLDER.{known} Or ask a model alone: --no-documents.",
        )
    return None, collection_folder(collection or DEFAULT_COLLECTION)


def assistant(
    settings: Settings,
    progress: Progress,
    *,
    run: str = "",
    collection: str = "",
    no_documents: bool = False,
    summaries: MutableMapping[str, str] | None = None,
) -> Answerer:
    """Return who answers, as the options say; what is asked is not kept in a run's journal.

    Raises UsageError, RunError, IndexUnusable, ProviderError.
    """
    found, index = choose_documents(run, collection, none=no_documents)
    model = settings.model or default_model(found)
    if no_documents and model == QUOTE:
        raise UsageError(
            "Without documents a model has to answer.", hint="Name one with --model, such as hf:PATH or openai:NAME."
        )
    systems = Systems(settings, progress, found, index, summaries=summaries, journaled=False)
    return systems.open(model + (RAG if index is not None else ""))


@dataclass
class Assistants:
    """The models of a service, by the ids that clients use: `NAME` or `NAME+COLLECTION`. Safe for threads.

    Args:
        settings: The service's settings.
        progress: Where it says what it opens.
        run: The run that is served, if one is.
        collection: The collection behind ids that name none, where no run is served.
    """

    settings: Settings
    progress: Progress
    run: Run | None = None
    collection: str = ""
    _open: dict[str, tuple[str, Answerer]] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def names(self) -> list[str]:
        """Return the ids that a client can name, the default first."""
        models = [self.settings.model or default_model(self.run), QUOTE]
        if self.run is not None and self.run.has(ADAPTER):
            models += ["tuned", "base"]
        models = list(dict.fromkeys(models))
        alone = models if self._has_documents("") else [model for model in models if model != QUOTE]
        named = [name for name in collections() if self._has_documents(name)]
        return alone + [f"{model}+{name}" for name in named for model in models]

    def get(self, name: str) -> Answerer | None:
        """Return the answerer of an id, opened again when its index is newer or calibrated anew; None if unknown."""
        if name not in self.names():
            return None
        model, _, collection = name.partition("+")
        index = self._index(collection)
        version = _state(index) if index is not None else ""
        with self._lock:
            known = self._open.get(name)
            if known is None or known[0] != version:
                systems = Systems(self.settings, self.progress, self.run, index, journaled=False)
                known = self._open[name] = (version, systems.open(model + (RAG if version else "")))
        return known[1]

    def _has_documents(self, collection: str) -> bool:
        index = self._index(collection)
        return index is not None and versions.current(index) is not None

    def _index(self, collection: str) -> Path | None:
        if collection:
            return collection_folder(collection)
        if self.run is not None and not self.collection:
            return self.run.index
        default = collection_folder(self.collection or DEFAULT_COLLECTION)
        return default if self.collection or versions.current(default) is not None else None


def _state(index: Path) -> str:
    """Return what an answerer over an index has to be opened again for: its version and when it was calibrated."""
    current = versions.current(index)
    if current is None:
        return ""
    made = index / CALIBRATION
    return f"{current.name} {made.stat().st_mtime_ns if made.exists() else ''}"
