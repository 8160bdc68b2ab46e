"""BLEU (Papineni et al. 2002) as sacrebleu computes it (Post 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sacrebleu
from sacrebleu.metrics.bleu import BLEU

from evaluation.metric import Rows


class Bleu:
    """Corpus BLEU with sacrebleu's defaults and effective order.

    Effective order changes a corpus value only where no answer has four tokens: plain BLEU then calls a perfect
    short answer 0. Statistics: (answer length, reference length, 4 matches, 4 totals). Texts of scripts without
    spaces are single tokens for the 13a tokenizer; chrF is the number to read there.
    """

    name = "bleu"
    signature = f"bleu|refs:all|case:mixed|eff:yes|tok:13a|smooth:exp|scale:100|sacrebleu:{sacrebleu.__version__}"

    def __init__(self) -> None:
        self._bleu = BLEU(effective_order=True)

    def statistics(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return the statistics of one answer, shape (10,)."""
        score = self._bleu.sentence_score(hypothesis, list(references))
        return np.array([score.sys_len, score.ref_len, *score.counts, *score.totals], dtype=np.float64)

    def corpus(self, sums: Rows) -> Rows:
        """Return corpus BLEU, shape (r,), of sums of shape (r, 10)."""
        return np.fromiter((self._value(row) for row in sums.tolist()), dtype=np.float64, count=len(sums))

    def item(self, row: Rows) -> float:
        """Return sentence BLEU."""
        return self._value(row.tolist())

    @staticmethod
    def _value(row: list[float]) -> float:
        counts, totals = [int(c) for c in row[2:6]], [int(t) for t in row[6:]]
        score = BLEU.compute_bleu(counts, totals, int(row[0]), int(row[1]), smooth_method="exp", effective_order=True)
        return float(score.score)
