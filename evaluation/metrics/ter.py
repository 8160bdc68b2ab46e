"""Translation edit rate (Snover et al. 2006) as sacrebleu computes it: lower is better."""

from __future__ import annotations

from collections.abc import Sequence

import sacrebleu
from sacrebleu.metrics.ter import TER

from evaluation.metric import Better, Mean, OfTexts, Rows, mean_row


class Ter(Mean, OfTexts):
    """Edits, shifts of word runs among them, that turn answers into references, for 100 words of reference.

    sacrebleu's defaults. Statistics: (100 edits, reference length), the fewest edits and the mean of the lengths.
    """

    name = "ter"
    label = "TER"
    signature = f"ter|refs:best|case:lower|tok:tercom|norm:no|punct:yes|scale:100|sacrebleu:{sacrebleu.__version__}"
    better: Better = "lower"

    def __init__(self) -> None:
        self._ter = TER()

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows:
        """Return (100 edits, reference length)."""
        score = self._ter.sentence_score(hypothesis, list(references))
        return mean_row(100.0 * score.num_edits, score.ref_length)
