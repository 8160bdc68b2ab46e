"""How far a judge's marks agree with those of people: Cohen's kappa, rank correlation, and the share of equal marks.

Kappa and correlation depend on how often the judge said one thing and a person another, so they are sums of statistics
like any metric here, and their intervals are a bootstrap over answers by the same engine. The interval of the share is
Wilson's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from doceo.core.records import Record
from evaluation.metric import Better, Group, Rows
from evaluation.obedience import wilson
from evaluation.significance import interval

NOT_COMPARED = "not compared with people"


class Figure(Record):
    """A measure of agreement with its 95 % interval; None where undefined. One of 1 has no interval by a bootstrap."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Agreement(Record):
    """Agreement with people on a point of the rubric, or, where `of` is `rating`, of their ratings with all marks.

    `equal` (share of equal marks, 0 to 1) and `kappa` (quadratic weights, Cohen 1968: 2 against 0 is a worse slip than
    2 against 1) need the same scale on both sides, so ratings have `spearman` alone. `n` counts answers.
    """

    of: str
    n: int
    spearman: Figure
    kappa: Figure | None = None
    equal: Figure | None = None

    @property
    def words(self) -> str:
        """The agreement in a few words."""
        named = {"Cohen's kappa": self.kappa, "Spearman": self.spearman, "equal marks": self.equal}
        said = [f"{name} {_shown(figure)}" for name, figure in named.items() if figure is not None]
        return f"{self.of}: {', '.join(said)} (n = {self.n})"


class _OfTable:
    """A measure of the table of what the judge said (rows) against what people said (columns), from cell counts."""

    name = label = signature = unit = ""
    group: Group = "judged"
    better: Better = "higher"

    def __init__(self, judge: int, people: int) -> None:
        self._shape = (judge, people)

    def corpus(self, sums: Rows) -> Rows:
        """Return the values, shape (r,), of r tables, shape (r, cells); NaN where undefined."""
        counts = sums.reshape(-1, *self._shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.measure(counts / counts.sum(axis=(1, 2), keepdims=True))

    def measure(self, shares: Rows) -> Rows:
        """Return the values of tables of shares, shape (r, rows, columns)."""
        raise NotImplementedError

    def statistics(self, cases: object) -> list[Rows | None]:
        """Raise TypeError: the statistics are the cells, not the cases."""
        raise TypeError("agreement is worked out from a table")

    def item(self, row: Rows) -> float | None:
        """Return None: one answer has no agreement."""
        return None


class _Kappa(_OfTable):
    def measure(self, shares: Rows) -> Rows:
        rows, columns = (np.arange(n) for n in self._shape)
        apart = (rows[:, None] - columns[None, :]) ** 2.0
        chance = shares.sum(axis=2)[:, :, None] * shares.sum(axis=1)[:, None, :]
        kappa: Rows = 1 - (shares * apart).sum(axis=(1, 2)) / (chance * apart).sum(axis=(1, 2))
        return np.where(np.isfinite(kappa), kappa, np.nan)


class _Spearman(_OfTable):
    """Pearson's correlation of ranks, ties having their mean rank (Spearman 1904)."""

    def measure(self, shares: Rows) -> Rows:
        of_judge, of_people = shares.sum(axis=2), shares.sum(axis=1)
        x, y = _ranks(of_judge), _ranks(of_people)
        mean_x, mean_y = (of_judge * x).sum(axis=1), (of_people * y).sum(axis=1)
        together = (shares * x[:, :, None] * y[:, None, :]).sum(axis=(1, 2)) - mean_x * mean_y
        spread = ((of_judge * x**2).sum(axis=1) - mean_x**2) * ((of_people * y**2).sum(axis=1) - mean_y**2)
        correlation: Rows = together / np.sqrt(spread)
        # Differences of sums leave a spread of 1e-17 where all ranks are one.
        return np.where(spread > 1e-12, correlation, np.nan)


def _ranks(shares: Rows) -> Rows:
    return np.cumsum(shares, axis=1) - shares / 2


def on_point(name: str, judge: Sequence[int], people: Sequence[int], *, resamples: int, seed: int) -> Agreement:
    """Return the agreement of two marks, 0 to 2, of each of some answers."""
    rows = _cells(judge, people, range(3), range(3))
    kappa, spearman = (_figure(metric, rows, resamples, seed) for metric in (_Kappa(3, 3), _Spearman(3, 3)))
    same = sum(said == other for said, other in zip(judge, people, strict=True))
    equal = _rounded(same / len(judge), *wilson(same, len(judge)))
    return Agreement(of=name, n=len(judge), spearman=spearman, kappa=kappa, equal=equal)


def on_rating(judge: Sequence[float], people: Sequence[float], *, resamples: int, seed: int) -> Agreement:
    """Return the agreement of a mean mark and a person's rating, on whatever scale, of each of some answers."""
    left, right = sorted(set(judge)), sorted(set(people))
    rows = _cells(judge, people, left, right)
    return Agreement(
        of="rating", n=len(judge), spearman=_figure(_Spearman(len(left), len(right)), rows, resamples, seed)
    )


def _cells(judge: Sequence[float], people: Sequence[float], left: Sequence[float], right: Sequence[float]) -> Rows:
    """Return the statistics, shape (n, cells): 1 where an answer stands in the table."""
    rows = np.zeros((len(judge), len(left) * len(right)))
    at = [left.index(said) * len(right) + right.index(other) for said, other in zip(judge, people, strict=True)]
    rows[np.arange(len(judge)), at] = 1.0
    return rows


def _figure(metric: _OfTable, rows: Rows, resamples: int, seed: int) -> Figure:
    found = interval(metric, rows, resamples=resamples, seed=seed)
    if found.value is None or found.value > 1 - 1e-9:
        # Every resample of answers that all agree agrees too, so that its interval would be a point.
        return _rounded(found.value)
    return _rounded(found.value, found.low, found.high)


def _rounded(value: float | None, low: float | None = None, high: float | None = None) -> Figure:
    value, low, high = (None if number is None else round(number, 4) + 0.0 for number in (value, low, high))
    return Figure(value=value, low=low, high=high)


def _shown(figure: Figure) -> str:
    if figure.value is None:
        return "undefined"
    bounds = "" if figure.low is None else f" [{figure.low:.2f}, {figure.high:.2f}]"
    return f"{figure.value:.2f}{bounds}"
