"""How long answers take."""

from __future__ import annotations

from evaluation import quantiles
from evaluation.case import Case
from evaluation.metric import Better, Group, Mean, PerCase, Rows, mean_row


class Seconds(Mean, PerCase):
    """Mean seconds of an answer; undefined where they were not measured."""

    name = "seconds"
    label = "seconds"
    signature = "seconds|mean|unit:s|v:1"
    group: Group = "cost"
    unit = "s"
    better: Better = "lower"

    def of(self, case: Case) -> Rows | None:
        """Return (seconds, 1), or None where they were not measured."""
        seconds = case.answer.usage.seconds
        return mean_row(seconds) if seconds else None


class SecondsQuantile(PerCase):
    """Seconds in which a share of the answers is made, to within 2 %; undefined where they were not measured.

    Statistics: counts in bins of time, shape (`quantiles.BINS`,).
    """

    group: Group = "cost"
    unit = "s"
    better: Better = "lower"

    def __init__(self, per_cent: int) -> None:
        self._share = per_cent / 100
        self.name = f"seconds_p{per_cent}"
        self.label = f"seconds, {per_cent} %"
        self.signature = f"seconds|quantile:{self._share:g}|{quantiles.RECIPE}"

    def of(self, case: Case) -> Rows | None:
        """Return the counts, or None where no time was measured."""
        seconds = case.answer.usage.seconds
        return quantiles.counted(seconds) if seconds else None

    def corpus(self, sums: Rows) -> Rows:
        """Return the quantiles, shape (r,), of sums of shape (r, BINS); NaN where undefined."""
        return quantiles.quantile(sums, self._share)

    def item(self, row: Rows) -> float:
        """Return the time of one answer, as its bin has it."""
        return float(quantiles.MIDDLES[row.argmax()])


class SecondsP50(SecondsQuantile):
    """The median."""

    def __init__(self) -> None:
        super().__init__(50)


class SecondsP95(SecondsQuantile):
    """The time that one answer in twenty exceeds."""

    def __init__(self) -> None:
        super().__init__(95)
