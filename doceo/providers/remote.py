"""A chat model that may stand on another machine."""

from __future__ import annotations

from typing import Protocol

from doceo.core.protocols import Provider


class RemoteProvider(Provider, Protocol):
    """A chat model that says where it sends text."""

    @property
    def host(self) -> str:
        """The host, with its port where one is named, that receives the text; empty where none does."""
        ...
