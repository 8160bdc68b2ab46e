"""What a metric is: sufficient statistics of one answer, and a corpus value from their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from doceo.core.errors import InputError
from evaluation.case import Case

Rows = NDArray[np.float64]
Better = Literal["higher", "lower", ""]
"""Which of two values is the better one; nothing where neither is."""
Group = Literal["answer", "evidence", "retrieval", "refusal", "cost", "judged"]
"""What a metric is about: the answer's words, what it cites, what was found for it, when it refuses, what it costs; or
that a model judged it, which is never enough for a decision."""


class Metric(Protocol):
    """One way to measure answers.

    A corpus value depends on the answers only through the sum of their statistics; that is what makes a bootstrap of
    corpus metrics such as BLEU cheap (Koehn 2004, "Statistical significance tests for machine translation"). Values
    are on a scale of 0 to 100, as sacrebleu prints BLEU and chrF, but for those that have a unit.
    """

    name: str
    """The name in config, tables and files, such as `rougeL`."""
    label: str
    """The name as people write it, such as `ROUGE-L`."""
    signature: str
    """How the number was made, `key:value` joined by `|`, in sacrebleu's manner."""
    group: Group
    unit: str
    """Nothing for a scale of 0 to 100; else `s`, `tokens` or `USD`."""
    better: Better

    def statistics(self, cases: Sequence[Case]) -> list[Rows | None]:
        """Return the statistics of every case, each of shape (k,), or None where the metric is undefined for it."""
        ...

    def corpus(self, sums: Rows) -> Rows:
        """Return the corpus values, shape (r,), of r sums of statistics, shape (r, k); NaN where undefined."""
        ...

    def item(self, row: Rows) -> float | None:
        """Return the value of one answer, which is the corpus value of it alone; None where only many have one."""
        ...


class PerCase:
    """The statistics of a metric that looks at one case at a time."""

    group: Group = "answer"
    unit: str = ""
    better: Better = "higher"

    def statistics(self, cases: Sequence[Case]) -> list[Rows | None]:
        """Return the statistics of every case."""
        return [self.of(case) for case in cases]

    def of(self, case: Case) -> Rows | None:
        """Return the statistics of one case, shape (k,), or None where the metric is undefined for it."""
        raise NotImplementedError


class OfTexts(PerCase):
    """The statistics of a metric that compares an answer's text with its references."""

    def of(self, case: Case) -> Rows | None:
        """Return the statistics of one case; None where it has no reference."""
        return self.compare(case.text, case.references) if case.references else None

    def compare(self, hypothesis: str, references: Sequence[str]) -> Rows | None:
        """Return the statistics of a text, shape (k,); `references` holds at least one that is not blank."""
        raise NotImplementedError


class Mean:
    """The corpus value of metrics that are a mean. Statistics: (sum of values, how many): of one answer, (value, 1).

    Where what is counted is smaller than an answer, such as its citations, an answer has several.
    """

    def corpus(self, sums: Rows) -> Rows:
        """Return the means, shape (r,), of sums of shape (r, 2)."""
        counted = sums[:, 1] > 0
        means: Rows = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=counted)
        return means

    def item(self, row: Rows) -> float | None:
        """Return the value of one answer."""
        return float(row[0] / row[1])


def mean_row(value: float, of: float = 1.0) -> Rows:
    """Return the statistics of one answer for a `Mean`: the sum of `of` values."""
    return np.array([value, of])


def share_row(part: float, whole: float) -> Rows | None:
    """Return the statistics of one answer for a `Mean` that is a share of 0 to 100; None where there is no whole."""
    return mean_row(100.0 * part, whole) if whole else None


def items(metric: Metric, rows: Rows) -> Rows | None:
    """Return the values of single answers, shape (n,), from their statistics, shape (n, k).

    None where only many answers have a value.
    """
    return None if metric.item(rows[0]) is None else metric.corpus(rows)


def statistics(metric: Metric, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> list[Rows | None]:
    """Return the statistics of texts; None where one has no reference or the metric is undefined.

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
    for given in references:
        if isinstance(given, str):
            raise InputError(
                f"{metric.name}: the references of an answer are a text, not a list of texts: {given[:60]!r}.",
                hint="Give references as [answer][reference].",
            )
    return metric.statistics([Case.of_texts(text, given) for text, given in zip(hypotheses, references, strict=True)])
