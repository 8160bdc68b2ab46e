"""What a metric is: sufficient statistics of one answer, and a corpus value from their sum.

Every metric is on a scale of 0 to 100, as sacrebleu prints BLEU and chrF, so that one table reads alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doceo.core.errors import InputError

Rows = NDArray[np.float64]


class Metric(Protocol):
    """One way to compare an answer with its references.

    A corpus value depends on the answers only through the sum of their statistics; that is what makes a bootstrap
    of corpus metrics such as BLEU cheap (Koehn 2004, "Statistical significance tests for machine translation").
    """

    name: str
    """The name in config, tables and files, such as `rougeL`."""
    signature: str
    """How the number was made, `key:value` joined by `|`, in sacrebleu's manner."""

    def statistics(self, hypothesis: str, references: Sequence[str]) -> Rows | None:
        """Return the statistics of one answer, shape (k,), or None where the metric is undefined for it.

        `references` holds at least one text that is not blank.
        """
        ...

    def corpus(self, sums: Rows) -> Rows:
        """Return the corpus values, shape (r,), of r sums of statistics, shape (r, k); 0 to 100, never NaN."""
        ...

    def item(self, row: Rows) -> float:
        """Return the value of one answer from its statistics, 0 to 100."""
        ...


class Mean:
    """The corpus value of metrics that are a mean over answers. Statistics: (value, 1)."""

    def corpus(self, sums: Rows) -> Rows:
        """Return the means, shape (r,), of sums of shape (r, 2)."""
        means: Rows = sums[:, 0] / sums[:, 1]
        return means

    def item(self, row: Rows) -> float:
        """Return the value of one answer."""
        return float(row[0])


def statistics(metric: Metric, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> list[Rows | None]:
    """Return the statistics of every answer; None where an answer has no reference or the metric is undefined.

    `references` is [answer][reference]: one list of texts for each answer, as many as it has. (sacrebleu's own
    interface is [reference][answer] and accepts a mix-up without a word.)

    Raises:
        InputError: the lengths differ, or a text stands where a list of texts belongs.
    """
    if len(hypotheses) != len(references):
        raise InputError(
            f"{metric.name}: {len(hypotheses)} answers, but references for {len(references)}.",
            hint="Give one list of references for every answer.",
        )
    rows: list[Rows | None] = []
    for hypothesis, given in zip(hypotheses, references, strict=True):
        if isinstance(given, str):
            raise InputError(
                f"{metric.name}: the references of an answer are a text, not a list of texts: {given[:60]!r}.",
                hint="Give references as [answer][reference].",
            )
        usable = [text for text in given if text.strip()]
        rows.append(metric.statistics(hypothesis, usable) if usable else None)
    return rows
