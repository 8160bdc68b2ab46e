"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) by rouge_score, with words of any script."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import ClassVar

import numpy as np
from rouge_score.rouge_scorer import RougeScorer

from evaluation.metric import Mean, Rows
from evaluation.tokens import words


class _Words:
    """The tokenizer as rouge_score asks for it. Its own keeps only a-z and 0-9, and scores Greek against itself 0."""

    def tokenize(self, text: str) -> list[str]:
        """Return the words of a text."""
        return words(text)


class Rouge(Mean):
    """F-measure of one ROUGE type, mean over answers, against the reference that scores best. No stemming.

    Equal to `RougeScorer([name]).score_multi` on ASCII. Undefined where no reference has a word.
    """

    name: ClassVar[str]
    signature: ClassVar[str]

    def __init__(self) -> None:
        self._scorer = RougeScorer([self.name], tokenizer=_Words())

    def statistics(self, hypothesis: str, references: Sequence[str]) -> Rows | None:
        """Return (100 F, 1), or None where no reference has a word."""
        usable = [text for text in references if words(text)]
        if not usable:
            return None
        return np.array([100 * self._scorer.score_multi(usable, hypothesis)[self.name].fmeasure, 1.0])


def _signature(name: str) -> str:
    return f"{name}|measure:f|refs:best|case:lower|tok:unicode|stem:no|scale:100|rouge_score:{version('rouge_score')}"


class Rouge1(Rouge):
    """Overlap of words."""

    name = "rouge1"
    signature = _signature("rouge1")


class Rouge2(Rouge):
    """Overlap of pairs of words. A reference of one word has none and scores 0, as rouge_score has it."""

    name = "rouge2"
    signature = _signature("rouge2")


class RougeL(Rouge):
    """Longest common subsequence of words."""

    name = "rougeL"
    signature = _signature("rougeL")
