"""How well the chance that an answer is given with tells whether it is right, from counts of 101 bins of chance.

The counts of answers add up, so that these measures are resampled as every other is (see `evaluation.metric`).
"""

from __future__ import annotations

import numpy as np

from evaluation.case import Case
from evaluation.metric import Rows
from evaluation.metrics.squad import normalized, overlap

BINS = 101
"""Chances are counted by the hundredth."""
ENOUGH = 0.5
RECIPE = "right:f1>=.5-or-holds-reference|wrong:unanswerable|unknown:refused-answerable|bins:101|scale:100|v:1"


def right(case: Case) -> bool | None:
    """Say whether an answer to the question is right; None where that is not known.

    One is where it shares enough words with a reference (token F1 of .5) or holds all words of one in a row. None is
    right where the documents do not answer the question. What a refusal would have said is not known.
    """
    if not case.question.answerable:
        return False
    if case.answer.refused or not case.references:
        return None
    said = normalized(case.text)
    return any(
        overlap(said, wanted) >= ENOUGH or _holds(said, wanted) for wanted in map(normalized, case.references) if wanted
    )


def counts(case: Case) -> Rows | None:
    """Return one answer as counts, shape (202,): wrong ones by their chance, then right ones.

    None where there is no chance, or it is not known whether an answer is right.
    """
    known = right(case)
    if case.answer.chance is None or known is None:
        return None
    row = np.zeros(2 * BINS)
    row[known * BINS + round(case.answer.chance * (BINS - 1))] = 1.0
    return row


def auroc(sums: Rows) -> Rows:
    """Return, for sums of shape (r, 202), how often a right answer has a higher chance than a wrong one, shape (r,).

    0 to 1, a tie counts half (Hanley and McNeil 1982); NaN where there are not both.
    """
    wrongs, rights = sums[:, :BINS], sums[:, BINS:]
    below = wrongs.cumsum(axis=1) - wrongs / 2
    pairs = wrongs.sum(axis=1) * rights.sum(axis=1)
    return _divided((rights * below).sum(axis=1), pairs)


def risk(sums: Rows, coverage: float) -> Rows:
    """Return, for sums of shape (r, 202), the share of wrong answers among those of the highest chance, shape (r,).

    As many are answered as `coverage` says (El-Yaniv and Wiener 2010); where the last bin is answered in part, with
    its mean. NaN where nothing was counted.
    """
    wrongs = sums[:, BINS - 1 :: -1]
    every = (sums[:, :BINS] + sums[:, BINS:])[:, ::-1]
    answered = coverage * every.sum(axis=1)
    before = every.cumsum(axis=1) - every
    taken = np.clip(answered[:, np.newaxis] - before, 0, every)
    parts = np.divide(wrongs * taken, every, out=np.zeros_like(every), where=every > 0)
    return _divided(parts.sum(axis=1), answered)


def _divided(part: Rows, whole: Rows) -> Rows:
    quotient: Rows = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return quotient


def _holds(said: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1))
