"""One model in memory, and the adapters that are switched on and off over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doceo.core.errors import ProviderError
from doceo.providers.chat_turns import end_of_turn
from doceo.providers.hf_models import Opened, quiet

if TYPE_CHECKING:
    from doceo.providers.local_batches import Batches


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
        self.lock, self._making = threading.RLock(), threading.Lock()
        self._adapters: dict[Path, str] = {}
        self._attached = 0
        self._batches: Batches | None = None

    def batches(self) -> Batches:
        """Return what generates for many at once, made at the first need."""
        from doceo.providers.local_batches import Batches

        with self._making:
            self._batches = self._batches or Batches(self)
            return self._batches

    def holds(self, adapter: str | None) -> bool:
        """Return whether an adapter is attached; the base alone always is."""
        return adapter is None or adapter in self._adapters.values()

    def mixes(self, adapter: str | None) -> bool:
        """Return whether rows of an adapter can stand in one batch with rows of others: plain LoRA on layers can."""
        if adapter is None:
            return True
        config = self.model.peft_config[adapter]
        special = ("use_dora", "modules_to_save", "target_parameters", "trainable_token_indices")
        plain = not any(getattr(config, name, None) for name in special)
        return config.peft_type == "LORA" and getattr(config, "bias", "none") == "none" and plain

    def clear_hooks(self) -> None:
        """Take away what PEFT leaves on the layers where a generation for several adapters fails."""
        if self._adapters:
            from peft.tuners.lora import LoraLayer

            for module in self.model.modules():
                if isinstance(module, LoraLayer):
                    module._forward_pre_hooks.clear()
                    module._forward_pre_hooks_with_kwargs.clear()

    def attach(self, adapter: Path) -> str:
        """Load an adapter beside those already there and return its name in the model."""
        from peft import PeftModel
        from safetensors import SafetensorError

        adapter = adapter.resolve()
        with self.lock, quiet():
            if adapter in self._adapters:
                return self._adapters[adapter]
            name = f"adapter{self._attached}"
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
            self._attached += 1
            return name

    def detach(self, adapter: Path) -> None:
        """Give an adapter's memory back. The last one stays: PEFT has no model without any."""
        with self.lock:
            if len(self._adapters) > 1 and (name := self._adapters.pop(adapter.resolve(), None)) is not None:
                self.model.delete_adapter(name)

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
