"""How many tokens a model behind an address can read, where its server says so.

vLLM and SGLang list `max_model_len`, LM Studio `loaded_context_length`, llama.cpp's server tells `n_ctx`, Ollama what
it loaded a model with: there `/v1` takes no context length, and longer prompts are cut without a word. OpenAI and most
gateways say nothing.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from urllib.parse import urlsplit

from doceo.providers.remote import is_loopback

_SECONDS = 3.0
_LOADING = 120.0
"""Seconds that Ollama may take to load a model: it would at the first question anyway."""
_LONGEST = 4_000_000
"""Bytes of a reply that are read."""

Ask = Callable[[str, object, float], object]
"""Asks a path of a server, with a JSON body or without, for at most so many seconds; None where it fails."""


def probe(kind: str, model: str, address: str, key: str | None = None) -> int | None:
    """Return the context of a model in tokens, prompt and answer together, or None where its server does not say.

    Never fails: a server that cannot be reached says so at the first question.

    Args:
        kind: `openai`, `ollama`, `lmstudio` or `vllm`; at an `openai` address all of them are tried.
        model: The model's name at the server.
        address: The address, with its `/v1`.
        key: Sent to this address only.
    """
    ask = _asker(address, key)
    ways = _WAYS.get(kind, (_listed, _of_llama, _of_ollama))
    return next((found for way in ways if (found := way(ask, model))), None)


def _listed(ask: Ask, model: str) -> int | None:
    return _number(_named(ask("/v1/models", None, _SECONDS), "data", model, "id"), "max_model_len")


def _of_vllm(ask: Ask, model: str) -> int | None:
    """Return what a model reads; an adapter, which is listed without it or not at all yet, reads what its base does."""
    body = ask("/v1/models", None, _SECONDS)
    listed = _named(body, "data", model, "id")
    if isinstance(listed, dict) and not listed.get("parent"):
        return _number(listed, "max_model_len")
    bases = [entry for entry in _entries(body, "data") if not entry.get("parent")]
    reads = {_number(base, "max_model_len") for base in bases}
    return reads.pop() if len(reads) == 1 else None


def _of_lmstudio(ask: Ask, model: str) -> int | None:
    listed = _named(ask("/api/v0/models", None, _SECONDS), "data", model, "id")
    return _number(listed, "loaded_context_length")


def _of_llama(ask: Ask, model: str) -> int | None:
    facts = ask("/props", None, _SECONDS)
    return _number(facts.get("default_generation_settings"), "n_ctx") if isinstance(facts, dict) else None


def _of_ollama(ask: Ask, model: str) -> int | None:
    """Return what a model is loaded with; one that is not loaded yet is loaded, as the first question would."""
    running = ask("/api/ps", None, _SECONDS)
    if not isinstance(running, dict) or not isinstance(running.get("models"), list):
        return None
    names = (model, f"{model}:latest")
    for _ in range(2):
        for name in names:
            if found := _number(_named(running, "models", name, "name"), "context_length"):
                return found
        if ask("/api/generate", {"model": model, "stream": False}, _LOADING) is None:
            return None
        running = ask("/api/ps", None, _SECONDS)
    return None


_WAYS: dict[str, tuple[Callable[[Ask, str], int | None], ...]] = {
    "vllm": (_of_vllm,),
    "lmstudio": (_of_lmstudio,),
    "ollama": (_of_ollama,),
}


def _named(body: object, field: str, name: str, by: str) -> object:
    """Return the entry of a list in a body that has a name."""
    return next((one for one in _entries(body, field) if one.get(by) == name), None)


def _entries(body: object, field: str) -> list[dict[str, object]]:
    entries = body.get(field) if isinstance(body, dict) else None
    return [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def _number(entry: object, field: str) -> int | None:
    found = entry.get(field) if isinstance(entry, dict) else None
    return found if isinstance(found, int) and found > 0 else None


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would lead to a host that was not named."""

    def redirect_request(self, *_: object) -> None:
        return None


def _asker(address: str, key: str | None) -> Ask:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    root = f"{parts.scheme}://{host}{parts.path.rstrip('/').removesuffix('/v1')}"
    handlers: list[urllib.request.BaseHandler] = [_Stay()]
    if is_loopback(host):
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)

    def ask(path: str, body: object, seconds: float) -> object:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(root + path, data=data, headers=headers)
            with opener.open(request, timeout=seconds) as reply:
                return json.loads(reply.read(_LONGEST))
        except (OSError, HTTPException, ValueError, urllib.error.HTTPError):
            return None

    return ask
