"""What a corpus tells about its words: how often they occur, which are names, which phrases are terms."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable

from doceo.text.verbs import FORMS
from doceo.text.words import STOP_WORDS, stem

_WORD = re.compile(r"[A-Za-z][\w'’-]*[\w]|[A-Za-z]")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
_COMMON_ENDINGS = (
    "ing",
    "ed",
    "ly",
    "tion",
    "sion",
    "ness",
    "ment",
    "ity",
    "ers",
    "ors",
    "ies",
    "able",
    "ful",
    "ive",
    "ous",
    "ance",
    "ence",
)
_COMMON = 8
_TERM = 3
_MOST_PAIRS = 200_000


class Terms:
    """Counts over texts of a corpus. Memory is bounded: rare word pairs are forgotten when there are too many."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._lower: Counter[str] = Counter()
        self._capital: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        for text in texts:
            self._add(_CODE.sub(" ", text))
        self._forget(_TERM)

    def _add(self, text: str) -> None:
        before, small, before_end = "", "", -1
        for match in _WORD.finditer(text):
            word = match.group()
            lower = sys.intern(word.lower())
            start = match.start()
            if word[0].isupper():
                if start - before_end <= 1 and before and before[0].islower():
                    self._capital[lower] += 1
            else:
                self._lower[lower] += 1
            if start - before_end == 1 and lower not in STOP_WORDS and small not in STOP_WORDS:
                self._pairs[small, lower] += 1
            before, small, before_end = word, lower, match.end()
        if len(self._pairs) > _MOST_PAIRS:
            self._forget(2)

    def _forget(self, least: int) -> None:
        """Keep only the word pairs that were seen so often."""
        self._pairs = Counter({pair: n for pair, n in self._pairs.items() if n >= least})

    def known(self, word: str) -> bool:
        """Tell whether a lower-case word occurs in the corpus."""
        return word in self._lower

    def is_name(self, word: str) -> bool:
        """Tell whether a word is written with a capital where it would not need one, more often than without."""
        lower = word.lower()
        if not word[:1].isupper():
            return False
        if any(char.isupper() for char in word[1:]):
            return True
        if self._capital[lower] or self._lower[lower]:
            return self._capital[lower] > self._lower[lower]
        return (
            lower not in STOP_WORDS
            and lower not in FORMS
            and not lower.endswith(_COMMON_ENDINGS)
            and not self._lower[stem(lower)]
        )

    def is_capitalised(self, word: str) -> bool:
        """Tell whether a word was seen with a capital in the middle of a sentence."""
        return self._capital[word.lower()] > 0

    def is_glued(self, word: str) -> bool:
        """Tell whether a rare word is two common ones without the blank that a PDF page lost between them."""
        if self.count(word) > 2:
            return False
        parts = re.findall(r"[A-Z]?[a-z]+", word)
        if len(parts) > 1 and all(len(part) > 2 and self.count(part) >= _COMMON for part in parts):
            return True
        return any(
            word.endswith(small) and len(word) > len(small) + 3 and self._lower[word.removesuffix(small)] >= _COMMON
            for small in ("the", "to", "and", "of", "for", "with")
        )

    def count(self, word: str) -> int:
        """Return how often a word occurs, in either case."""
        return self._lower[word.lower()] + self._capital[word.lower()]

    def is_term(self, first: str, second: str) -> bool:
        """Tell whether two words stand side by side often enough to be a fixed term of the corpus."""
        return self.together(first, second) >= _TERM

    def together(self, first: str, second: str) -> int:
        """Return how often two words stand side by side, where that is often enough to be remembered."""
        return self._pairs[first.lower(), second.lower()]
