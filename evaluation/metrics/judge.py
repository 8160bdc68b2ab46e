"""What a judge model said of answers, from its stored replies; nothing is asked here.

The metrics are of the group `judged`: a gate or a decision never rests on them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from evaluation.case import Case
from evaluation.judging.records import PREFIX, Compared, Judge, Marked
from evaluation.judging.shown import answer_id
from evaluation.judging.verdicts import EVEN, win_shares
from evaluation.metric import Group, Mean, Metric, PerCase, Rows, mean_row

_HIGHEST = 2


class JudgedPoint(Mean, PerCase):
    """Mark on one point of the rubric, 2 being 100: the mean of the repeats that could be read.

    An answer that was not judged, or none of whose replies could be read, has none. Statistics: (value, 1).
    """

    group: Group = "judged"

    def __init__(self, point: str, judge: Judge, marked: Iterable[Marked]) -> None:
        self.name = f"{PREFIX}{point}"
        self.label = f"Judge: {point}"
        self.signature = f"judge|{judge.recipe}|point:{point}|repeats:{judge.repeats}|scale:100|v:1"
        marks: dict[str, list[int]] = {}
        for one in marked:
            if point in one.marks:
                marks.setdefault(one.answer, []).append(one.marks[point])
        self._values = {answer: 100.0 * fmean(found) / _HIGHEST for answer, found in marks.items()}

    def of(self, case: Case) -> Rows | None:
        """Return (value, 1), or None."""
        value = self._values.get(answer_id(case))
        return None if value is None else mean_row(value)


class Preferred(Mean, PerCase):
    """Share of answers that the judge finds better than the baseline's, a tie being half a win.

    An answer wins or loses where both orders say so (as Zheng et al. 2023, arXiv 2306.05685); all else is a tie. The
    baseline's own answers are as good as themselves, 50, so that the paired difference to it is what the win rate has
    above one half. Statistics: (value, 1).
    """

    group: Group = "judged"
    name = f"{PREFIX}preferred"

    def __init__(self, judge: Judge, compared: Sequence[Compared]) -> None:
        self.label = f"Judge: preferred to {judge.baseline}"
        prompt = judge.prompts["judge_two_answers"][:8]
        self.signature = (
            f"judge-win-rate|model:{judge.model}|rubric:{judge.rubric[:8]}|prompt:{prompt}|baseline:{judge.baseline}|"
            f"rounds:{judge.comparisons}|orders:both|ties:half|scale:100|v:1"
        )
        self._values = win_shares(compared) | {one.base: EVEN for one in compared}

    def of(self, case: Case) -> Rows | None:
        """Return (value, 1), or None."""
        value = self._values.get(answer_id(case))
        return None if value is None else mean_row(value)


def judge_metrics(judge: Judge, marked: Sequence[Marked], compared: Sequence[Compared]) -> list[Metric]:
    """Return the metrics of a judge's replies: one for each point, and the win rate where answers were compared."""
    points: list[Metric] = [JudgedPoint(point, judge, marked) for point in judge.points]
    return [*points, Preferred(judge, compared)] if compared else points
