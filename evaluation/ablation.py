"""Answers with and without a part of the prompt, compared question by question. Reads records only.

Figures stand by set and by turn: the second question of a conversation leans on less than the fifth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from doceo.core.config import EvaluateConfig
from doceo.core.records import Answered, Question, Record, SetName
from evaluation.case import Case
from evaluation.metric import Metric, Rows
from evaluation.metrics import load_all
from evaluation.significance import paired
from evaluation.slices import turn_of

Part = Literal["history", "profile"]
PARTS: tuple[Part, ...] = get_args(Part)
METRICS = ("f1", "rougeL", "hit@k", "refused")
_DEEPEST = 5
"""Turns from here on are counted together."""
_FEWEST = 10
"""Questions below which an interval says too little for a verdict."""


class Ablated(Record):
    """One measure with and without a part: the paired difference, its 95 % interval, its p-value.

    `turn` is `all`, a number (the second question of a conversation is turn 2), or `5+`. `verdict` says `helps` or
    `hurts` where the interval excludes zero and there are ten questions or more.
    """

    part: Part
    system: str
    set: SetName
    turn: str
    metric: str
    n: int
    value_with: float
    value_without: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    verdict: str
    note: str = ""


def compare(
    system: str,
    questions: Sequence[Question],
    answers: Mapping[str, Sequence[Answered]],
    config: EvaluateConfig,
    profile_note: str = "",
) -> list[Ablated]:
    """Return the comparisons of one system, by part, set, turn and measure.

    Args:
        system: Its name.
        questions: The questions, in the order of the answers.
        answers: Variant -> answers: `whole`, and `without-history` or `with-profile`.
        config: Resamples and seed.
        profile_note: What the profile was.
    """
    pairs: list[tuple[Part, str, str, str]] = []
    if "without-history" in answers:
        pairs.append(("history", "whole", "without-history", ""))
    if "with-profile" in answers:
        pairs.append(("profile", "with-profile", "whole", profile_note))
    results = []
    for part, whole, without, note in pairs:
        for set_name, turn, places in _groups(questions):
            for metric, rows, baseline in _measured(questions, answers[whole], answers[without], places):
                results.append(_compared(part, system, set_name, turn, metric, rows, baseline, config, note))
    return results


def _groups(questions: Sequence[Question]) -> Iterable[tuple[SetName, str, list[int]]]:
    """Yield (set, turn, places of its questions): all turns of a set first."""
    for set_name in get_args(SetName):
        places = [at for at, question in enumerate(questions) if question.set == set_name]
        if not places:
            continue
        yield set_name, "all", places
        for turn in range(2, _DEEPEST + 1):
            deep = turn == _DEEPEST
            some = [at for at in places if turn_of(questions[at]) == turn or (deep and turn_of(questions[at]) > turn)]
            if some:
                yield set_name, f"{turn}+" if deep else str(turn), some


def _measured(
    questions: Sequence[Question], first: Sequence[Answered], second: Sequence[Answered], places: Sequence[int]
) -> Iterable[tuple[Metric, Rows, Rows]]:
    """Yield (measure, statistics of the first answers, of the second) where a measure is defined for both."""
    sides = [[Case(questions[at], side[at].answer) for at in places] for side in (first, second)]
    for metric in load_all(METRICS):
        rows = [metric.statistics(cases) for cases in sides]
        both = [(a, b) for a, b in zip(*rows, strict=True) if a is not None and b is not None]
        if both:
            yield metric, np.stack([a for a, _ in both]), np.stack([b for _, b in both])


def _compared(
    part: Part,
    system: str,
    set_name: SetName,
    turn: str,
    metric: Metric,
    rows: Rows,
    baseline: Rows,
    config: EvaluateConfig,
    note: str,
) -> Ablated:
    estimate = paired(metric, rows, baseline, resamples=config.resamples, seed=config.seed)
    sign = 0 if estimate.low is None or estimate.high is None else int(estimate.low > 0) - int(estimate.high < 0)
    judged = bool(metric.better) and len(rows) >= _FEWEST
    verdict = {1: "helps", -1: "hurts"}.get(sign, "") if judged else ""

    def whole(of: Rows) -> float:
        return round(float(metric.corpus(of.sum(axis=0, keepdims=True))[0]), 2)

    return Ablated(
        part=part,
        system=system,
        set=set_name,
        turn=turn,
        metric=metric.name,
        n=len(rows),
        value_with=whole(rows),
        value_without=whole(baseline),
        difference=round(estimate.value or 0.0, 2),
        low=None if estimate.low is None else round(estimate.low, 2),
        high=None if estimate.high is None else round(estimate.high, 2),
        p=None if estimate.p is None else round(estimate.p, 4),
        verdict=verdict,
        note=note,
    )
