"""A verdict in sentences: what to do, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.records import Score
from evaluation.amounts import listed, minus, signed
from evaluation.decision import Decision, Field, parts, sure
from evaluation.table import SIGNIFICANT, number


def headline(field: Field, decision: Decision) -> str:
    """Return what to do, in a sentence."""
    if decision.advice == "either":
        one, other = decision.systems
        than = f"each clearly better than {listed(decision.alone)}" if decision.alone else "both beaten by nothing here"
        return f"Fine-tune or use retrieval: {one} and {other} are {than}. These questions cannot tell which is better."
    if decision.systems:
        return f"{_order(decision)}: {_standing(field, decision, decision.systems[0])}."
    if not field.systems:
        return "These figures cannot tell: no answer could be measured, since no question has a right answer to go by."
    if len(field.candidates) < 2:
        return f"These figures cannot tell: {_alone(field)}."
    if alone := [system for system in decision.alone if system in decision.unbeaten]:
        return f"These questions cannot tell: nothing is clearly better than {listed(alone, 'or')} alone."
    return "These questions cannot tell: no system is clearly better than the others."


def _alone(field: Field) -> str:
    """Say that at most one system can be chosen."""
    if not field.candidates:
        return "there are recorded answers only, which cannot be chosen"
    only = f"{field.candidates[0]} is the only system that can be chosen"
    if len(field.systems) > len(field.candidates):
        return f"{only}, since recorded answers cannot be given again"
    return f"{only}, and there is nothing to compare it with"


def reasons(field: Field, decision: Decision) -> list[str]:
    """Return how the advised systems do against every other; without any, how all do against a model alone."""
    mains = decision.systems or decision.alone[:1] or field.candidates[:1]
    said: set[frozenset[str]] = set()
    lines = []
    for main in mains:
        for other in sorted((s for s in field.systems if s != main), key=lambda s: _rank(s, decision)):
            # Where nothing is advised, what one looks for is whether others are better than the model alone.
            first, second = (main, other) if decision.systems else (other, main)
            differences = field.between(first, second)
            if differences and frozenset((main, other)) not in said:
                said.add(frozenset((main, other)))
                lines.append(f"{first} against {second}: {compared(differences)}.")
    return lines


def basis(field: Field) -> str:
    """Return what the verdict was measured with."""
    values = [score for score in field.scores if not score.versus]
    if not values:
        return "No question could be measured."
    sizes: dict[str, int] = {}
    for score in values:
        sizes[score.set] = max(score.n, sizes.get(score.set, 0))
    asked = ", ".join(f"{n:,} {name}" for name, n in sizes.items())
    line = f"{values[0].label} ({values[0].unit or '0 to 100'}) on {asked} questions."
    tested = sum(score.p_holm is not None for score in field.scores)
    if not tested:
        return line
    corrected = f" after Holm's correction for all {tested} comparisons" if tested > 1 else ""
    apart = " Tables that hold other metrics too correct for those as well, so that a mark can be missing there."
    return f"{line} Better and worse are said where p < {SIGNIFICANT:g}{corrected}.{apart if tested > 1 else ''}"


def compared(differences: Sequence[Score]) -> str:
    """Return how a system does against another, as `better by 3.1 [1.2, 5.0] on taught`, set by set."""
    groups: dict[str, list[str]] = {}
    for score in differences:
        word = _word(score)
        size = _signed(score) if word.endswith(":") else _size(score)
        groups.setdefault(word, []).append(f"{size} on {score.set}")
    order = sorted(groups, key=lambda word: ("perhaps" in word, word.endswith(":")))
    return "; ".join(f"{word} {', '.join(groups[word])}" for word in order)


def _word(score: Score) -> str:
    if found := sure(score):
        return f"{found} by"
    if score.low is None or score.high is None or score.low <= 0 <= score.high or not score.better:
        return "no clear difference:"
    # The interval leaves out zero, but among so many comparisons one such is no surprise.
    return f"perhaps {'better' if ((score.value or 0) > 0) == (score.better == 'higher') else 'worse'} by"


def _size(score: Score) -> str:
    """Return a difference without its sign, with its interval."""
    value, low, high = score.value or 0.0, score.low, score.high
    sign = -1 if value < 0 else 1
    shown = number(sign * value, score.unit)
    if low is None or high is None:
        return shown
    ends = sorted((sign * low, sign * high))
    return f"{shown} [{', '.join(minus(number(end, score.unit)) for end in ends)}]"


def _signed(score: Score) -> str:
    shown = signed(score.value or 0.0, score.unit)
    if score.low is None or score.high is None:
        return shown
    return f"{shown} [{signed(score.low, score.unit)}, {signed(score.high, score.unit)}]"


def _order(decision: Decision) -> str:
    system = decision.systems[0]
    if decision.advice == "neither":
        return f"Neither is worth it here ({system})"
    if decision.advice == "fine-tune":
        return f"Fine-tune ({system})"
    if decision.advice == "both":
        return f"Fine-tune and use retrieval ({system})"
    return f"Use retrieval{', without a language model' if system.startswith('quote') else ''} ({system})"


def _standing(field: Field, decision: Decision, system: str) -> str:
    others = [other for other in field.candidates if other != system]
    beaten = [other for other in others if field.beats(system, other)]
    rivals = [other for other in decision.unbeaten if other != system]
    if len(beaten) == len(others):
        return f"clearly better than {'every other system' if len(others) > 1 else others[0]}"
    better = f"clearly better than {listed(beaten)}"
    if not rivals:
        return f"{better}, and nothing is clearly better than it"
    return f"{better}; {listed(rivals)} {'are' if len(rivals) > 1 else 'is'} not clearly better than it"


def _rank(system: str, decision: Decision) -> tuple[int, int]:
    """Return the place of a comparison: models alone, then what is not beaten either, then the rest."""
    place = 0 if system in decision.alone else 1 if system in decision.unbeaten else 2
    return place, parts(system)
