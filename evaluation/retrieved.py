"""What was found for a question against its evidence: the ground of all retrieval metrics.

A passage is relevant where it holds at least half of the characters of a piece of evidence, whatever chunks the
evidence came from. A piece counts once, where it is found first, and each piece that is not found counts as a passage
that was missed.
"""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, mean_row
from evaluation.ranking import Ranking
from evaluation.spans import holds

RELEVANT = "rel:holds-half-of-a-piece"


def pieces(case: Case) -> list[frozenset[int]] | None:
    """Return, for every passage found, which pieces of the evidence it holds; None without passages or evidence."""
    evidence = case.question.evidence
    if not evidence or not case.answer.hits:
        return None
    return [frozenset(n for n, piece in enumerate(evidence) if holds(hit.span, piece.span)) for hit in case.answer.hits]


def ranking(case: Case) -> Ranking | None:
    """Return the passages found, each with the number of pieces that it is the first to hold; None as in `pieces`."""
    held = pieces(case)
    if held is None:
        return None
    seen: set[int] = set()
    gains = []
    for some in held:
        gains.append(len(some - seen))
        seen |= some
    missed = len(case.question.evidence) - len(seen)
    return Ranking(tuple(gains), tuple(gain for gain in gains if gain) + (1,) * missed)


class OfRanking(Mean, PerCase):
    """A measure of the passages found, mean over questions; undefined without passages or evidence.

    Args:
        k: How many of the first passages count; left out, all that the answerer was given.
    """

    family: str
    """The name without its number."""
    written: str
    """The family as people write it."""
    plain: str = ""
    """What stands for the number where all count, such as `@k`."""
    group: Group = "retrieval"

    def __init__(self, k: int | None = None) -> None:
        self.k = k
        self.name = f"{self.family}@{k}" if k else self.family + self.plain
        self.label = f"{self.written}@{k}" if k else self.written + self.plain
        self.signature = f"{self.family}|k:{k or 'given'}|{RELEVANT}|scale:100|v:1"

    def of(self, case: Case) -> Rows | None:
        """Return (100 value, 1), or None where it is undefined."""
        found = ranking(case)
        value = None if found is None else self.value(found)
        return None if value is None else mean_row(100.0 * value)

    def value(self, found: Ranking) -> float | None:
        """Return the measure of one ranking, 0 to 1."""
        raise NotImplementedError
