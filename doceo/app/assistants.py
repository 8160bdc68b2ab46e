"""The models of a service, by the ids that clients use: each opened once, over the documents as they are now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from data.store import ADAPTER, Run
from doceo.app.engines import Engines
from doceo.app.models import QUOTE
from doceo.app.plain_collections import names
from doceo.app.runs import DEFAULT_COLLECTION, HOME, collection_folder, is_name
from doceo.app.served import Served
from doceo.app.settings import Settings
from doceo.app.systems import ADAPTED, RAG, Systems, default_model
from doceo.app.tunable import tunable
from doceo.core.protocols import Progress
from doceo.providers.addresses import LANGCHAIN
from doceo.providers.blocking import asynchronous
from doceo.providers.chat import is_remote
from doceo.providers.minilm_files import cores
from doceo.providers.vllm_adapter import VllmAdapter
from rag import versions
from rag.answerer import ModelAnswerer
from rag.calibration import FILE as CALIBRATION

_MOST = 64
"""Indexes that are kept open."""


@dataclass
class Assistants:
    """The models of a service, by the ids that clients use: `NAME` or `NAME+COLLECTION`. Safe for threads.

    What `get` returns is asked from one event loop.

    Args:
        settings: The service's settings.
        progress: Where it says what it opens.
        run: The run that is served, if one is.
        collection: The collection behind ids that name none, where no run is served.
        home: The folder of the collections.
    """

    settings: Settings
    progress: Progress
    run: Run | None = None
    collection: str = ""
    home: Path = HOME
    _open: dict[tuple[str, str], tuple[str, Served]] = field(default_factory=dict, init=False)
    _systems: dict[str, tuple[str, Systems]] = field(default_factory=dict, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)

    @cached_property
    def engines(self) -> Engines:
        """The models that are open."""
        return Engines(self._serving, self.progress)

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Where what takes the processor runs: more threads than cores would only wait for one another."""
        return ThreadPoolExecutor(max(2, min(8, cores())), thread_name_prefix="answer")

    def models(self) -> dict[str, str]:
        """Return the models that everybody may name, id to spec: the default, bases, those of the run, `quote` last."""
        first = self.settings.model or default_model(self.run)
        named = {first: first, **tunable(self.settings)} | {name: name for name in self.settings.service.models}
        if self.run is not None and self.run.has(ADAPTER):
            named |= {"tuned": "tuned", "base": "base"}
        return {name: spec for name, spec in named.items() if name != QUOTE} | {QUOTE: QUOTE}

    def warm(self) -> None:
        """Open what the service was started for, so that no question waits for it. Raises ProviderError, IndexUnusable.

        Where that is nothing, documents and models come over HTTP.
        """
        model = self.settings.model or default_model(self.run)
        if model != QUOTE or self.has_documents(""):
            self.get(model)

    def collections(self) -> list[str]:
        """Return the collections that hold documents."""
        return [name for name in names(self.home) if self.has_documents(name)]

    def names(self, allowed: Callable[[str], bool] = lambda name: True, tuned: Iterable[str] = ()) -> list[str]:
        """Return the ids that a client can name, models alone before those over a collection.

        Args:
            allowed: Whether the client may search a collection; an empty name stands for what ids without one use.
            tuned: Tuned models of the client's own.
        """
        models = [*self.models()]
        models[-1:-1] = tuned
        alone = [model for model in models if model != QUOTE or (self.has_documents("") and allowed(""))]
        return alone + [f"{model}+{name}" for name in self.collections() if allowed(name) for model in models]

    def parted(self, name: str) -> tuple[str, str]:
        """Return the model and the collection of an id; the latter is empty where the id names none."""
        model, plus, collection = name.rpartition("+")
        return (model, collection) if plus and name not in self.models() else (name, "")

    def opened(self, name: str) -> Served | None:
        """Return who answers under an id if it is open and current, so that nothing has to be waited for."""
        model, collection = self.parted(name)
        known = self._open.get((model, collection))
        if known is None:
            return None
        index = self._index(collection)
        return known[1] if known[0] == (_state(index) if index is not None else "") else None

    def get(self, name: str, spec: str = "") -> Served | None:
        """Return who answers under an id, opened anew when its index is newer or calibrated anew.

        Args:
            name: The id.
            spec: What to open where the id is a tuned model's, which only its owner may name.

        Returns None for an unknown model or collection, and for `quote` without documents. Raises ProviderError,
        IndexUnusable.
        """
        model, collection = self.parted(name)
        spec = spec or self.models().get(model, "")
        if not spec:
            return None
        index = self._index(collection)
        state = _state(index) if index is not None else ""
        if not state and (collection or model == QUOTE):
            return None
        known = self._open.get((model, collection))
        if known is not None and known[0] == state:
            return known[1]
        with self._lock:
            known = self._open.get((model, collection))
            if known is None or known[0] != state:
                served = self._served(model, spec, index if state else None, state)
                known = self._open[model, collection] = (state, served)
        return known[1]

    async def forget(self, model: str, folder: Path) -> None:
        """Let go of a tuned model that is no more, and of its weights in memory."""
        for served in await asyncio.to_thread(self._closed, model):
            await served.aclose()
        await asyncio.to_thread(self.engines.detach, folder)

    def _closed(self, model: str) -> list[Served]:
        with self._lock:
            return [self._open.pop(key)[1] for key in [key for key in self._open if key[0] == model]]

    def let_go(self) -> None:
        """Forget who answers over documents that have changed: no deleted text stays on the disk for a reader's sake.

        What is being answered now goes on. Raises IndexUnusable.
        """
        with self._lock:
            for key, (state, _) in [*self._open.items()]:
                index = self._index(key[1])
                if state and (index is None or _state(index) != state):
                    del self._open[key]
            for place, (state, _) in [*self._systems.items()]:
                if state and _state(Path(place)) != state:
                    del self._systems[place]

    async def aclose(self) -> None:
        """Close connections and threads, on the event loop that asked."""
        for _, served in self._open.values():
            await served.aclose()
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _served(self, name: str, model: str, index: Path | None, state: str) -> Served:
        kind, _, place = model.partition(":")
        elsewhere = self.settings.service.vllm if kind == ADAPTED else ""
        if elsewhere:
            kind, model = "vllm", f"vllm:{name}@{elsewhere}"
        answerer = self._systems_over(index, state).open(model + (RAG if index is not None else ""))
        if not isinstance(answerer, ModelAnswerer):
            return Served(answerer, None, self.pool)
        remote = asynchronous(answerer.provider)
        if elsewhere:
            remote = VllmAdapter(remote, elsewhere, name, Path(place))
        forms = kind == "gguf" or (is_remote(model) and kind != LANGCHAIN)
        return Served(answerer, remote, self.pool, forms=forms)

    def _systems_over(self, index: Path | None, state: str) -> Systems:
        """Return what opens systems over an index, which all models over it share."""
        key = str(index or "")
        known = self._systems.get(key)
        if known is None or known[0] != state:
            made = Systems(self._serving, self.progress, self.run, index, journaled=False, engines=self.engines)
            known = self._systems[key] = (state, made)
            while len(self._systems) > _MOST:
                self._give_up(next(iter(self._systems)))
        return known[1]

    def _give_up(self, place: str) -> None:
        """Let go of the index that was opened longest ago, and of who answers over it."""
        del self._systems[place]
        for key in [key for key in self._open if str(self._index(key[1]) or "") == place]:
            del self._open[key]

    @cached_property
    def _serving(self) -> Settings:
        """The settings with what a service needs: as many requests to a server at once as are answered at once."""
        engine = self.settings.engine.model_copy(update={"concurrency": self.settings.service.max_chats})
        answer = self.settings.answer.model_copy(update={"trace": True})
        return self.settings.model_copy(update={"engine": engine, "answer": answer})

    def is_collection(self, name: str) -> bool:
        """Return whether there is a collection of a name, which may be anything: no path is made of it."""
        return name in names(self.home)

    def has_documents(self, collection: str = "") -> bool:
        """Return whether a collection holds documents; an empty name stands for what ids without one use."""
        index = self._index(collection)
        return index is not None and versions.current(index) is not None

    def _index(self, collection: str) -> Path | None:
        if collection:
            return collection_folder(collection, self.home) if is_name(collection) else None
        if self.run is not None and not self.collection:
            return self.run.index
        default = collection_folder(self.collection or DEFAULT_COLLECTION, self.home)
        return default if self.collection or versions.current(default) is not None else None


def _state(index: Path) -> str:
    """Return what an answerer over an index has to be opened again for: its version and when it was calibrated."""
    current = versions.current(index)
    if current is None:
        return ""
    made = index / CALIBRATION
    return f"{current.name} {made.stat().st_mtime_ns if made.exists() else ''}"
