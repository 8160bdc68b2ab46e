"""Rows of two answers to one question, of which one is preferred: OpenAI's form, and TRL's."""

from __future__ import annotations

from collections.abc import Mapping

from data.sft.chats import system_turn, turns_of
from data.sft.drafts import MISSING, Draft, Place, Problem, Turn, problem

PREFERRED, CHOSEN = "preferences", "chosen and rejected"
"""Names of the two forms."""
_WHOLE = "write the same turns before both answers, or give them as `prompt`"


def preferred(place: Place, row: Mapping[str, object]) -> list[Draft | Problem]:
    """Return the row of {"input": {"messages"}, "preferred_output": [turn], "non_preferred_output": [turn]}."""
    given = row.get("input", MISSING)
    said = given.get("messages", MISSING) if isinstance(given, Mapping) else given
    before = turns_of("input.messages" if isinstance(given, Mapping) else "input", said)
    return _choice(PREFERRED, place, before, row, ("preferred_output", "non_preferred_output"))


def chosen(place: Place, row: Mapping[str, object]) -> list[Draft | Problem]:
    """Return the row of {"prompt"?, "chosen", "rejected", "system"?}: texts, or lists of turns.

    Lists of several turns are whole conversations that differ in their last turn, as UltraFeedback has them; a `prompt`
    beside them says the same once more.
    """
    better, worse = row.get("chosen"), row.get("rejected")
    if isinstance(better, list) and isinstance(worse, list) and min(len(better), len(worse)) > 1:
        if better[:-1] != worse[:-1]:
            return [problem(place, "rejected", "does not begin with the turns of chosen", _WHOLE)]
        turns = (*system_turn(row), *turns_of("chosen", better))
        return [Draft(place, CHOSEN, turns, last_only=True, rejected=turns_of("rejected", worse)[-1])]
    asked = row.get("prompt", MISSING)
    before = turns_of("prompt", asked) if isinstance(asked, list) else (Turn("prompt", "user", "prompt", asked),)
    return _choice(CHOSEN, place, (*system_turn(row), *before), row, ("chosen", "rejected"))


def _choice(
    form: str, place: Place, before: tuple[Turn, ...], row: Mapping[str, object], names: tuple[str, str]
) -> list[Draft | Problem]:
    """Return a draft whose last turn is the better answer, the worse beside it; `names` are those of their fields."""
    answers = []
    for name in names:
        said = row.get(name, MISSING)
        if isinstance(said, list) and len(said) > 1:
            return [problem(place, name, f"has {len(said)} turns", "write one answer of the assistant")]
        answers.append(turns_of(name, said)[0] if isinstance(said, list) else Turn(name, "assistant", name, said))
    return [Draft(place, form, (*before, answers[0]), last_only=True, rejected=answers[1])]
