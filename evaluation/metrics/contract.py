"""What every metric has to keep to: a check for one of your own, and for ours.

from evaluation.metrics.contract import check
check(MyMetric())
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import get_args

import numpy as np

from doceo.core.errors import InputError
from evaluation.case import Case
from evaluation.metric import Better, Group, Metric, Rows
from evaluation.metrics.contract_cases import odd_cases, right_cases, wrong_cases

_CLOSE = 1e-6
"""How far two workings of one number may be apart: vectors of a batch differ in their last digits."""


def check(metric: Metric) -> None:
    """Check a metric on made-up answers, right, wrong and odd ones, in several scripts.

    Raises:
        InputError: says what is wrong with it.
    """
    right, wrong, odd = right_cases(), wrong_cases(), odd_cases()
    _check_words(metric)
    rows = _checked_rows(metric, [*right, *wrong, *odd])
    _check_repeats(metric, [*right, *wrong, *odd], rows)
    defined = [row for row in rows if row is not None]
    if not defined:
        raise _wrong(metric, "is undefined for every answer of the check, and so measures nothing")
    _check_sums(metric, np.stack(defined))
    _check_items(metric, np.stack(defined))
    _check_direction(metric, right, wrong)


def _check_words(metric: Metric) -> None:
    if not re.fullmatch(r"[\w@.+-]+", metric.name):
        raise _wrong(metric, "needs a name of letters, digits and _@.+- that can stand in a list")
    if not metric.label or not metric.signature or re.search(r"\s", metric.signature):
        raise _wrong(metric, "needs a label, and a signature without blanks such as brevity|mean|scale:100|v:1")
    if metric.group not in get_args(Group) or metric.better not in get_args(Better):
        groups, ways = (", ".join(map(repr, get_args(known))) for known in (Group, Better))
        raise _wrong(metric, f"needs a group of {groups} and a better of {ways}")


def _checked_rows(metric: Metric, cases: Sequence[Case]) -> list[Rows | None]:
    before = metric.signature
    rows = metric.statistics(cases)
    if len(rows) != len(cases):
        raise _wrong(metric, f"returns {len(rows)} statistics for {len(cases)} answers")
    shapes = {np.shape(row) for row in rows if row is not None}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise _wrong(metric, f"returns statistics of shapes {sorted(shapes)}: all have to be of one length (k,)")
    if any(row is not None and not np.isfinite(row).all() for row in rows):
        raise _wrong(metric, "returns statistics that are not finite: where it is undefined they have to be None")
    if metric.signature != before:
        raise _wrong(metric, "changes its signature while it measures")
    return rows


def _check_repeats(metric: Metric, cases: Sequence[Case], rows: Sequence[Rows | None]) -> None:
    if not _same(metric.statistics(cases), rows):
        raise _wrong(metric, "gives other statistics for the same answers the second time")
    if not _same(metric.statistics(cases[::-1])[::-1], rows):
        raise _wrong(metric, "gives other statistics when the answers come in another order")
    half = len(cases) // 2
    if not _same([*metric.statistics(cases[:half]), *metric.statistics(cases[half:])], rows):
        raise _wrong(metric, "gives an answer other statistics when other answers stand beside it")
    if list(metric.statistics([])):
        raise _wrong(metric, "has to return no statistics for no answers")


def _check_sums(metric: Metric, rows: Rows) -> None:
    total = rows.sum(axis=0, keepdims=True)
    half = len(rows) // 2
    sums = np.concatenate([total, rows[:half].sum(axis=0, keepdims=True) + rows[half:].sum(axis=0), total])
    values = np.asarray(metric.corpus(sums))
    if values.shape != (3,):
        raise _wrong(metric, f"returns corpus values of shape {values.shape} for 3 sums: it has to be (3,)")
    if not math.isfinite(values[0]):
        raise _wrong(metric, "has no corpus value although it is defined for the answers")
    if not np.allclose(values, values[0], atol=_CLOSE):
        raise _wrong(metric, "gives other corpus values for the same sums")


def _check_items(metric: Metric, rows: Rows) -> None:
    items = [metric.item(row) for row in rows]
    if all(item is None for item in items):
        return
    if any(item is None or not math.isfinite(item) for item in items):
        raise _wrong(
            metric, "has some items that are None or not finite: an answer that is undefined has no statistics"
        )
    if not np.allclose(np.array(items, dtype=np.float64), metric.corpus(rows), atol=_CLOSE):
        raise _wrong(metric, "gives an answer another value than the corpus value of that answer alone")


def _check_direction(metric: Metric, right: Sequence[Case], wrong: Sequence[Case]) -> None:
    if not metric.better:
        return
    good, bad = (_value(metric, cases) for cases in (right, wrong))
    if good is None or bad is None:
        raise _wrong(metric, "is undefined for all the right or all the wrong answers of the check")
    if good <= bad if metric.better == "higher" else good >= bad:
        raise _wrong(
            metric, f"gives {good:.4g} to right answers and {bad:.4g} to wrong ones; {metric.better} is better"
        )


def _value(metric: Metric, cases: Sequence[Case]) -> float | None:
    rows = [row for row in metric.statistics(cases) if row is not None]
    value = float(metric.corpus(np.stack(rows).sum(axis=0, keepdims=True))[0]) if rows else math.nan
    return value if math.isfinite(value) else None


def _same(first: Sequence[Rows | None], second: Sequence[Rows | None]) -> bool:
    return len(first) == len(second) and all(
        (one is None and other is None)
        or (one is not None and other is not None and np.allclose(one, other, atol=_CLOSE))
        for one, other in zip(first, second, strict=True)
    )


def _wrong(metric: Metric, what: str) -> InputError:
    return InputError(f"The metric {metric.name} {what}.", hint="docs/metrics.md says what a metric has to keep to.")
