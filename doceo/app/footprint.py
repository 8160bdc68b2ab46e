"""What a system takes: parameters, and bytes in memory and on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from doceo.app.answering import in_batches
from doceo.core.protocols import Answerer
from doceo.core.records import SystemFacts
from doceo.providers.local_weights import Size
from rag import versions
from rag.answerer import ModelAnswerer
from rag.index import size


@runtime_checkable
class Sized(Protocol):
    """A model on this machine."""

    def size(self) -> Size:
        """Return what it takes."""
        ...


def facts_of(answerer: Answerer, index: Path | None) -> SystemFacts:
    """Return what a system takes, with the index that it searches, if it does; of a model on a server nothing."""
    current = versions.current(index) if index is not None else None
    facts = SystemFacts(file="", index_bytes=size(current) if current else None, batched=in_batches(answerer))
    if not isinstance(answerer, ModelAnswerer):  # it reads, and has no weights worth the name
        return facts.model_copy(update={"parameters": 0, "model_bytes": 0, "adapter_bytes": 0, "device": "cpu"})
    if not isinstance(answerer.provider, Sized):
        return facts
    return facts.model_copy(update=answerer.provider.size()._asdict())
