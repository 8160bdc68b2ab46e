"""The models of a service, by the ids that clients use: each opened once, over the documents as they are now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from data.store import ADAPTER, Run
from doceo.app.engines import Engines
from doceo.app.index_state import current, state_of
from doceo.app.indexes import Indexes
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

_MOST = 64
"""Indexes that are kept open."""
_OPENED_AT_ONCE = 16
"""Models on their way into memory at once: they wait for disks and servers, not for the processor."""
Place = tuple[str, str | None]
"""A model, and the collection that it answers from: empty, the one of ids that name none; None, no documents."""


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

    Attributes:
        engines: The models that are open.
        indexes: The indexes that are open.
        pool: Where what takes the processor runs: more threads than cores would only wait for one another.
    """

    settings: Settings
    progress: Progress
    run: Run | None = None
    collection: str = ""
    home: Path = HOME
    _open: dict[Place, tuple[str, Served]] = field(default_factory=dict, init=False)
    _systems: dict[str, tuple[str, Systems]] = field(default_factory=dict, init=False)
    _tuned: dict[str, str] = field(default_factory=dict, init=False)
    _opening: dict[Place, Future[Served | None]] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        # a server is asked as many things at once as are answered at once
        engine = self.settings.engine.model_copy(update={"concurrency": self.settings.service.max_chats})
        answer = self.settings.answer.model_copy(update={"trace": True})
        self._serving = self.settings.model_copy(update={"engine": engine, "answer": answer})
        self.engines = Engines(self._serving, self.progress)
        self.indexes = Indexes(self.settings.embedder)
        self.pool = ThreadPoolExecutor(max(2, min(8, cores())), thread_name_prefix="answer")
        # threads of their own: one that waits for a download must not keep the service from looking at keys
        self._openers = ThreadPoolExecutor(_OPENED_AT_ONCE, thread_name_prefix="open")

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
        return (model, collection) if plus and collection and name not in self.models() else (name, "")

    def get(self, model: str, collection: str | None = "", spec: str = "") -> Served | None:
        """Return who answers under an id, opened anew when its index is newer or calibrated anew.

        Args:
            model: The model of the id.
            collection: The collection; empty, the one of ids that name none; None, no documents.
            spec: What to open where the id is a tuned model's, which only its owner may name.

        None for what there is not, and for `quote` without documents. Raises ProviderError, IndexUnusable.
        """
        return self._opened((model, collection)) or self._asked((model, collection), spec).result()

    async def ready(self, model: str, collection: str | None = "", spec: str = "") -> Served | None:
        """Return the same on an event loop, where only who asks for it waits for what has to be opened."""
        place = model, collection
        return self._opened(place) or await asyncio.shield(asyncio.wrap_future(self._asked(place, spec)))

    async def forget(self, model: str) -> None:
        """Let go of a tuned model that is no more, and of its weights in memory."""
        with self._lock:
            spec = self._tuned.pop(model, "")
            closed = [self._open.pop(place)[1] for place in [*self._open] if place[0] == model]
        for served in closed:
            await served.aclose()
        self.engines.forget(self._at_vllm(model))
        if spec:
            await asyncio.wrap_future(self._openers.submit(self.engines.detach, Path(spec.partition(":")[2])))

    def deleted(self, there: Callable[[Collection[str]], set[str]]) -> list[str]:
        """Return the tuned models held here that are not among those `there`: another process may have deleted them."""
        held = [*self._tuned]
        return sorted({*held} - there(held)) if held else []

    def let_go(self) -> None:
        """Forget who answers over documents that have changed: no deleted text stays on the disk for a reader's sake.

        What is being answered now goes on.
        """
        with self._lock:
            for place, (state, _) in [*self._open.items()]:
                if state and not current(self._index(place[1]), state):
                    del self._open[place]
            for folder, (state, _) in [*self._systems.items()]:
                if state and not current(Path(folder), state):
                    del self._systems[folder]

    async def aclose(self) -> None:
        """Close connections and threads, on the event loop that asked."""
        for _, served in [*self._open.values()]:
            await served.aclose()
        for threads in (self.pool, self._openers):
            threads.shutdown(wait=False, cancel_futures=True)

    def is_collection(self, name: str) -> bool:
        """Return whether there is a collection of a name, which may be anything: no path is made of it."""
        return name in names(self.home)

    def has_documents(self, collection: str = "") -> bool:
        """Return whether a collection holds documents; an empty name stands for what ids without one use."""
        index = self._index(collection)
        return index is not None and versions.current(index) is not None

    def _opened(self, place: Place) -> Served | None:
        """Return who answers if it is open and current."""
        known = self._open.get(place)
        return known[1] if known is not None and known[0] == state_of(self._index(place[1])) else None

    def _asked(self, place: Place, spec: str) -> Future[Served | None]:
        """Return who will answer: all that ask for one at the same time wait for one thread."""
        with self._lock:
            if place not in self._opening:
                self._opening[place] = self._openers.submit(self._open_it, place, spec)
            asked = self._opening[place]
        asked.add_done_callback(lambda _: self._opening.pop(place, None))
        return asked

    def _open_it(self, place: Place, tuned: str) -> Served | None:
        model, collection = place
        spec = tuned or self.models().get(model, "")
        index = self._index(collection)
        state = state_of(index)
        if not spec or (not state and (collection or model == QUOTE)):
            return None
        served = self._served(model, spec, index if state else None, state)
        with self._lock:
            self._open[place] = state, served
            if tuned:
                self._tuned[model] = tuned
        return served

    def _served(self, name: str, model: str, index: Path | None, state: str) -> Served:
        kind, _, folder = model.partition(":")
        elsewhere = self.settings.service.vllm if kind == ADAPTED else ""
        if elsewhere:
            kind, model = "vllm", self._at_vllm(name)
        answerer = self._systems_over(index, state).open(model + (RAG if index is not None else ""))
        if not isinstance(answerer, ModelAnswerer):
            return Served(answerer, None, self.pool)
        remote = asynchronous(answerer.provider)
        if elsewhere:
            remote = VllmAdapter(remote, elsewhere, name, Path(folder))
        forms = kind == "gguf" or (is_remote(model) and kind != LANGCHAIN)
        return Served(answerer, remote, self.pool, forms=forms)

    def _at_vllm(self, name: str) -> str:
        return f"vllm:{name}@{self.settings.service.vllm}"

    def _systems_over(self, index: Path | None, state: str) -> Systems:
        """Return what opens systems over an index, which all models over it share."""
        key = str(index or "")
        with self._lock:
            known = self._systems.get(key)
            if known is None or known[0] != state:
                made = Systems(self._serving, self.progress, self.run, index, journaled=False)
                made.engines, made.indexes = self.engines, self.indexes
                known = self._systems[key] = (state, made)
                while len(self._systems) > _MOST:  # the one opened longest ago goes, and who answers over it
                    gone = next(iter(self._systems))
                    del self._systems[gone]
                    for place in [place for place in self._open if str(self._index(place[1]) or "") == gone]:
                        del self._open[place]
        return known[1]

    def _index(self, collection: str | None) -> Path | None:
        if collection is None:
            return None
        if collection:
            return collection_folder(collection, self.home) if is_name(collection) else None
        if self.run is not None and not self.collection:
            return self.run.index
        default = collection_folder(self.collection or DEFAULT_COLLECTION, self.home)
        return default if self.collection or (default / versions.POINTER).exists() else None
