"""Fine-tune, use retrieval, or both? What the figures of a run say, how sure they are, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.records import Record, Score
from evaluation.copies import left_out
from evaluation.costs import Cost
from evaluation.decision import Advice, Field, decide
from evaluation.verdict_changes import changes
from evaluation.verdict_words import basis, headline, reasons


class Verdict(Record):
    """What to do, in words, and the figures that say so.

    `systems` are those that are advised: one, or two of `either`, or none. `scores` are the values of `metric` and the
    paired differences of all couples, `costs` what each system takes.
    """

    advice: Advice
    systems: tuple[str, ...]
    headline: str
    reasons: tuple[str, ...]
    changes: tuple[str, ...]
    basis: str
    metric: str
    label: str
    scores: tuple[Score, ...]
    costs: tuple[Cost, ...]


def verdict(scores: Sequence[Score], costs: Sequence[Cost], copy_of: Mapping[str, str] | None = None) -> Verdict:
    """Return the verdict of a contest.

    Args:
        scores: Values and differences as `evaluation.contest` gives them.
        costs: What the systems take.
        copy_of: Systems that were left out of the contest, as `evaluation.copies` gives them.
    """
    field, cost = Field(scores), {one.system: one for one in costs}
    decision = decide(field, cost)
    return Verdict(
        advice=decision.advice,
        systems=decision.systems,
        headline=headline(field, decision),
        reasons=tuple(reasons(field, decision)),
        changes=tuple(changes(field, decision, cost)),
        basis=" ".join(filter(None, (basis(field), left_out(copy_of or {})))),
        metric=scores[0].metric if scores else "",
        label=scores[0].label if scores else "",
        scores=tuple(scores),
        costs=tuple(costs),
    )
