"""From questions with known outcomes to a calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np

from doceo.core.errors import InputError
from rag import risk
from rag.calibration import Fit, Point
from rag.refusal import log_odds, logistic
from rag.risk import Array, Labels

FEWEST = 10
"""Questions of either kind that a calibration needs."""
RECALL = 0.95
"""Share of the answerable questions that a model is asked, where nothing else is wanted."""
_FOLDS = 5
Answerer = Literal["model", "quote"]
Choose = Callable[[Array, Labels], float]
"""Chooses a threshold from chances and outcomes."""


def check(points: Sequence[Point]) -> None:
    """Raise InputError where there are too few questions of one kind."""
    yes = sum(point.answerable for point in points)
    if min(yes, len(points) - yes) < FEWEST:
        raise InputError(
            f"There are {yes} questions that the documents answer and {len(points) - yes} that they do not; "
            f"a calibration needs {FEWEST} of either kind.",
            hint='Give more with --questions FILE, one {"question": ..., "answerable": true or false} a line.',
        )


def choosers(most_risk: float | None, least_coverage: float | None) -> tuple[dict[Answerer, Choose], str]:
    """Return how the threshold of each answerer is chosen, and that in words.

    Where nothing is wanted, quoting is refused so that both kinds of mistakes are as rare as possible, while a model is
    asked nearly everything that can be answered: it can still refuse.
    """
    if least_coverage is not None:
        words = f"coverage of at least {least_coverage:.0%}"
        return dict.fromkeys(("model", "quote"), partial(_covering, least=least_coverage)), words
    if most_risk is not None:
        words = f"risk of at most {most_risk:.0%}"
        return dict.fromkeys(("model", "quote"), partial(_risking, most=most_risk)), words
    words = f"a model is asked {RECALL:.0%} of what can be answered; quote errs as little as possible either way"
    return {"model": partial(risk.at_recall, least=RECALL), "quote": risk.balanced}, words


def _covering(chances: Array, labels: Labels, least: float) -> float:
    return risk.at_coverage(risk.curve(chances, labels), least)


def _risking(chances: Array, labels: Labels, most: float) -> float:
    found = risk.curve(chances, labels)
    threshold = risk.at_risk(found, most)
    # where no threshold keeps the risk, the one with the least
    return float(found.thresholds[int(found.risk.argmin())]) if threshold is None else threshold


def fit(points: Sequence[Point], score: Callable[[Point], float], choose: Choose, seed: int = 0) -> Fit:
    """Fit one answerer's chance and threshold.

    Args:
        points: Questions with known outcomes; enough of either kind.
        score: The shipped chance of a question.
        choose: Chooses the threshold, from chances that had no part in the fit.
        seed: Of the bootstrap.
    """
    ordered = sorted(points, key=lambda point: point.question)
    odds = np.array([log_odds(score(point)) for point in ordered])
    labels = np.array([point.answerable for point in ordered])
    chances = out_of_fold(odds, labels)
    threshold = choose(chances, labels)
    cosines = np.array([point.cosine for point in ordered])
    slope, offset = risk.platt(odds, labels)
    draws = risk.resampled(len(ordered), seed)
    answered = chances >= threshold
    return Fit(
        slope=round(slope, 4),
        offset=round(offset, 4),
        threshold=round(threshold, 4),
        auroc=round(risk.auroc(chances, labels), 4),
        auroc_interval=_rounded(risk.interval([risk.auroc(chances[draw], labels[draw]) for draw in draws])),
        cosine_auroc=round(risk.auroc(cosines, labels), 4),
        risk=round(_wrong(answered, labels), 4),
        risk_interval=_rounded(risk.interval([_wrong(answered[draw], labels[draw]) for draw in draws])),
        coverage=round(float(answered.mean()), 4),
        error=round(float(np.mean((chances - labels) ** 2)), 4),
    )


def out_of_fold(odds: Array, labels: Labels) -> Array:
    """Return the chance of every question by a fit on the four fifths that it is not in, both kinds spread evenly."""
    chances = np.zeros(len(odds))
    ranks = np.zeros(len(odds), dtype=int)
    for kind in (labels, ~labels):
        ranks[kind] = np.arange(int(kind.sum()))
    for fold in range(_FOLDS):
        inside = ranks % _FOLDS == fold
        slope, offset = risk.platt(odds[~inside], labels[~inside])
        chances[inside] = [logistic(slope * value + offset) for value in odds[inside]]
    return chances


def _wrong(answered: Labels, labels: Labels) -> float:
    return float((~labels[answered]).mean()) if answered.any() else 0.0


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 4), round(interval[1], 4)
