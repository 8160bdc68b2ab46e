"""One model in memory, and the adapters that are switched on and off over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from doceo.core.errors import ProviderError
from doceo.providers.chat_turns import end_of_turn
from doceo.providers.hf_models import Opened, quiet


class Size(NamedTuple):
    """Parameters of a base, bytes of its weights, bytes of an adapter's beside them, and where they lie."""

    parameters: int | None
    model_bytes: int
    adapter_bytes: int
    device: str | None


class SharedWeights:
    """One model in memory and the adapters attached to it; whoever uses it holds its lock."""

    def __init__(self, opened: Opened) -> None:
        self.model: Any = opened.model
        self.tokenizer = opened.tokenizer
        self.context = opened.context
        mark = end_of_turn(opened.tokenizer)
        self.end: int | None = opened.tokenizer.convert_tokens_to_ids(mark) if mark else None
        """The token that the chat template writes behind an assistant's turn."""
        self.lock = threading.RLock()
        self._adapters: dict[Path, str] = {}

    def attach(self, adapter: Path) -> str:
        """Load an adapter beside those already there and return its name in the model."""
        from peft import PeftModel
        from safetensors import SafetensorError

        adapter = adapter.resolve()
        with self.lock, quiet():
            if adapter in self._adapters:
                return self._adapters[adapter]
            name = f"adapter{len(self._adapters)}"
            try:
                if self._adapters:
                    self.model.load_adapter(adapter, adapter_name=name, is_trainable=False)
                else:
                    self.model = PeftModel.from_pretrained(self.model, adapter, adapter_name=name)
            except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
                raise ProviderError(
                    f"The adapter {adapter} cannot be put on this base: {' '.join(str(error).split())[:200]}",
                    hint="An adapter fits only the base it was trained on; name that one.",
                ) from error
            self.model.eval()
            self._adapters[adapter] = name
            return name

    def size(self, adapter: str | None) -> Size:
        """Return what the base takes, and what one adapter takes beside it."""
        attached, base, own = set(self._adapters.values()), [], []
        with self.lock:
            for name, weight in self.model.named_parameters():
                part = attached.intersection(name.split("."))
                if not part:
                    base.append(weight)
                elif adapter in part:
                    own.append(weight)
            return Size(
                parameters=sum(weight.numel() for weight in base),
                model_bytes=sum(weight.nbytes for weight in base),
                adapter_bytes=sum(weight.nbytes for weight in own),
                device=str(self.model.device),
            )

    @contextmanager
    def using(self, adapter: str | None) -> Iterator[Any]:
        """Hold the lock and give the model with one adapter switched on, or with none."""
        with self.lock:
            off: AbstractContextManager[object] = nullcontext()
            if adapter is not None:
                self.model.set_adapter(adapter)
            elif self._adapters:
                off = self.model.disable_adapter()
            with off:
                yield self.model
