"""From `KIND:MODEL`, as users write it, to a chat model that is limited, capped and journaled."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doceo.core.config import EngineConfig
from doceo.core.errors import AuthenticationFailed, UsageError
from doceo.providers.addresses import ADDRESSES, LANGCHAIN, OPENAI, named
from doceo.providers.remote import AsyncRemote, Priced

if TYPE_CHECKING:
    from doceo.providers.blocking import Blocking
    from doceo.providers.capped import Budget
    from doceo.providers.langchain_chat import LangChainChat
    from doceo.providers.openai_chat import OpenAIChat
    from doceo.providers.prices import Price


def is_remote(spec: str) -> bool:
    """Return whether `KIND:MODEL` names a model behind an address, which `open_chat` can open."""
    return spec.partition(":")[0] in {*ADDRESSES, LANGCHAIN}


def open_chat(
    spec: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    journal: Path | None = None,
    engine: EngineConfig | None = None,
    budget: Budget | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncRemote:
    """Open a chat model behind OpenAI-compatible addresses, or a vendor's through LangChain. Nothing is sent yet.

    What is returned is a `Journaled` where a journal is named. It is used from one event loop and closed with `aclose`.

    Args:
        spec: `openai:MODEL`, `ollama:MODEL`, `lmstudio:MODEL`, `vllm:MODEL` or `langchain:VENDOR:MODEL`; behind the
            model may stand an address of its own, as in `openai:MODEL@http://HOST/v1`.
        base_url: The address of an `openai:` model, or several, joined by commas, that share the work; left out,
            OPENAI_BASE_URL, then OpenAI's own. Also that of `langchain:openai:MODEL`; other vendors have variables.
        api_key: The key of an `openai:` model; left out, OPENAI_API_KEY. It is sent nowhere else.
        journal: The file that keeps every reply; None keeps none.
        engine: Concurrency and rates (for each address), price file, cost cap, time limit.
        budget: What the run's remote models may cost together; left out, one of its own where `engine` has a cap, of
            which the journal's replies count as spent.
        environment: Where the variables are read from; left out, the process's own.

    Raises:
        UsageError: The spec or an address cannot be understood, or there is a cap and the model's price is not known.
        ConfigError: The price file is wrong.
        AuthenticationFailed: OpenAI itself or a vendor is named and there is no key.
        MissingPackage: LangChain's package for the vendor is not installed.
        StorageError: The journal cannot be written.
    """
    from doceo.providers.balanced import Balanced
    from doceo.providers.limiter import Limited

    engine = engine or EngineConfig()
    kind = spec.partition(":")[0]
    servers: Sequence[Priced] = (
        [_langchain(spec, base_url, engine)]
        if kind == LANGCHAIN
        else _connect(spec, base_url, api_key, engine, environment)
    )
    limited = [Limited(one, concurrency=engine.concurrency, rpm=engine.rpm, tpm=engine.tpm) for one in servers]
    provider: AsyncRemote = limited[0] if len(limited) == 1 else Balanced(limited)
    if budget is not None or engine.max_cost is not None:
        from doceo.providers.capped import Budget, Capped
        from doceo.providers.journal import known_cost

        if budget is None:
            budget = Budget(engine.max_cost or 0.0, known_cost(journal) if journal else 0.0)
        provider = Capped(provider, budget, _price_to_cap(servers))
    if journal is None:
        return provider
    from doceo.providers.journal import Journaled

    return Journaled(provider, journal, most=engine.concurrency * len(servers))


def open_blocking(
    spec: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    journal: Path | None = None,
    engine: EngineConfig | None = None,
    budget: Budget | None = None,
) -> Blocking:
    """Open the same for synchronous callers in any thread. Arguments and errors as `open_chat`."""
    from doceo.providers.blocking import Blocking

    return Blocking(open_chat(spec, base_url=base_url, api_key=api_key, journal=journal, engine=engine, budget=budget))


def list_models(spec: str, *, base_url: str | None = None) -> tuple[str, list[str]]:
    """Return the host behind a spec and the models that it lists; a vendor of LangChain's is not asked.

    Raises as `open_chat`, and ProviderError.
    """
    from doceo.providers.blocking import run

    if spec.partition(":")[0] == LANGCHAIN:
        return _langchain(spec, base_url, EngineConfig()).address, []
    server = _connect(spec, base_url, None, EngineConfig(timeout=10.0), None)[0]

    async def ask() -> list[str]:
        async with aclosing(server):
            return await server.models()

    return server.host, run(ask())


def context_of(spec: str, base_url: str | None = None, environment: Mapping[str, str] | None = None) -> int | None:
    """Return how many tokens a model can read, of several addresses the fewest; None where no server says so.

    OpenAI itself and vendors of LangChain's are not asked. Raises UsageError for a spec that cannot be understood.
    """
    from doceo.providers.context import probe

    if spec.partition(":")[0] == LANGCHAIN:
        return None
    environment = os.environ if environment is None else environment
    kind, model, addresses, key, _ = named(spec, base_url, None, environment)
    found = [probe(kind, model, address, key) for address in addresses if address != OPENAI]
    return min((context for context in found if context), default=None)


def price_of_spec(
    spec: str,
    base_url: str | None = None,
    engine: EngineConfig | None = None,
    environment: Mapping[str, str] | None = None,
) -> Price | None:
    """Return what a model costs, of several addresses the highest; None where that is not known.

    Only a vendor of LangChain's needs its package and key for that. Raises UsageError for a spec that cannot be
    understood, ConfigError for a wrong price file.
    """
    from doceo.providers.prices import highest, price_of

    if spec.partition(":")[0] == LANGCHAIN:
        return _langchain(spec, base_url, engine or EngineConfig()).price
    _, model, addresses, _, _ = named(spec, base_url, None, os.environ if environment is None else environment)
    hosts = [urlsplit(address).netloc.rpartition("@")[2] for address in addresses]
    return highest(price_of(host, model, _prices(engine or EngineConfig())) for host in hosts)


def _langchain(spec: str, base_url: str | None, engine: EngineConfig) -> LangChainChat:
    from doceo.providers.langchain_chat import open_langchain

    capped = engine.max_cost is not None
    return open_langchain(spec, base_url, engine.timeout, _prices(engine), langsmith=engine.langsmith, capped=capped)


def _connect(
    spec: str, base_url: str | None, api_key: str | None, engine: EngineConfig, environment: Mapping[str, str] | None
) -> list[OpenAIChat]:
    from doceo.providers.openai_chat import OpenAIChat

    environment = os.environ if environment is None else environment
    kind, model, addresses, key, own = named(spec, base_url, api_key, environment)
    if kind == "openai" and OPENAI in addresses and not key:
        raise AuthenticationFailed(
            f"{OPENAI} needs a key for {model}.",
            hint="Set OPENAI_API_KEY, or name a server of your own with --base-url.",
        )
    most, timeout, prices = engine.concurrency, engine.timeout, _prices(engine)
    return [
        OpenAIChat(
            model, address, key, kind=kind, timeout=timeout, connections=most, prices=prices, name=spec if own else ""
        )
        for address in addresses
    ]


def _prices(engine: EngineConfig) -> Path | None:
    return Path(engine.prices) if engine.prices else None


def _price_to_cap(servers: Sequence[Priced]) -> Price:
    """Return the highest price of a model among its addresses. Raises UsageError where one has none."""
    from doceo.providers.prices import highest

    price = highest(server.price for server in servers)
    if price is None:
        server = next(server for server in servers if server.price is None)
        host = urlsplit(server.address).netloc or server.address
        row = f'[hosts."{host}"]\n"{server.model}" = {{ prompt = 0.15, completion = 0.60 }}'
        raise UsageError(
            f"No price is known for {server.model} at {host}, so that a cost cap cannot be kept.",
            hint=f"Write what it costs, in USD for a million tokens, into a file and name it with --prices:\n{row}",
        )
    return price
