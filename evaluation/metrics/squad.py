"""Exact match and token F1 as SQuAD defines them (Rajpurkar et al. 2016), for texts of any script."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from evaluation.metric import Mean, Rows
from evaluation.tokens import spaced

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_RECIPE = "refs:best|case:lower|punct:no|articles:no|tok:space+unspaced-scripts|scale:100|v:1"


@lru_cache(maxsize=8192)
def normalized(text: str) -> tuple[str, ...]:
    """Return the tokens that SQuAD compares: lowercased, without punctuation and English articles.

    Unlike the official script, punctuation is that of every script, scripts written without spaces give one token
    a letter, and a text that consists of an article alone (vitamin "A") keeps it.
    """
    plain = "".join(c for c in unicodedata.normalize("NFC", text).lower() if not _punctuation(c))
    without = _ARTICLES.sub(" ", plain)
    return tuple(spaced(without if without.strip() else plain).split())


def _punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def overlap(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    """Return the F1 of two token lists, 0 to 1; two empty lists agree."""
    if not hypothesis or not reference:
        return float(hypothesis == reference)
    common = sum((Counter(hypothesis) & Counter(reference)).values())
    return 2 * common / (len(hypothesis) + len(reference))


class ExactMatch(Mean):
    """Share of answers that equal one of their references after normalisation. Statistics: (0 or 100, 1)."""

    name = "em"
    signature = f"squad-em|{_RECIPE}"

    def statistics(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return (0 or 100, 1)."""
        found = normalized(hypothesis) in {normalized(text) for text in references}
        return np.array([100.0 * found, 1.0])


class F1(Mean):
    """Token F1 with the reference that fits best, mean over answers. Statistics: (100 F1, 1)."""

    name = "f1"
    signature = f"squad-f1|{_RECIPE}"

    def statistics(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return (100 F1, 1)."""
        tokens = normalized(hypothesis)
        return np.array([100.0 * max(overlap(tokens, normalized(text)) for text in references), 1.0])
