"""From `KIND:MODEL`, as users write it, to a chat model that is limited and journaled."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rapidfuzz import process

from doceo.core.errors import AuthenticationFailed, UsageError
from doceo.providers.remote import RemoteProvider

if TYPE_CHECKING:
    from doceo.providers.openai_chat import OpenAIChat

OPENAI = "https://api.openai.com/v1"
ADDRESSES = {
    "openai": OPENAI,
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "vllm": "http://127.0.0.1:8000/v1",
}
_ELSEWHERE = {
    "hf": "A Hugging Face model is opened as LocalModel, not by an address.",
    "langchain": "langchain: is not in this version; many vendors also answer at an openai: address (--base-url).",
    "gguf": "gguf: is not in this version; serve the file with ollama or llama.cpp and take ollama: or openai:.",
    "quote": "quote is no chat model; it answers with sentences of the documents.",
    "extractive": "extractive is no chat model; it is the built-in teacher.",
}


def is_remote(spec: str) -> bool:
    """Return whether `KIND:MODEL` names a model behind an address, which `open_chat` can open."""
    return spec.partition(":")[0] in ADDRESSES


def open_chat(
    spec: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    journal: Path | None = None,
    concurrency: int = 8,
    timeout: float = 600.0,
    environment: Mapping[str, str] | None = None,
) -> RemoteProvider:
    """Open a chat model behind an OpenAI-compatible address. Nothing is sent yet.

    Args:
        spec: `openai:MODEL`, `ollama:MODEL`, `lmstudio:MODEL` or `vllm:MODEL`.
        base_url: The address of an `openai:` model; left out, OPENAI_BASE_URL, then OpenAI's own.
        api_key: The key of an `openai:` model; left out, OPENAI_API_KEY. It is sent nowhere else.
        journal: The file that keeps every reply; None keeps none.
        concurrency: Most requests at the same time.
        timeout: Seconds that one reply may take.
        environment: Where the variables are read from; left out, the process's own.

    Raises:
        UsageError: The spec or the address cannot be understood.
        AuthenticationFailed: OpenAI itself is named and there is no key.
        StorageError: The journal cannot be written.
    """
    from doceo.providers.limiter import Limited

    limited = Limited(_connect(spec, base_url, api_key, timeout, environment), concurrency=concurrency)
    if journal is None:
        return limited
    from doceo.providers.journal import Journaled

    return Journaled(limited, journal)


def list_models(spec: str, *, base_url: str | None = None) -> tuple[str, list[str]]:
    """Return the host behind a spec and the models that it lists. Raises as `open_chat`, and ProviderError."""
    server = _connect(spec, base_url, None, 10.0, None)
    return server.host, server.models()


def _connect(
    spec: str, base_url: str | None, api_key: str | None, timeout: float, environment: Mapping[str, str] | None
) -> OpenAIChat:
    from doceo.providers.openai_chat import OpenAIChat

    kind, _, model = spec.partition(":")
    if kind not in ADDRESSES:
        raise _unknown(spec, kind)
    if not model:
        raise UsageError(f"{spec!r} names no model.", hint=f"Write {kind}:MODEL.")
    address, key = ADDRESSES[kind], None
    if kind == "openai":
        environment = os.environ if environment is None else environment
        address = base_url or environment.get("OPENAI_BASE_URL") or OPENAI
        key = api_key or environment.get("OPENAI_API_KEY") or None
        if address == OPENAI and not key:
            raise AuthenticationFailed(
                f"{OPENAI} needs a key for {model}.",
                hint="Set OPENAI_API_KEY, or name a server of your own with --base-url.",
            )
    return OpenAIChat(model, address, key, kind=kind, timeout=timeout)


def _unknown(spec: str, kind: str) -> UsageError:
    if kind in _ELSEWHERE:
        return UsageError(f"{spec!r} cannot be opened as a chat model here.", hint=_ELSEWHERE[kind])
    near = process.extractOne(kind, [*ADDRESSES, *_ELSEWHERE], score_cutoff=60)
    suggestion = f"Did you mean {near[0]}:MODEL?" if near else f"Known kinds are {', '.join(ADDRESSES)}, hf."
    return UsageError(f"{spec!r} is of no known kind.", hint=suggestion)
