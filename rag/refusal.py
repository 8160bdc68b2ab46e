"""When not to answer: decided in code, from a score that has a meaning, against a threshold that was fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from doceo.core.records import Answer, Hit, Usage
from doceo.text.passages import REFUSAL, without_markers
from rag.reading import Candidate
from rag.weights import fitted


def chance(best: Candidate) -> float:
    """Return the chance, 0 to 1, that the best sentence answers its question: a logistic regression on its features.

    Fitted on SQuAD (`rag.weights`): sentences that hold a gold answer against the best sentences for
    questions whose article was kept out of the search.
    """
    weights = fitted()
    linear = weights.chance_bias + sum(weight * best.feature(name) for name, weight in weights.chance.items())
    return 1.0 / (1.0 + math.exp(-linear))


def refusal(reason: str, hits: Sequence[Hit] = (), usage: Usage | None = None) -> Answer:
    """Return the answer that says it cannot be found: no citations, the reason kept."""
    return Answer(text=REFUSAL, refused=True, reason=reason, hits=tuple(hits), usage=usage or Usage())


def is_refusal(text: str) -> bool:
    """Say whether a model's whole reply is the refusal it was taught."""
    return _bare(text) == _bare(REFUSAL)


def _bare(text: str) -> str:
    return without_markers(text).strip().strip("\"'.!").casefold()
