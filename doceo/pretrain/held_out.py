"""Text that a tokenizer does not learn from, to be measured on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

LIMIT = 4 << 20
"""Most characters that are held out; they are kept in memory."""
_SHARE, _LEAST = 20, 40


class HeldOut:
    """Keeps one text in so many, chosen by its hash, so that equal texts are always on one side.

    Where the hashes choose none, or the only text, it is the last twentieth of the last text.

    Args:
        every: One text in this many is kept.
        limit: Most characters that are kept.
    """

    def __init__(self, every: int, limit: int = LIMIT) -> None:
        self.texts: list[str] = []
        self._every = every
        self._room = limit

    def others(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the texts that are not kept, in order."""
        last, others = "", 0
        for text in texts:
            if self._chooses(text):
                self.texts.append(text)
                self._room -= len(text)
                continue
            if last:
                others += 1
                yield last
            last = text
        if not last and not others and self.texts:
            last = self.texts.pop()
            self._room += len(last)
        if not self.texts and len(last) >= _LEAST:
            last, end = without_end(last, self._room)
            self.texts.append(end)
        if last:
            yield last

    def _chooses(self, text: str) -> bool:
        return chosen(text, self._every) and len(text) <= self._room


def chosen(text: str, every: int) -> bool:
    """Return whether a text is held out, where one in `every` is: the same for equal texts."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % every == 0


def without_end(text: str, most: int) -> tuple[str, str]:
    """Return a text without its last twentieth, and that, of at most `most` characters; no word is cut."""
    at = len(text) - min(len(text) // _SHARE, most)
    at = next((i for i in range(at, len(text) - 1) if text[i].isspace()), at)
    return text[:at], text[at:]
