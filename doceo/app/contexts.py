"""Search for every question, or pin the whole corpus: what was named, or what was measured on the user's questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from pydantic import TypeAdapter, ValidationError

from data.jsonl import read_json, write_json
from doceo.app.settings import Settings
from doceo.core.errors import InputError
from doceo.core.protocols import Progress, Provider
from doceo.core.records import Record
from rag.asking import Tools
from rag.compiler import Count
from rag.pinning import pin

if TYPE_CHECKING:
    from rag.index import Index

Mode = Literal["retrieve", "pin"]
FILE = "contexts.json"
"""What was measured, beside the versions of an index: {model: Comparison}."""


class Way(Record):
    """How one way did: token F1, 0 to 100; medians and means a question. `first_seconds` are those of the first.

    `cached_tokens` are 0 where the server does not report them.
    """

    score: float
    refused: float
    seconds: float
    first_seconds: float
    prompt_tokens: float
    cached_tokens: float


class Comparison(Record):
    """What was measured with a model over a version of an index; `pin` is None where the corpus does not fit.

    `difference` is the score pinned less the score retrieved, with its 95 % interval.
    """

    model: str
    version: str
    questions: int
    retrieve: Way
    pin: Way | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    choice: Mode
    why: str


@runtime_checkable
class KeepsPrefix(Protocol):
    """A model that can keep the beginning of its prompts."""

    def keep_prefix(self) -> None:
        """Read the beginning that a prompt shares with the one before only once."""
        ...


def with_context(
    tools: Tools, settings: Settings, index: Index, provider: Provider, progress: Progress, *, count: Count, budget: int
) -> Tools:
    """Return the tools of a model, with the corpus pinned in place of the search where that is wanted or measured.

    A local model then keeps the beginning of its prompts. Raises UsageError where the corpus does not fit.

    Args:
        tools: For answers over passages that are searched for.
        settings: Which way is wanted.
        index: The documents.
        provider: The model.
        progress: Where it is said what `auto` takes, and why.
        count: Counts tokens as the model does.
        budget: Most tokens of a prompt.
    """
    mode, note = mode_of(settings, index.folder, index.version, provider.name)
    if note:
        progress.say(note)
    if mode == "retrieve":
        return tools
    shield = tools.shield("") if tools.shield else None
    pinned = pin(index, count, budget, model=provider.name, shield=shield)
    if isinstance(provider, KeepsPrefix):
        provider.keep_prefix()
    return replace(tools, retriever=None, rewriter=None, chance=None, pinned=pinned.passages)


def mode_of(settings: Settings, folder: Path, version: str, model: str) -> tuple[Mode, str]:
    """Return how a model is given documents, and what is to be said of that, if anything."""
    if settings.answer.context != "auto":
        return settings.answer.context, ""
    known = measured(folder).get(model)
    measure = f"doceo calibrate --context --model {model} --questions FILE measures which way is better"
    if known is None:
        return "retrieve", f"Passages are retrieved: nothing was measured for {model}; {measure}."
    if known.version != version and known.choice == "pin":
        return "retrieve", f"Passages are retrieved: the documents have changed since {model} was measured; {measure}."
    done = "All documents are pinned" if known.choice == "pin" else "Passages are retrieved"
    return known.choice, f"{done}: {known.why}"


def keep(folder: Path, done: Comparison) -> None:
    """Keep what was measured beside what was with other models. Raises StorageError."""
    every = {**measured(folder), done.model: done}
    write_json(folder / FILE, {name: one.model_dump(mode="json") for name, one in every.items()})


def measured(folder: Path) -> dict[str, Comparison]:
    """Return what was measured before, by model; a file that cannot be read counts as none: it can be made again."""
    path = folder / FILE
    try:
        return TypeAdapter(dict[str, Comparison]).validate_python(read_json(path)) if path.exists() else {}
    except (ValidationError, InputError):
        return {}
