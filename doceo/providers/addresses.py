"""What `KIND:MODEL[@ADDRESS]` names: a model, the addresses that serve it, and the key that they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from rapidfuzz import process

from doceo.core.errors import UsageError

OPENAI = "https://api.openai.com/v1"
ADDRESSES = {
    "openai": OPENAI,
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "vllm": "http://127.0.0.1:8000/v1",
}
LANGCHAIN = "langchain"
_OWN = "@http"
"""Where an address begins in a model's name."""
_ELSEWHERE = {
    "hf": "A Hugging Face model is opened as LocalModel, not by an address.",
    "gguf": "A GGUF file is opened in this process by ask, chat, evaluate and serve, not by an address.",
    "adapter": "An adapter is opened in this process by ask, chat, evaluate and serve, not by an address.",
    "quote": "quote is no chat model; it answers with sentences of the documents.",
    "extractive": "extractive is no chat model; it is the built-in teacher.",
}


class Named(NamedTuple):
    """A model behind one or more addresses; `own` says that its name holds the address."""

    kind: str
    model: str
    addresses: list[str]
    key: str | None
    own: bool


def named(spec: str, base_url: str | None, api_key: str | None, environment: Mapping[str, str]) -> Named:
    """Return what a spec names.

    OPENAI_API_KEY belongs to the addresses of `base_url` and OPENAI_BASE_URL, and to OpenAI: a host that only a model's
    name holds is not sent it.

    Raises UsageError where the spec cannot be understood.
    """
    kind, _, rest = spec.partition(":")
    if kind not in ADDRESSES:
        raise _unknown(spec, kind)
    model, at, rest = rest.partition(_OWN)
    if not model:
        raise UsageError(f"{spec!r} names no model.", hint=f"Write {kind}:MODEL.")
    usual = _listed(base_url or environment.get("OPENAI_BASE_URL") or OPENAI) if kind == "openai" else [ADDRESSES[kind]]
    key = (api_key or environment.get("OPENAI_API_KEY") or "").strip() or None if kind == "openai" else None
    if not at:
        return Named(kind, model, usual, key, own=False)
    address = f"http{rest}"
    if "@" in urlsplit(address).netloc:
        raise UsageError(
            f"The address of {kind}:{model} holds a user or a password, which would stand in the run's files.",
            hint="Give such an address with --base-url.",
        )
    trusted = [*usual, *_listed(environment.get("OPENAI_BASE_URL") or OPENAI), OPENAI]
    known = _host(address) in map(_host, trusted)
    return Named(kind, model, [address], key if known else None, own=True)


def _host(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.rpartition("@")[2]


def _listed(addresses: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in addresses.split(",") if part.strip())) or [addresses]


def _unknown(spec: str, kind: str) -> UsageError:
    if kind in _ELSEWHERE:
        return UsageError(f"{spec!r} cannot be opened as a chat model here.", hint=_ELSEWHERE[kind])
    near = process.extractOne(kind, [*ADDRESSES, LANGCHAIN, *_ELSEWHERE], score_cutoff=60)
    suggestion = f"Did you mean {near[0]}:MODEL?" if near else f"Known kinds are {', '.join(ADDRESSES)}, langchain, hf."
    return UsageError(f"{spec!r} is of no known kind.", hint=suggestion)
