"""Counts of what was read, kept and dropped; they add up."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from doceo.core.records import Record

WORDS = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
CHARACTERS = (1, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Least lengths of the histograms' bins; the last has no upper end."""


class FileRow(Record):
    """What became of one file; counts are of paragraphs, and of whole rows where these are messages."""

    source: str
    encoding: str = ""
    read: int = 0
    kept: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    why: str = ""


class Counted(Record):
    """A count of paragraphs (or whole rows) and of characters: `read == kept + sum(dropped)`."""

    read: int
    kept: int
    dropped: dict[str, int]


class CleanReport(Record):
    """What cleaning came to. A histogram maps a bin's least length to how many kept paragraphs are so long."""

    made_by: str = "doceo clean"
    config: dict[str, object]
    files: list[FileRow]
    encodings: dict[str, int]
    paragraphs: Counted
    characters: Counted
    mended: int
    bytes_in: int
    bytes_out: int
    histogram_words: dict[int, int]
    histogram_characters: dict[int, int]


class Tally:
    """Counts paragraphs by what became of them."""

    def __init__(self) -> None:
        self.kept = self.kept_characters = self.longest = self.mended = 0
        self.dropped: Counter[str] = Counter()
        self.dropped_characters: Counter[str] = Counter()
        self.words = [0] * len(WORDS)
        self.characters = [0] * len(CHARACTERS)

    def keep(self, text: str) -> None:
        """Count a kept paragraph."""
        self.kept += 1
        self.kept_characters += len(text)
        self.longest = max(self.longest, len(text))
        self.words[max(0, bisect_right(WORDS, len(text.split())) - 1)] += 1
        self.characters[max(0, bisect_right(CHARACTERS, len(text)) - 1)] += 1

    def drop(self, text: str, reason: str) -> None:
        """Count a dropped paragraph."""
        self.dropped[reason] += 1
        self.dropped_characters[reason] += len(text)

    def add(self, other: Tally) -> None:
        """Add the counts of a text."""
        self.kept += other.kept
        self.kept_characters += other.kept_characters
        self.mended += other.mended
        self.dropped.update(other.dropped)
        self.dropped_characters.update(other.dropped_characters)
        self.words = [a + b for a, b in zip(self.words, other.words, strict=True)]
        self.characters = [a + b for a, b in zip(self.characters, other.characters, strict=True)]

    def take_back(self, reason: str) -> None:
        """Count all that was kept as dropped: the text is not kept as a whole."""
        if self.kept:
            self.dropped[reason] += self.kept
            self.dropped_characters[reason] += self.kept_characters
        self.kept = self.kept_characters = 0
        self.words, self.characters = [0] * len(WORDS), [0] * len(CHARACTERS)

    @property
    def read(self) -> int:
        """Paragraphs read."""
        return self.kept + sum(self.dropped.values())

    def paragraphs_counted(self) -> Counted:
        """Return the counts of paragraphs, dropped ones by reason, most first."""
        return Counted(read=self.read, kept=self.kept, dropped=dict(self.dropped.most_common()))

    def characters_counted(self) -> Counted:
        """Return the counts of characters, dropped ones by reason, most first."""
        dropped = dict(self.dropped_characters.most_common())
        read = self.kept_characters + sum(dropped.values())
        return Counted(read=read, kept=self.kept_characters, dropped=dropped)
