"""From `KIND[:NAME]`, as users write it, to teachers and chat models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.settings import Settings
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress, Provider, Teacher
from doceo.core.records import Chunk, Document
from doceo.providers.chat import is_remote, open_chat

if TYPE_CHECKING:
    from doceo.providers.local_hf import LocalModel

EXTRACTIVE, QUOTE = "extractive", "quote"


@dataclass(frozen=True)
class TeacherChoice:
    """A teacher that is not opened yet: its identity decides whether finished pairs are still its own."""

    identity: dict[str, str]
    open: Callable[[], Teacher]
    spent: Callable[[], str]


def choose_teacher(
    spec: str, corpus: Sequence[tuple[Document, Sequence[Chunk]]], settings: Settings, journal: Path, progress: Progress
) -> TeacherChoice:
    """Return the teacher that a spec names. Raises UsageError; opening it may raise ProviderError."""
    if spec == EXTRACTIVE:
        from generator.teachers.extractive import ExtractiveTeacher

        return TeacherChoice({"teacher": spec}, lambda: ExtractiveTeacher(corpus), lambda: "It cost nothing.")
    from generator.teachers.llm import LLMTeacher, prompt_hashes

    opened: list[Provider] = []

    def open_it() -> Teacher:
        provider = open_provider(spec, settings, journal=journal, progress=progress)
        opened.append(provider)
        return LLMTeacher(provider)

    return TeacherChoice({"teacher": spec, **prompt_hashes()}, open_it, lambda: _spent(opened))


def open_provider(spec: str, settings: Settings, *, journal: Path | None, progress: Progress) -> Provider:
    """Open a chat model by spec; for a remote one the host that will receive text is said first.

    Raises UsageError for a spec that cannot be understood, ProviderError where the model cannot be opened.
    """
    if spec in (EXTRACTIVE, QUOTE):
        raise UsageError(
            f"{spec!r} is not a chat model.", hint="Name one, such as openai:MODEL, ollama:MODEL or hf:PATH."
        )
    if is_remote(spec):
        provider = open_chat(
            spec, base_url=settings.base_url or None, journal=journal, concurrency=settings.generate.concurrency
        )
        progress.say(f"Text will be sent to {provider.host} ({spec}).")
        return provider
    return open_local(spec, settings)


def open_local(spec: str, settings: Settings, adapter: Path | None = None) -> LocalModel:
    """Open a Hugging Face model by folder or name (`hf:` may be left out), with an adapter where one is given."""
    kind, _, name = spec.partition(":")
    if kind != "hf":
        name = spec
        if ":" in spec and not Path(spec).exists():
            open_chat(spec)  # raises the error that names the nearest kind
    from doceo.providers.local_hf import LocalModel

    return LocalModel(name, adapter=adapter, name=f"hf:{name}")


def _spent(opened: Sequence[Provider]) -> str:
    """Say what the teacher's kept replies took, earlier processes of the same run included."""
    if not opened:
        return ""
    from doceo.providers.journal import Journaled

    teacher = opened[0]
    if not isinstance(teacher, Journaled):
        return "It ran on this machine."
    usage = teacher.spent()
    price = "at no price known to Doceo" if usage.cost is None else f"for {usage.cost:.4f} USD"
    return f"It read {usage.prompt_tokens:,} tokens and wrote {usage.completion_tokens:,}, {price}."
