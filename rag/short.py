"""The words of a sentence that answer a question: runs of words by rule, chosen by a linear score over their clues.

Dates and amounts, names, noun phrases and clauses are proposed (`rag.spans`); what speaks for one is that it is of the
kind asked for, has the borders of a phrase, stands near the question's words on the side where the question leaves a
gap, and is not itself in the question (`rag.clues`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.clues import Asking, Clues, Scene
from rag.refusal import log_odds, logistic
from rag.spans import runs
from rag.units import Fields
from rag.weights import fitted

_SUPERLATIVE = re.compile(r"\b(?:most|least|fewest|(?!interest|honest|modest|forest)\w{2,}est)\b")
_LOOSE = frozenset({"reason", "manner", "definition"})
_SURE, _LIKELY, _EVIDENT = 0.98, 0.7, 15.0
"""The shares and the evidence of a field's value: nothing was fitted on tables."""
WIDE_LEAD = 3.0
"""The lead of a sentence from which more says no more."""


@dataclass(frozen=True, slots=True)
class Short:
    """The likeliest answer in a sentence.

    Scores are taken as logarithms of shares that add up to 1 over all runs of the sentence: `share` is its own,
    `around` that of all runs that hold it or stand in it; `evidence` is the logarithm of the sum of all, which says
    how well any run of the sentence answers. `loose` says that the question asks for a reason, a manner or a
    definition, whose words have no set form.
    """

    text: str
    share: float
    around: float
    evidence: float
    loose: bool = False


def shorten(asking: Asking, sentence: str) -> Short | None:
    """Return the words of the sentence that answer, or None where nothing in it can.

    Questions without an English question word have no short answer: yes-or-no questions, and other languages.
    """
    if not asking.understood.word:
        return None
    scene = Scene(asking, sentence)
    places = runs(scene.tokens)
    if not places:
        return None
    return chosen([(scene.text(place), scene.clues(place)) for place in places], fitted().short, asking)


def field_asked(asking: Asking, fields: Fields) -> Short | None:
    """Return the value of the field that a question names and does not tell, of a table's row or a record.

    Of a row with several fields, the question has to name another one's value too: else it is about all rows, or about
    the name itself ("What is a reason?"). The field that is named beside the question word goes first. Where a field is
    named with its value ("the address /healthz"), the longest of the others answers. Which of many rows is the highest
    is not known here.
    """
    if not fields or _SUPERLATIVE.search(asking.text):
        return None
    named = [(asking.stems(name), value) for name, value in fields]
    found: list[tuple[bool, float, str]] = []
    for stems, value in named:
        meant = len(named) == 1 or any(
            (asking.stems(other) - stems) & asking.worth.keys() for _, other in named if other != value
        )
        known = value.strip("`\"'").lower() in asking.text
        if meant and not known and stems and stems <= asking.worth.keys() and _fits(asking, value):
            found.append((asking.noun in stems, sum(asking.worth[stem] for stem in stems), value))
    if found:
        return Short(max(found, key=lambda one: one[:2])[2], _SURE, _SURE, _EVIDENT)
    told = [value for stems, value in named if _tells(asking, stems, value)]
    others = [value for _, value in named if value not in told]
    return Short(max(others, key=len), _LIKELY, _LIKELY, _EVIDENT) if told and others else None


def _tells(asking: Asking, name: set[str], value: str) -> bool:
    """Say whether a question holds a field's name and its value."""
    words = asking.stems(value)
    return bool(name and words) and name | words <= asking.worth.keys()


def _fits(asking: Asking, value: str) -> bool:
    """Say whether a value is of the kind asked for: a time and an amount have a digit, a person has none."""
    has_digit = any(letter.isdigit() for letter in value)
    return has_digit if asking.group in ("time", "amount") else not (has_digit and asking.group == "person")


def chosen(found: Sequence[tuple[str, Clues]], weights: Mapping[str, float], asking: Asking) -> Short:
    """Return the best of some runs, given as their words and clues, by what each clue is worth."""
    scores = [sum(weights.get(clue, 0.0) * value for clue, value in clues.items()) for _, clues in found]
    best = max(scores)
    evidence = best + math.log(sum(math.exp(score - best) for score in scores))
    text = found[scores.index(best)][0]
    shares = ((math.exp(score - evidence), other) for score, (other, _) in zip(scores, found, strict=True))
    around = sum(share for share, other in shares if other in text or text in other)
    return Short(text, math.exp(best - evidence), around, evidence, loose=asking.group in _LOOSE)


def right(short: Short, chance: float, lead: float) -> float:
    """Return how likely a short answer is right, 0 to 1: that is, shares half its words with a gold one (F1 >= 0.5).

    A logistic regression on the shares of the answer, the chance of its sentence (`rag.refusal.sentence_chance`), the
    lead of that sentence's score over the next one's, and whether the question is a loose one.
    """
    weights = fitted()
    found = signs(short, chance, lead)
    return logistic(weights.right_bias + sum(weights.right[name] * value for name, value in found.items()))


def signs(short: Short, chance: float, lead: float) -> dict[str, float]:
    """Return what speaks for a short answer being right, by name."""
    return {
        "share": log_odds(short.share),
        "around": log_odds(min(short.around, 0.999)),
        "chance": log_odds(chance),
        "lead": min(lead, WIDE_LEAD),
        "loose": float(short.loose),
    }
