"""A difference over several seeds, counting in that other seeds and other questions would have given other numbers.

Seeds and questions are both samples: of trainings that could have been, and of what could have been asked. With the
usual three to ten seeds a bootstrap over them is far too narrow (three seeds can be drawn in ten ways), so the two
variances are worked out from the analysis of variance of the table of seeds by questions, and the interval is that of
Student's t with the degrees of freedom of Satterthwaite (1946), as in Searle, Casella and McCulloch 1992, "Variance
components", for two crossed random factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

MOST_FLIPPED = 16
"""Seeds up to which all signs are tried; more are drawn."""
_DRAWN = 20_000


@dataclass(frozen=True)
class OverSeeds:
    """A mean difference with its 95 % interval; bounds are None below two questions.

    `p` is one-sided and speaks of these questions alone: how often a difference at least as large comes about where
    there is none, by flipping the signs of whole seeds (Fisher's permutation test of paired samples); None for a
    single seed. `between` is the standard deviation of the seeds' true differences. `p_t` is two-sided, of the
    Student's t that the interval is of.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    between: float
    seeds: int
    n: int
    p_t: float | None = None


def over_seeds(differences: NDArray[np.float64], *, seed: int = 0) -> OverSeeds:
    """Return what differences of answers come to.

    Args:
        differences: Shape (seeds, questions): of every question's score, one system's less the other's.
        seed: Of the signs that are drawn where there are too many to try.
    """
    seeds, n = differences.shape
    value = float(differences.mean())
    if n < 2:
        return OverSeeds(value, None, None, None, 0.0, seeds, n)
    by_seed, by_question = differences.mean(axis=1), differences.mean(axis=0)
    of_questions = float(by_question.var(ddof=1)) * seeds
    if seeds == 1:
        error = (of_questions / n) ** 0.5
        reach = float(stdtrit(n - 1, 0.975)) * error
        return OverSeeds(value, value - reach, value + reach, None, 0.0, 1, n, _two_sided(value, error, n - 1))
    of_seeds = float(by_seed.var(ddof=1)) * n
    rest = differences - by_seed[:, None] - by_question[None, :] + value
    of_rest = float((rest**2).sum()) / ((seeds - 1) * (n - 1))
    # A variance estimated as less than nothing is nothing.
    from_seeds, from_questions = max(of_seeds, of_rest), max(of_questions - of_rest, 0.0)
    error = ((from_seeds + from_questions) / (seeds * n)) ** 0.5
    freedom = _freedom(of_seeds, of_questions, of_rest, seeds, n)
    reach = float(stdtrit(freedom, 0.975)) * error
    between = (max(0.0, of_seeds - of_rest) / n) ** 0.5
    p, p_t = flipped(by_seed, seed=seed), _two_sided(value, error, freedom)
    return OverSeeds(value, value - reach, value + reach, p, between, seeds, n, p_t)


def _two_sided(value: float, error: float, freedom: float) -> float:
    if not error:
        return 0.0 if value else 1.0
    return 2 * float(stdtr(freedom, -abs(value) / error))


def flipped(by_seed: NDArray[np.float64], *, seed: int = 0) -> float:
    """Return the one-sided p-value of a mean over seeds: all 2^n signs, or drawn ones for more than 16 seeds."""
    n, observed = len(by_seed), float(by_seed.sum())
    if n <= MOST_FLIPPED:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
        return float(((signs @ by_seed) >= observed - 1e-9).mean())
    signs = np.random.default_rng(seed).choice((1.0, -1.0), size=(_DRAWN, n))
    return float(((signs @ by_seed) >= observed - 1e-9).sum() + 1) / (_DRAWN + 1)


def _freedom(of_seeds: float, of_questions: float, of_rest: float, seeds: int, n: int) -> float:
    """Return the degrees of freedom of a sum of mean squares (Satterthwaite 1946)."""
    parts = [(max(of_seeds, of_rest), seeds - 1 if of_seeds > of_rest else (seeds - 1) * n)]
    if of_questions > of_rest:
        parts += [(of_questions, n - 1), (-of_rest, (seeds - 1) * (n - 1))]
    total = sum(part for part, _ in parts)
    below = sum(part**2 / degrees for part, degrees in parts)
    return max(1.0, total**2 / below) if below else float(seeds - 1)
