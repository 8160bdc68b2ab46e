"""Rows of one question and its answer: Alpaca, Dolly, self-instruct seeds, GSM8K, tables of questions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from data.sft.chats import system_turn
from data.sft.drafts import MISSING, Draft, Place, Turn

_CALCULATED = re.compile(r"<<[^<>]*>>")
"""GSM8K's marks for a calculator, such as <<48/2=24>>, which readers of the answer do not want."""


def alpaca(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the row of {"instruction", "input"?, "output", "history"?, "system"?}; input follows the instruction."""
    asked = _asked(row, "instruction", "input")
    answer = Turn("output", "assistant", "output", row.get("output", MISSING))
    return [Draft(place, "alpaca", (*system_turn(row), *_history(row.get("history")), asked, answer))]


def dolly(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the row of {"instruction", "context"?, "response"}; the context follows the instruction."""
    answer = Turn("response", "assistant", "response", row.get("response", MISSING))
    return [Draft(place, "dolly", (_asked(row, "instruction", "context"), answer))]


def seeds(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return a row for each instance of {"instruction", "instances": [{"input", "output"}, ...]}."""
    instances = row.get("instances", MISSING)
    if not isinstance(instances, list) or not instances:
        return [Draft(place, "self-instruct", (Turn("instances", None, "instances", instances),))]
    return [_seed(place, row, f"instances[{n}]", instance) for n, instance in enumerate(instances)]


def questions(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the row of {"question", "answer"}, however the columns are capitalised; GSM8K's are of this form."""
    names = {name.strip().lower(): name for name in row}
    asked, answered = names.get("question", "question"), names.get("answer", "answer")
    answer, form = row.get(answered, MISSING), "question and answer"
    if isinstance(answer, str) and "\n#### " in answer:
        answer, form = _CALCULATED.sub("", answer), "gsm8k"
    turns = (Turn(asked, "user", asked, row.get(asked, MISSING)), Turn(answered, "assistant", answered, answer))
    return [Draft(place, form, turns)]


def text(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the row of {"text", "continued"?}: plain text, all of which is learned."""
    return [Draft(place, "text", text=row.get("text", MISSING), ends=row.get("continued") is not True)]


def _asked(row: Mapping[str, object], name: str, more: str) -> Turn:
    """Return the user's turn: one field, and below it the other where it says something."""
    asked, given = row.get(name, MISSING), row.get(more)
    if given is None or (isinstance(given, str) and not given.strip()) or not isinstance(asked, str):
        return Turn(name, "user", name, asked)
    if not isinstance(given, str):
        return Turn(more, "user", more, given)
    return Turn(name, "user", name, f"{asked}\n\n{given}")


def _history(turns: object) -> list[Turn]:
    """Return the turns of Alpaca's `history`, a list of (asked, answered)."""
    if not isinstance(turns, list):
        return [] if turns is None else [Turn("history", None, "history", turns)]
    found: list[Turn] = []
    for n, turn in enumerate(turns):
        field = f"history[{n}]"
        if not isinstance(turn, list) or len(turn) != 2:
            return [Turn(field, None, field, turn)]
        found += [Turn(field, "user", f"{field}[0]", turn[0]), Turn(field, "assistant", f"{field}[1]", turn[1])]
    return found


def _seed(place: Place, row: Mapping[str, object], field: str, instance: object) -> Draft:
    if not isinstance(instance, Mapping):
        return Draft(place, "self-instruct", (Turn(field, None, field, instance),))
    asked = _asked(
        {"instruction": row.get("instruction", MISSING), "input": instance.get("input")}, "instruction", "input"
    )
    output = Turn(f"{field}.output", "assistant", f"{field}.output", instance.get("output", MISSING))
    return Draft(place, "self-instruct", (asked, output))
