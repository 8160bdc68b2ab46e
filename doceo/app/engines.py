"""The models that are open, each once: bases with any number of adapters, GGUF files, servers elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from doceo.app.models import check_spec, open_here, open_local, open_provider
from doceo.app.settings import Settings
from doceo.core.protocols import Progress, Provider
from doceo.providers import model_folder
from doceo.providers.chat import context_of
from doceo.providers.shipped_model import located

if TYPE_CHECKING:
    from doceo.providers.local_gguf import GgufModel
    from doceo.providers.local_hf import LocalModel

K = TypeVar("K")
T = TypeVar("T")


class Engines:
    """Opens models at the first need and keeps them. Safe for threads; what is open is given without waiting.

    Args:
        settings: How they are opened.
        progress: Where the host of a remote model is said.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings, self._progress = settings, progress
        self._bases: dict[str, LocalModel] = {}
        self._files: dict[str, LocalModel | GgufModel] = {}
        self._servers: dict[tuple[str, Path | None], tuple[Provider, int | None]] = {}
        self._opening: dict[object, threading.Lock] = {}
        self._turn = threading.Lock()

    def base(self, base: str, adapter: Path | None, name: str) -> LocalModel:
        """Return a base, alone or with an adapter, called by a name. Raises ProviderError."""
        found = located(base)
        key = str(Path(found).resolve()) if Path(found).is_dir() else found
        opened = self._once(self._bases, key, lambda: open_local(key, self._settings))
        return opened.with_adapter(adapter, name)

    def detach(self, adapter: Path) -> None:
        """Take an adapter that is no more off the bases that hold it."""
        for opened in list(self._bases.values()):
            opened.detach(adapter)

    def here(self, spec: str) -> LocalModel | GgufModel:
        """Return a model of this machine by its spec. Raises ProviderError, UsageError, MissingExtra."""
        kind, _, name = spec.partition(":")
        if kind == "gguf":
            return self._once(self._files, spec, lambda: open_here(spec, self._settings))
        if kind != "hf":
            check_spec(spec)
            name = spec
        folder = Path(name)
        if (folder / model_folder.ADAPTER).exists():
            return self.base(model_folder.base_of(folder), folder, f"hf:{name}")
        return self.base(name, None, f"hf:{name}")

    def server(self, spec: str, journal: Path | None) -> tuple[Provider, int | None]:
        """Return a model behind an address, and what it can read in tokens, where its server says so.

        Raises UsageError, ProviderError.
        """

        def open_it() -> tuple[Provider, int | None]:
            provider = open_provider(spec, self._settings, journal=journal, progress=self._progress)
            return provider, context_of(spec, self._settings.base_url or None)

        return self._once(self._servers, (spec, journal), open_it)

    def forget(self, spec: str) -> None:
        """Keep a model behind an address no longer; who has it closes it."""
        self._servers.pop((spec, None), None)

    def _once(self, held: dict[K, T], key: K, make: Callable[[], T]) -> T:
        if (found := held.get(key)) is not None:
            return found
        with self._turn:
            opening = self._opening.setdefault((id(held), key), threading.Lock())
        with opening:  # a model that takes its time holds up nobody who wants another
            if (found := held.get(key)) is None:
                found = held[key] = make()
        return found
