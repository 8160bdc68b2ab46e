"""A chat model that may stand on another machine."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from doceo.core.protocols import AsyncProvider, Provider
from doceo.core.records import ChatReply, ChatRequest, Usage

if TYPE_CHECKING:
    from doceo.providers.prices import Price


class RemoteProvider(Provider, Protocol):
    """A chat model that says where it sends text."""

    @property
    def host(self) -> str:
        """The hosts, with their ports where named, that receive the text, joined by ", "; empty where none does."""
        ...

    def spent(self) -> Usage | None:
        """Return what the kept replies of this model took; None where none are kept."""
        ...


class AsyncRemote(AsyncProvider, Protocol):
    """A chat model that is asked from one event loop and says where it sends text."""

    @property
    def host(self) -> str:
        """As `RemoteProvider.host`."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """As `Provider.stream`. What does not end with the whole reply is in no journal. Raises ProviderError."""
        ...

    async def aclose(self) -> None:
        """Close connections and files; nothing may be asked afterwards."""
        ...


class Priced(AsyncRemote, Protocol):
    """A chat model at one address, with what it costs."""

    @property
    def model(self) -> str:
        """The model's name there."""
        ...

    @property
    def address(self) -> str:
        """The address, or the host alone, that receives the text."""
        ...

    @property
    def price(self) -> Price | None:
        """What it costs; None where that is not known."""
        ...


def is_loopback(host: str) -> bool:
    """Return whether text sent to a host, or to several joined by ", ", stays on this machine. An empty one does."""
    return all(_is_here(urlsplit(f"//{one}").hostname or "") for one in host.split(", "))


def _is_here(name: str) -> bool:
    if name in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
