"""When not to answer: decided in code, from a score that has a meaning, against a threshold that was fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doceo.core.records import Answer, Hit, Passage, Usage
from doceo.text.passages import REFUSAL, without_markers
from doceo.text.words import WORD, closed
from rag.signs import chance_weights, signs
from rag.weights import fitted

if TYPE_CHECKING:
    from rag.index import Index
    from rag.reading import Candidate

NOTHING_FOUND = "No passage of the documents matches the question."
NO_QUESTION = "This asks nothing of the documents."
MODEL_REFUSED = "The model did not find the answer in the passages."
_SMALL_TALK = closed(
    "hi hello hey hallo thanks thank you thx ok okay yes no yeah nope bye goodbye cheers great good nice fine morning "
    "afternoon evening night day please test testing there so much very well cool danke bitte ja nein merci gracias"
)


@dataclass(frozen=True)
class Gate:
    """A chance made true for one index, and the chance below which a question is refused.

    `slope` and `offset` bend the shipped chance, on the scale of its logarithmic odds (Platt 1999); `note` says what is
    to be said of the calibration, such as that it was made for other documents.
    """

    threshold: float
    slope: float = 1.0
    offset: float = 0.0
    note: str = ""

    def chance(self, shipped: float) -> float:
        """Return the chance for this index, from the shipped one."""
        return logistic(self.slope * log_odds(shipped) + self.offset)

    def reason(self, chance: float) -> str:
        """Return why a question of this chance is refused, or nothing where it is answered."""
        if chance >= self.threshold:
            return ""
        return f"The passages found hold an answer with a chance of {chance:.2f}, below {self.threshold:.2f}."


OPEN = Gate(threshold=0.0)
"""The gate that refuses nothing."""


def chance(question: str, passages: Sequence[Passage], index: Index) -> float:
    """Return the chance, 0 to 1, that passages hold the answer to a question: a logistic regression on `rag.signs`.

    Fitted on SQuAD (`benchmarks/fit_chance.py`): questions that can be answered against those whose article was kept
    out of the search, and those that their paragraph does not answer. Nothing is embedded for it.
    """
    if not passages:
        return 0.0
    found = signs(question, passages, index)
    weights = chance_weights()
    return logistic(weights.bias + sum(weights.signs[name] * value for name, value in found.items()))


def sentence_chance(best: Candidate) -> float:
    """Return the chance, 0 to 1, that the best sentence answers its question: a logistic regression on its features.

    Fitted on SQuAD (`rag.weights`): sentences that hold a gold answer against the best sentences for
    questions whose article was kept out of the search.
    """
    weights = fitted()
    return logistic(weights.chance_bias + sum(weight * best.feature(name) for name, weight in weights.chance.items()))


def refusal(reason: str, hits: Sequence[Hit] = (), usage: Usage | None = None) -> Answer:
    """Return the answer that says it cannot be found: no citations, the reason kept."""
    return Answer(text=REFUSAL, refused=True, reason=reason, hits=tuple(hits), usage=usage or Usage())


def says_nothing(question: str) -> bool:
    """Say whether a message is a greeting, thanks, or the like: nothing that documents could answer."""
    words = {match.group().lower() for match in WORD.finditer(question)}
    return bool(words) and words <= _SMALL_TALK


def is_refusal(text: str) -> bool:
    """Say whether a model's reply is the refusal it was taught, or begins with it."""
    return _bare(text).startswith(_bare(REFUSAL))


def may_be_refusal(text: str) -> bool:
    """Say whether the beginning of a reply may be that of a refusal."""
    return _bare(REFUSAL).startswith(_bare(text)) or is_refusal(text)


def refused_with(text: str) -> str:
    """Return why a model refused: that it did, and what it said besides."""
    rest = text[text.casefold().find(_bare(REFUSAL)) + len(_bare(REFUSAL)) :]
    more = without_markers(rest).lstrip("\"'.! ").strip()
    return f"{MODEL_REFUSED} It said: {more}" if more else MODEL_REFUSED


def logistic(value: float) -> float:
    """Return 1 / (1 + exp(-value))."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, value))))


def log_odds(chance: float) -> float:
    """Return ln(p / (1 - p)), of a chance that is at least 1e-6 away from 0 and 1."""
    chance = min(max(chance, 1e-6), 1 - 1e-6)
    return math.log(chance / (1 - chance))


def _bare(text: str) -> str:
    return without_markers(text).strip().strip("\"'.!").casefold()
