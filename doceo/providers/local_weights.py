"""One model in memory, and the adapters that are switched on and off over it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doceo.core.errors import ModelNotFound, ProviderError
from doceo.providers.chat_turns import end_of_turn
from doceo.providers.hf_models import Opened, quiet
from doceo.providers.mixed_lora import mixed, mixes
from doceo.providers.model_folder import check_adapter

if TYPE_CHECKING:
    from doceo.providers.local_batches import Batches


class Size(NamedTuple):
    """Parameters of a base, bytes of its weights, bytes of an adapter's beside them, and where they lie."""

    parameters: int | None
    model_bytes: int
    adapter_bytes: int
    device: str | None


class SharedWeights:
    """One model in memory and the adapters attached to it; whoever uses it holds its lock.

    Args:
        opened: The model.
        most: Adapters that are in memory at once: those used longest ago are let go, and read again when they are
            wanted again. None: all.
    """

    def __init__(self, opened: Opened, most: int | None = None) -> None:
        self.model: Any = opened.model
        self.tokenizer = opened.tokenizer
        self.context = opened.context
        mark = end_of_turn(opened.tokenizer)
        self.end: int | None = opened.tokenizer.convert_tokens_to_ids(mark) if mark else None
        """The token that the chat template writes behind an assistant's turn."""
        self.lock, self._making = threading.RLock(), threading.Lock()
        self.most = most
        self._mixing: dict[Path, bool] = {}
        """Adapters that may be used, and whether rows of theirs can stand in one batch with rows of others."""
        self._loaded: OrderedDict[Path, str] = OrderedDict()
        """Names in the model of the adapters in memory, those used longest ago first."""
        self._names = 0
        self._batches: Batches | None = None

    def batches(self) -> Batches:
        """Return what generates for many at once, made at the first need."""
        from doceo.providers.local_batches import Batches

        with self._making:
            self._batches = self._batches or Batches(self)
            return self._batches

    def mixes(self, adapter: Path | None) -> bool:
        """Return whether rows of an adapter can stand in one batch with rows of others: plain LoRA on layers can."""
        return adapter is None or self._mixing.get(adapter, False)

    def attach(self, adapter: Path) -> Path:
        """Load an adapter beside those already there and return the place that it is used by.

        Raises ModelNotFound, ProviderError.
        """
        adapter = adapter.resolve()
        if adapter not in self._mixing:
            with self.lock:
                name = self._load(adapter)
                self._mixing[adapter] = mixes(self.model, name)
                self._let_go({adapter})
        return adapter

    def detach(self, adapter: Path) -> None:
        """Give an adapter's memory back: it may not be used any more.

        The last one goes with the next that is loaded: PEFT has no model without any.
        """
        self._mixing.pop(adapter.resolve(), None)
        with self.lock:
            self._let_go(())

    def size(self, adapter: Path | None) -> Size:
        """Return what the base takes, and what one adapter in memory takes beside it."""
        base, own = [], []
        with self.lock:
            attached, name = set(self._loaded.values()), self._loaded.get(adapter) if adapter else None
            for key, weight in self.model.named_parameters():
                part = attached.intersection(key.split("."))
                if not part:
                    base.append(weight)
                elif name in part:
                    own.append(weight)
            return Size(
                parameters=sum(weight.numel() for weight in base),
                model_bytes=sum(weight.nbytes for weight in base),
                adapter_bytes=sum(weight.nbytes for weight in own),
                device=str(self.model.device),
            )

    @contextmanager
    def using(self, adapters: Sequence[Path | None]) -> Iterator[Any]:
        """Hold the lock and give the model, ready for a row of each adapter; None is the base alone.

        Where they are several, those of one adapter have to stand together.

        Raises ModelNotFound for an adapter that was detached, ProviderError.
        """
        with self.lock:
            wanted = [adapter for adapter in dict.fromkeys(adapters) if adapter is not None]
            if not all(adapter in self._mixing for adapter in wanted):
                raise ModelNotFound("The model was deleted.", hint="/v1/models lists those that there are.")
            names = {adapter: self._load(adapter) for adapter in wanted}
            self._let_go(names)
            ready: AbstractContextManager[object] = nullcontext()
            if len(set(adapters)) > 1:
                ready = mixed(self.model, [None if adapter is None else names[adapter] for adapter in adapters])
            elif names:
                self.model.set_adapter(next(iter(names.values())))
            elif self._loaded:
                ready = self.model.disable_adapter()
            with ready:
                yield self.model

    def _load(self, adapter: Path) -> str:
        """Return an adapter's name in the model, loaded where it is not there."""
        from peft import PeftModel
        from safetensors import SafetensorError

        if adapter not in self._loaded:
            check_adapter(adapter)
            name = f"adapter{self._names}"
            try:
                with quiet():
                    if self._loaded:
                        self.model.load_adapter(adapter, adapter_name=name, is_trainable=False)
                    else:
                        self.model = PeftModel.from_pretrained(self.model, adapter, adapter_name=name)
            except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
                raise ProviderError(
                    f"The adapter {adapter} cannot be put on this base: {' '.join(str(error).split())[:200]}",
                    hint="An adapter fits only the base it was trained on; name that one.",
                ) from error
            self.model.eval()
            self._loaded[adapter] = name
            self._names += 1
        self._loaded.move_to_end(adapter)
        return self._loaded[adapter]

    def _let_go(self, needed: Collection[Path]) -> None:
        """Take adapters out of memory: those that may not be used any more, then those used longest ago."""
        gone = [adapter for adapter in self._loaded if adapter not in self._mixing]
        if self.most is not None:
            gone += [adapter for adapter in self._loaded if adapter not in gone][: -self.most]
        for adapter in gone:
            if adapter not in needed and len(self._loaded) > 1:
                name = self._loaded.pop(adapter)
                self.model.set_adapter(next(reversed(self._loaded.values())))  # it warns where one that is on goes
                self.model.delete_adapter(name)
