"""From `KIND[:NAME]`, as users write it, to chat models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.settings import Settings
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress, Provider
from doceo.providers.chat import is_remote, open_blocking, open_chat
from doceo.providers.remote import AsyncRemote

if TYPE_CHECKING:
    from doceo.providers.blocking import Threaded
    from doceo.providers.capped import Budget
    from doceo.providers.local_gguf import GgufModel
    from doceo.providers.local_hf import LocalModel

EXTRACTIVE, QUOTE = "extractive", "quote"
CONTEXT = 8192
"""Most tokens that a GGUF file is opened for, where `answer.context_tokens` does not say; memory is taken for all."""


def open_provider(spec: str, settings: Settings, *, journal: Path | None, progress: Progress) -> Provider:
    """Open a chat model by spec; for a remote one the host that will receive text is said first.

    Raises UsageError for a spec that cannot be understood, ProviderError where the model cannot be opened.
    """
    _check(spec)
    if is_remote(spec):
        provider = open_blocking(spec, base_url=settings.base_url or None, journal=journal, engine=settings.engine)
        _say_host(spec, provider.host, progress)
        return provider
    return open_here(spec, settings)


def open_async(
    spec: str, settings: Settings, *, journal: Path, budget: Budget | None, progress: Progress
) -> AsyncRemote | Threaded:
    """Open a chat model that is asked many things at once. Arguments and errors as `open_provider`.

    Args:
        spec: The model.
        settings: The command's settings.
        journal: The file that keeps every reply of a remote model.
        budget: What the run's remote models may cost together; None: as they come.
        progress: Where the host is said.
    """
    _check(spec)
    if is_remote(spec):
        base_url = settings.base_url or None
        remote = open_chat(spec, base_url=base_url, journal=journal, engine=settings.engine, budget=budget)
        _say_host(spec, remote.host, progress)
        return remote
    from doceo.providers.blocking import Threaded

    return Threaded(open_here(spec, settings))


def open_here(spec: str, settings: Settings) -> LocalModel | GgufModel:
    """Open a model of this machine: a GGUF file as `gguf:PATH`, else one of Hugging Face as `open_local`.

    Raises ProviderError, UsageError, MissingExtra.
    """
    kind, _, path = spec.partition(":")
    if kind != "gguf":
        return open_local(spec, settings)
    from doceo.providers.local_gguf import GgufModel

    return GgufModel(path, name=spec, context=settings.answer.context_tokens or CONTEXT)


def open_local(spec: str, settings: Settings, adapter: Path | None = None) -> LocalModel:
    """Open a Hugging Face model by folder or name (`hf:` may be left out), with an adapter where one is given."""
    kind, _, name = spec.partition(":")
    if kind != "hf":
        check_spec(spec)
        name = spec
    from doceo.providers.local_hf import LocalModel

    return LocalModel(name, adapter=adapter, name=f"hf:{name}", most=settings.service.max_adapters)


def check_spec(spec: str) -> None:
    """Raise UsageError for a local model's spec that is of no known kind, naming the nearest."""
    if ":" in spec and not Path(spec).exists():
        open_chat(spec)


def _check(spec: str) -> None:
    if spec in (EXTRACTIVE, QUOTE):
        raise UsageError(
            f"{spec!r} is not a chat model.", hint="Name one, such as openai:MODEL, ollama:MODEL or hf:PATH."
        )


def _say_host(spec: str, host: str, progress: Progress) -> None:
    progress.say(f"Text will be sent to {host} ({spec}).")
