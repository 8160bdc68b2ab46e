"""The summaries of whatever conversation is going on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping


class CurrentSummaries(MutableMapping[str, str]):
    """A mapping that is another one as the conversation changes.

    An answerer is opened before its conversation, and stays while conversations change.
    """

    def __init__(self) -> None:
        first: dict[str, str] = {}
        self._current: Callable[[], MutableMapping[str, str]] = lambda: first

    def follow(self, current: Callable[[], MutableMapping[str, str]]) -> None:
        """Be what a function returns from now on."""
        self._current = current

    def __getitem__(self, key: str) -> str:
        return self._current()[key]

    def __setitem__(self, key: str, text: str) -> None:
        self._current()[key] = text

    def __delitem__(self, key: str) -> None:
        del self._current()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())
