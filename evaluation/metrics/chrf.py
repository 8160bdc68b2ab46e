"""chrF2 (Popovic 2015) as sacrebleu computes it: character 6-grams, recall weighted twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sacrebleu
from sacrebleu.metrics.chrf import CHRF

from evaluation.metric import OfTexts, Rows


class ChrF(OfTexts):
    """Corpus chrF2 with sacrebleu's defaults. Statistics: (answer, reference, matching) n-grams for n = 1 to 6."""

    name = "chrf"
    label = "chrF"
    signature = f"chrF2|refs:best|case:mixed|eff:yes|nc:6|nw:0|space:no|scale:100|sacrebleu:{sacrebleu.__version__}"

    def __init__(self) -> None:
        self._chrf = CHRF()

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return the statistics of one answer against the reference that it matches best, shape (18,)."""
        # sacrebleu's own significance tests take their statistics here; there is no public way to them.
        rows = self._chrf._extract_corpus_statistics([hypothesis], [[text] for text in references])
        return np.array(rows[0], dtype=np.float64)

    def corpus(self, sums: Rows) -> Rows:
        """Return corpus chrF2, shape (r,), of sums of shape (r, 18).

        Mean precision and mean recall over the orders that occur on both sides, then their F-score with beta = 2,
        as sacrebleu's without epsilon smoothing.
        """
        hypothesis, reference, matching = sums[:, 0::3], sums[:, 1::3], sums[:, 2::3]
        occurs = (hypothesis > 0) & (reference > 0)
        orders = np.maximum(occurs.sum(axis=1), 1)
        precision = (np.divide(matching, hypothesis, where=occurs, out=np.zeros_like(matching))).sum(axis=1) / orders
        recall = (np.divide(matching, reference, where=occurs, out=np.zeros_like(matching))).sum(axis=1) / orders
        weighted = 4 * precision + recall
        values: Rows = 100 * 5 * precision * recall / np.where(weighted > 0, weighted, 1.0)
        return values

    def item(self, row: Rows) -> float:
        """Return sentence chrF2."""
        return float(self.corpus(row[np.newaxis])[0])
