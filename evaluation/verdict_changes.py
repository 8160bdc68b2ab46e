"""What would change a verdict: more questions, other wishes, what was not tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evaluation.amounts import duration, listed, size
from evaluation.costs import Cost
from evaluation.decision import Decision, Field, parts, sure
from evaluation.table import number
from evaluation.traits import tuned, with_documents
from evaluation.verdict_words import compared

_SMALL = 100_000_000
"""A model of fewer parameters shows the steps, not what models can do."""
_LEAST = 2
"""How many times faster, smaller or cheaper a system has to be for that to be said."""
_AT_ONCE = 0.3
"""An answer within so many seconds feels like one at once; faster is no better."""
_MOST = 2
"""Systems that are named because they take less."""


def changes(field: Field, decision: Decision, cost: Mapping[str, Cost]) -> list[str]:
    """Return what would change the verdict, the most telling first."""
    lines = (
        _larger_model(cost),
        _more_questions(field, decision),
        *_cheaper(field, decision, cost),
        _not_asked(field),
        _written(field),
        _documents_change(decision),
    )
    return [line for line in lines if line]


def _more_questions(field: Field, decision: Decision) -> str:
    """Return what more questions would show of the closest call."""
    mains = decision.systems or decision.alone or field.candidates
    close = [
        score
        for main in mains
        for other in field.candidates
        if other != main and (other in decision.unbeaten or not decision.systems)
        for score in field.between(main, other)
        if not sure(score) and score.detectable
    ]
    if not close:
        return ""
    score = max(close, key=lambda one: one.n)
    wide, unit = score.detectable or 0.0, score.unit or "points"
    return (
        f"With {score.n:,} {score.set} questions, a true difference of less than {number(wide, score.unit)} {unit} "
        f"between {score.system} and {score.versus} is missed more than one time in five; about "
        f"{_round(4 * score.n):,} questions would show one of {number(wide / 2, score.unit)}."
    )


def _cheaper(field: Field, decision: Decision, cost: Mapping[str, Cost]) -> Iterable[str]:
    """Yield what takes much less than what is advised, and how much worse it is: the best ones."""
    if len(decision.systems) != 1 or decision.systems[0] not in cost:
        return
    main = cost[decision.systems[0]]
    found = []
    for other in field.candidates:
        words = _savings(cost[other], main) if other != main.system and other in cost else []
        if words and (differences := field.between(other, main.system)):
            line = f"For less: {other} {listed(words)}; {compared(differences)}."
            found.append((differences[0].value or 0.0, line))
    lower = any(score.better == "lower" for score in field.scores)
    for _, line in sorted(found, key=lambda one: one[0], reverse=not lower)[:_MOST]:
        yield line


def _savings(one: Cost, main: Cost) -> list[str]:
    """Return what a system takes much less of than another."""
    words = []
    if one.p50 is not None and main.p50 is not None and max(one.p50 * _LEAST, _AT_ONCE) <= main.p50:
        words.append(f"answers in {duration(one.p50)} instead of {duration(main.p50)}")
    if one.memory is not None and main.memory is not None and one.memory * _LEAST <= main.memory:
        words.append(f"takes {size(one.memory)} of memory instead of {size(main.memory)}")
    if one.usd is not None and main.usd and one.usd * _LEAST <= main.usd:
        price = f"{one.usd:.2g}" if one.usd else "nothing"
        words.append(f"costs {price} instead of {main.usd:.2g} USD an answer")
    return words


def _larger_model(cost: Mapping[str, Cost]) -> str:
    known = [one.parameters for one in cost.values() if one.parameters]
    if not known or max(known) >= _SMALL:
        return ""
    return (
        f"The model has {max(known) / 1e6:.1f} million parameters, too few to phrase freely or to read passages well; "
        "a larger one (--base) may turn this round."
    )


def _not_asked(field: Field) -> str:
    missing = {
        "fine-tuning": not any(tuned(system) for system in field.candidates),
        "retrieval": not any(with_documents(system) for system in field.candidates),
        "a model alone": not any(not parts(system) for system in field.candidates),
    }
    names = [name for name, is_missing in missing.items() if is_missing]
    return f"Not asked, so that nothing is said of it: {listed(names)}." if names else ""


def _written(field: Field) -> str:
    if not field.scores or any(score.set.endswith("-written") for score in field.scores):
        return ""
    return "All questions were generated; questions that people wrote (--questions FILE) are firmer ground."


def _documents_change(decision: Decision) -> str:
    if decision.advice not in ("fine-tune", "either"):
        return ""
    system = next(one for one in decision.systems if not with_documents(one))
    return (
        f"{system} knows the documents as they were when it was trained and names no sources: where they change, or "
        "where answers have to be checked, take retrieval."
    )


def _round(count: int) -> int:
    """Return a count with two digits that count."""
    step = int(10 ** max(0, len(str(count)) - 2))
    return round(count / step) * step
