"""What a chat template writes around the messages of a conversation, found by rendering marked ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

Turn = dict[str, str]
Render = Callable[[list[Turn]], str]
"""Messages to the prompt for the next answer; raises jinja2's TemplateError where the template refuses them."""

_SYSTEM, _FIRST, _ANSWER, _SECOND = "Xsystem0X", "Xquestion1X", "Xanswer1X", "Xquestion2X"


class Turns(NamedTuple):
    """The literals of a template, in the order in which they come.

    `system_place` is `first` where the system message opens the prompt, `last` where it stands in the last question,
    and `none` where the template refuses it; `system_begin` and `system_end` stand around it.
    """

    system_place: str
    system_begin: str
    system_end: str
    begin: str
    asked: str
    answer_lead: str
    answer_end: str
    open_answer: str


def turns_of(render: Render) -> Turns | None:
    """Return the literals of a template, or None for one that does more than to put literals around messages."""
    talk = [
        {"role": "user", "content": _FIRST},
        {"role": "assistant", "content": _ANSWER},
        {"role": "user", "content": _SECOND},
    ]
    cut = _cut(_rendered(render, talk), [_FIRST, _ANSWER, _SECOND])
    if cut is None:
        return None
    begin, to_answer, answer_end, last = cut
    asked = _shared(to_answer, last)
    place = _system(render, talk, cut)
    if place is None:
        return None
    return Turns(*place, begin, asked, to_answer[len(asked) :], answer_end, last[len(asked) :])


def _system(render: Render, talk: list[Turn], plain: list[str]) -> tuple[str, str, str] | None:
    """Return where the system message stands and what is around it, None where that cannot be told."""
    text = _rendered(render, [{"role": "system", "content": _SYSTEM}, *talk])
    if text is None:
        return "none", plain[0], "\n\n"
    first = _cut(text, [_SYSTEM, _FIRST, _ANSWER, _SECOND])
    if first is not None and first[2:] == plain[1:]:
        return "first", first[0], first[1]
    last = _cut(text, [_FIRST, _ANSWER, _SYSTEM, _SECOND])
    if last is not None and [*last[:3], last[4]] == plain:
        return "last", "", last[3]
    return None


def _rendered(render: Render, talk: list[Turn]) -> str | None:
    from jinja2 import TemplateError

    try:
        return render(talk)
    except TemplateError:
        return None


def _cut(text: str | None, marks: list[str]) -> list[str] | None:
    """Return what stands before, between and behind the marks, None where one is missing or out of order."""
    if text is None or any(text.count(mark) != 1 for mark in marks):
        return None
    parts = []
    for mark in marks:
        before, found, text = text.partition(mark)
        if not found:
            return None
        parts.append(before)
    return [*parts, text]


def _shared(one: str, other: str) -> str:
    """Return the beginning that two texts have in common."""
    length = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]
