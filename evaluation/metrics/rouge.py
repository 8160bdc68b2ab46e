"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum (Lin 2004) by rouge_score, with words of any script."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.metadata import version

from rapidfuzz.distance import LCSseq

from doceo.text.sentences import sentence_spans
from evaluation.case import Case
from evaluation.metric import Mean, OfTexts, Rows, mean_row
from evaluation.tokens import words

Tokens = Callable[[str], Sequence[str]]
MANY = 4_000
"""Pairs of texts from which ROUGE-Lsum is shared among processes: starting those takes a second or two."""
_RECIPE = f"measure:f|refs:best|case:lower|tok:unicode|stem:no|scale:100|rouge_score:{version('rouge_score')}"


class _Words:
    """A tokenizer as rouge_score asks for it. Its own keeps only a-z and 0-9, and scores Greek against itself 0."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokenize = tokens


class Rouge(Mean, OfTexts):
    """F-measure of one ROUGE type, mean over answers, against the reference that scores best.

    Equal to `RougeScorer([name]).score_multi` on ASCII. Undefined where no reference has a word.

    Args:
        tokens: Turns a text into words; no stemming, unless another function is given.
    """

    name: str
    label: str
    signature: str

    def __init__(self, tokens: Tokens = words) -> None:
        from rouge_score.rouge_scorer import RougeScorer

        self._tokens = tokens
        self._scorer = RougeScorer([self.name], tokenizer=_Words(tokens))

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows | None:
        """Return (100 F, 1), or None where no reference has a word."""
        usable = [text for text in references if self._tokens(text)]
        if not usable:
            return None
        scores = self._scorer.score_multi([self._laid_out(text) for text in usable], self._laid_out(hypothesis))
        return mean_row(100 * scores[self.name].fmeasure)

    def _laid_out(self, text: str) -> str:
        """Return a text as the scorer is to read it."""
        return text


class Rouge1(Rouge):
    """Overlap of words."""

    name = "rouge1"
    label = "ROUGE-1"
    signature = f"rouge1|{_RECIPE}"


class Rouge2(Rouge):
    """Overlap of pairs of words. A reference of one word has none and scores 0, as rouge_score has it."""

    name = "rouge2"
    label = "ROUGE-2"
    signature = f"rouge2|{_RECIPE}"


class RougeL(Rouge):
    """Longest common subsequence of words: its length by rapidfuzz, which is fifty times as fast as rouge_score's."""

    name = "rougeL"
    label = "ROUGE-L"
    signature = f"rougeL|{_RECIPE}"

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows | None:
        """Return (100 F, 1), or None where no reference has a word."""
        own = self._tokens(hypothesis)
        usable = [found for text in references if (found := self._tokens(text))]
        return (
            mean_row(100 * max(_f(LCSseq.similarity(own, other), own, other) for other in usable)) if usable else None
        )


class RougeLsum(Rouge):
    """Longest common subsequences sentence by sentence, joined (Lin 2004, section 3.2).

    Sentences are lines, as rouge_score has it; a text of one line is cut into sentences by `doceo.text.sentences`.
    """

    name = "rougeLsum"
    label = "ROUGE-Lsum"
    signature = f"rougeLsum|sent:lines-else-doceo|{_RECIPE}"

    def statistics(self, cases: Sequence[Case]) -> list[Rows | None]:
        """Return the statistics of every case, from several processes where there are many."""
        processes = min(os.cpu_count() or 1, 8)
        if len(cases) < MANY or processes < 2:
            return super().statistics(cases)
        from joblib import Parallel, delayed

        texts = [(case.text, case.references) for case in cases]
        size = -(-len(texts) // (4 * processes))
        parts = [texts[at : at + size] for at in range(0, len(texts), size)]
        made = Parallel(n_jobs=processes)(delayed(_rows)(self._tokens, part) for part in parts)
        return [row for rows in made for row in rows]

    def _laid_out(self, text: str) -> str:
        return text if "\n" in text else "\n".join(text[start:end] for start, end in sentence_spans(text))


def _f(common: int, own: Sequence[str], other: Sequence[str]) -> float:
    """Return the harmonic mean of precision and recall."""
    return 2 * common / (len(own) + len(other))


def _rows(tokens: Tokens, texts: Sequence[tuple[str, Sequence[str]]]) -> list[Rows | None]:
    """Return the statistics of some texts, in a process of its own."""
    metric = RougeLsum(tokens)
    return [metric.compare(said, wanted) if wanted else None for said, wanted in texts]
