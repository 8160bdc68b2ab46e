"""What a statement says, told by rule, for comparing it with the text that is to support it: terms, numbers, names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from doceo.text.language import language_of
from doceo.text.terms import stemmed, terms
from doceo.text.words import STOP_WORDS

COVERED = 0.5
"""Share of a statement's terms that its sources have to hold together."""
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"[^\W_]+")
_CAPITALISED_NOUNS = frozenset({"de", "lb"})
"""Languages in which a capital does not tell a name."""


@dataclass(frozen=True)
class Statement:
    """What an answer says: its text, its terms without stop words, its numbers."""

    text: str
    terms: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Statement:
        """Return the statement of a text."""
        return cls(text, content(text), numbers(text))

    def covered_by(self, held: Collection[str]) -> bool:
        """Say whether that many of its terms are enough."""
        return len(held) >= COVERED * len(self.terms)


def content(text: str) -> frozenset[str]:
    """Return the stemmed terms of a text without stop words."""
    return frozenset(stemmed(term) for term in terms(text) if term not in STOP_WORDS)


def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text, whatever parts their thousands: 1,200 is 1200."""
    return frozenset(re.sub(r"[,.](?=\d{3}(?!\d))", "", number) for number in _NUMBER.findall(text))


def names(sentence: str) -> frozenset[str]:
    """Return the words of a sentence that are written with a capital, but for its first, folded and stemmed."""
    return _folded(word for word in _WORD.findall(sentence)[1:] if word[0].isupper())


def backed(statement: Statement, text: str, known: str = "") -> bool:
    """Say whether a text supports a sentence: all its numbers and names stand there, and enough of its terms.

    By words alone: what says the same in other words is not seen. In German, where every noun has a capital, names are
    terms like others.

    Args:
        statement: The sentence.
        text: What is to support it.
        known: What is given anyway, such as the question: numbers and names may stand there instead.
    """
    if statement.numbers - numbers(text) - numbers(known) or not statement.covered_by(statement.terms & content(text)):
        return False
    unknown = names(statement.text) - _folded(_WORD.findall(text)) - _folded(_WORD.findall(known))
    return not unknown or language_of(text) in _CAPITALISED_NOUNS


def _folded(found: Iterable[str]) -> frozenset[str]:
    return frozenset(stemmed(word.casefold()) for word in found if word.casefold() not in STOP_WORDS)
