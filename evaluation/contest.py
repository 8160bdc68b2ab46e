"""Every system against every other on one metric, set by set: the figures that a verdict rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from doceo.core.config import EvaluateConfig
from doceo.core.records import Answered, Question, Score, SetName
from evaluation.case import cases
from evaluation.entries import Entry, scores
from evaluation.metric import Metric, Rows
from evaluation.scoring import SETS
from evaluation.significance import holm
from evaluation.traits import judged


def contest(
    answered: Mapping[str, Sequence[Answered]],
    metric: Metric,
    config: EvaluateConfig,
    questions: Sequence[Question] = (),
) -> list[Score]:
    """Return the values of all systems and the paired differences of all couples, on the sets they are judged on.

    A difference is that of `system` to `versus`, which comes before it, on the questions that both answered and the
    metric can measure. `p_holm` is corrected for all differences of all sets (Holm 1979).

    Args:
        answered: System name -> its answers, of any sets, in the order of the tables.
        metric: What is measured.
        config: Resamples and seed.
        questions: What is known of the questions; one that is missing is known by its references alone.
    """
    found: list[Score] = []
    for set_name, rows in _statistics(answered, metric, questions).items():
        found += scores(list(_entries(metric, rows)), set_name, config)
    corrected = iter(holm([score.p for score in found if score.p is not None]))
    return [
        score if score.p is None else score.model_copy(update={"p_holm": float(f"{next(corrected):.4g}")})
        for score in found
    ]


def _statistics(
    answered: Mapping[str, Sequence[Answered]], metric: Metric, questions: Sequence[Question]
) -> dict[SetName, dict[str, dict[str, Rows]]]:
    """Return set -> system -> pair id -> statistics, where the metric is defined."""
    known = {(question.set, question.pair_id): question for question in questions}
    found: dict[SetName, dict[str, dict[str, Rows]]] = {}
    for set_name in SETS:
        for system, lines in answered.items():
            if judged(system, set_name):
                chosen = cases([line for line in lines if line.set == set_name], known)
                rows = zip(chosen, metric.statistics(chosen), strict=True)
                if own := {case.question.pair_id: row for case, row in rows if row is not None}:
                    found.setdefault(set_name, {})[system] = own
    return found


def _entries(metric: Metric, rows: Mapping[str, Mapping[str, Rows]]) -> Iterator[Entry]:
    """Yield every system, and every couple that shares questions."""
    for system, own in rows.items():
        yield Entry(system, metric, _stacked(own, own), asked=len(own))
    for before, system in combinations(rows, 2):
        own, base = rows[system], rows[before]
        if common := [pair_id for pair_id in own if pair_id in base]:
            yield Entry(system, metric, _stacked(own, common), _stacked(base, common), before, len(own))


def _stacked(rows: Mapping[str, Rows], ids: Sequence[str] | Mapping[str, Rows]) -> Rows:
    """Return statistics as an entry has them, shape (n, 1, k): one training of every system."""
    return np.stack([rows[pair_id] for pair_id in ids])[:, np.newaxis]
