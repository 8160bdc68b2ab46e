"""Whether an answer is right, as far as that can be told without a reader."""

from __future__ import annotations

from typing import Literal

from evaluation.case import Case
from evaluation.selective import right

Outcome = Literal["right", "wrong", "refused", "unknown"]
OUTCOMES: tuple[Outcome, ...] = ("right", "wrong", "refused", "unknown")


def outcome(case: Case) -> Outcome:
    """Return what became of a question; `refused` are refusals of what the documents answer.

    Right is as `evaluation.selective` has it; a refusal of what the documents do not answer is right too. Unknown are
    answers without a reference to hold them against, and questions that a server would not take.
    """
    if case.answer.failed:
        return "unknown"
    if case.answer.refused:
        return "refused" if case.question.answerable else "right"
    found = right(case)
    return "unknown" if found is None else "right" if found else "wrong"
