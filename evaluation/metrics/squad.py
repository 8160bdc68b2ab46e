"""Exact match and token F1 as SQuAD defines them (Rajpurkar et al. 2016), for texts of any script."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from evaluation.metric import Mean, OfTexts, Rows, mean_row
from evaluation.tokens import spaced

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_RECIPE = "refs:best|case:lower|punct:no|articles:no|tok:space+unspaced-scripts|scale:100|v:1"
_OFFICIAL = "refs:best|case:lower|punct:ascii|articles:no|tok:space|scale:100|v:1"
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)


@lru_cache(maxsize=8192)
def normalized(text: str) -> tuple[str, ...]:
    """Return the tokens that SQuAD compares: lowercased, without punctuation and English articles.

    Unlike in the official script, punctuation is that of every script, curly quotes and dashes among it; scripts
    written without spaces give one token a letter; and a text that is an article alone (vitamin "A") keeps it.
    """
    plain = "".join(c for c in unicodedata.normalize("NFC", text).lower() if not _punctuation(c))
    without = _ARTICLES.sub(" ", plain)
    return tuple(spaced(without if without.strip() else plain).split())


@lru_cache(maxsize=8192)
def officially_normalized(text: str) -> tuple[str, ...]:
    """Return the tokens as the official SQuAD script has them, which is for English with ASCII punctuation."""
    return tuple(_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split())


def _punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def overlap(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    """Return the F1 of two token lists, 0 to 1; two empty lists agree."""
    if not hypothesis or not reference:
        return float(hypothesis == reference)
    common = sum((Counter(hypothesis) & Counter(reference)).values())
    return 2 * common / (len(hypothesis) + len(reference))


class ExactMatch(Mean, OfTexts):
    """Share of answers that equal one of their references after normalisation. Statistics: (0 or 100, 1)."""

    name = "em"
    label = "EM"
    signature = f"em|{_RECIPE}"
    tokens = staticmethod(normalized)

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return (0 or 100, 1)."""
        return mean_row(100.0 * (self.tokens(hypothesis) in map(self.tokens, references)))


class F1(Mean, OfTexts):
    """Token F1 with the reference that fits best, mean over answers. Statistics: (100 F1, 1)."""

    name = "f1"
    label = "F1"
    signature = f"f1|{_RECIPE}"
    tokens = staticmethod(normalized)

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return (100 F1, 1)."""
        said = self.tokens(hypothesis)
        return mean_row(100.0 * max(overlap(said, self.tokens(text)) for text in references))


class SquadExactMatch(ExactMatch):
    """Exact match to the letter of SQuAD's script, to be compared with published figures."""

    name = "squad_em"
    label = "SQuAD EM"
    signature = f"squad-em|{_OFFICIAL}"
    tokens = staticmethod(officially_normalized)


class SquadF1(F1):
    """Token F1 to the letter of SQuAD's script, to be compared with published figures."""

    name = "squad_f1"
    label = "SQuAD F1"
    signature = f"squad-f1|{_OFFICIAL}"
    tokens = staticmethod(officially_normalized)
