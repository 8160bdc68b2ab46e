"""Paragraphs and lines that stood before: long ones by a set of hashes, short lines by counts of a fixed size."""

from __future__ import annotations

import re
from array import array
from hashlib import blake2b

_NUMBER = re.compile(r"(?<![\w.,:/-])\d{1,4}(?![.,:/-]?\w)")
"""A number of a page, such as in "page 3 of 9"; parts of versions and dates are none."""
_ENDS = re.compile(r"[.!?…;,:。！？；，：\"'”’»)*-]$")
_CHAPTER = re.compile(r"(?:chapter|part|book|section|act|scene|canto|volume|letter)\b", re.IGNORECASE)
_SLOTS = 1 << 21
_MOST = 0xFFFF


class Seen:
    """The texts that stood before, each by 64 bits: about 90 MB a million of them.

    Two different texts among ten million share their 64 bits with a chance of 1 in 400,000.
    """

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def add(self, text: str) -> bool:
        """Add a text and return whether it stood before; blanks do not count."""
        key = _hash(" ".join(text.split()))
        if key in self._hashes:
            return True
        self._hashes.add(key)
        return False


class LineCounts:
    """How often each short line stood before, page numbers not compared, in 8 MB.

    A count-min sketch (Cormode and Muthukrishnan 2005) with conservative update: a count is never too low. Where
    50,000 different lines are frequent, one new line in 2,000 counts as frequent.
    """

    def __init__(self) -> None:
        self._rows = [array("H", bytes(2 * _SLOTS)) for _ in range(2)]

    def add(self, text: str) -> int:
        """Count a line and return how often it stood before, at most 65,535."""
        key = _hash(_NUMBER.sub("#", " ".join(text.split())))
        places = (key % _SLOTS, (key >> 32) % _SLOTS)
        before = min(row[place] for row, place in zip(self._rows, places, strict=True))
        for row, place in zip(self._rows, places, strict=True):
            row[place] = max(row[place], min(before + 1, _MOST))
        return before


def is_label(text: str) -> bool:
    """Return whether a short paragraph ends as no sentence does: navigation, headers of pages, most headings.

    Headings of Markdown and of chapters do not count.
    """
    return not _ENDS.search(text) and not text.lstrip().startswith("#") and not _CHAPTER.match(text)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
