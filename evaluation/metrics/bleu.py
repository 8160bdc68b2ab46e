"""BLEU (Papineni et al. 2002) as sacrebleu computes it (Post 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sacrebleu
from sacrebleu.metrics.bleu import BLEU

from evaluation.metric import OfTexts, Rows


class Bleu(OfTexts):
    """Corpus BLEU with sacrebleu's defaults and effective order.

    Effective order changes a corpus value only where no answer has four tokens: plain BLEU then calls a perfect
    short answer 0. Statistics: (answer length, reference length, 4 matches, 4 totals). Texts of scripts without
    spaces are single tokens for the 13a tokenizer; read `bleu@zh`, `bleu@char` or chrF there.
    """

    name = "bleu"
    label = "BLEU"
    tokenizer = "13a"

    def __init__(self) -> None:
        self._bleu = BLEU(tokenize=self.tokenizer, effective_order=True)
        made = f"tok:{self.tokenizer}|smooth:exp|scale:100|sacrebleu:{sacrebleu.__version__}"
        self.signature = f"bleu|refs:all|case:mixed|eff:yes|{made}"

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return the statistics of one answer, shape (10,)."""
        score = self._bleu.sentence_score(hypothesis, list(references))
        return np.array([score.sys_len, score.ref_len, *score.counts, *score.totals], dtype=np.float64)

    def corpus(self, sums: Rows) -> Rows:
        """Return corpus BLEU, shape (r,), of sums of shape (r, 10), as sacrebleu's `compute_bleu` works it out."""
        length, wanted, matches, totals = sums[:, 0], sums[:, 1], sums[:, 2:6], sums[:, 6:]
        # An order counts where there are n-grams of it and of every lower one.
        counts = np.logical_and.accumulate(totals > 0, axis=1)
        missed = counts & (matches == 0)
        # exp smoothing: the first order without a match counts half a match, the next a quarter, and so on
        smoothed = np.where(missed, 0.5 ** missed.cumsum(axis=1), matches)
        precisions = np.divide(smoothed, totals, out=np.ones_like(totals), where=counts)
        orders = np.maximum(counts.sum(axis=1), 1)
        ratio = np.divide(wanted, length, out=np.ones_like(length), where=length > 0)
        brevity = np.where(length < wanted, np.exp(1 - np.maximum(ratio, 1)), 1.0)
        scores: Rows = 100 * brevity * np.exp(np.log(precisions).sum(axis=1) / orders)
        return np.where((matches > 0).any(axis=1), scores, 0.0)

    def item(self, row: Rows) -> float:
        """Return sentence BLEU."""
        return float(self.corpus(row[np.newaxis])[0])


class BleuInternational(Bleu):
    """BLEU with words as Unicode has them, symbols and punctuation apart (mteval-v14)."""

    name = "bleu@intl"
    label = "BLEU intl"
    tokenizer = "intl"


class BleuChinese(Bleu):
    """BLEU with every Chinese character a token."""

    name = "bleu@zh"
    label = "BLEU zh"
    tokenizer = "zh"


class BleuCharacters(Bleu):
    """BLEU with every character a token."""

    name = "bleu@char"
    label = "BLEU char"
    tokenizer = "char"
