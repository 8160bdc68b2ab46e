"""What is wrong with one turn of a conversation by itself."""

from __future__ import annotations

from data.sft.drafts import Missing, Turn
from finetune.contents import content_fault

ROLES = ("system", "user", "assistant")
_OF_TOOLS = ("tool", "function", "ipython")
Fault = tuple[str, str, str]
"""Field, what is wrong with it, and the cure."""


def turn_faults(turn: Turn) -> list[Fault]:
    """Return (field, what, fix) of everything that is wrong with one turn by itself."""
    if turn.role is None:
        return [_no_turn(turn)]
    faults: list[Fault] = []
    if turn.role not in ROLES:
        faults.append((turn.role_field, *_role_fault(turn.role)))
    if wrong := content_fault(turn.content):
        faults.append((turn.content_field, *wrong))
    if turn.weight is not None:
        faults += _weight_faults(turn)
    if turn.more:
        field = turn.role_field.rpartition(".")[0] or turn.role_field
        faults.append((field, f"has {', '.join(turn.more)}, which would be ignored", "remove it"))
    return faults


def _no_turn(turn: Turn) -> Fault:
    """Return what is wrong with something that stands where turns should, and is none."""
    if "[" in turn.content_field:
        return turn.content_field, "is not an object", 'write {"role": ..., "content": ...}'
    if isinstance(turn.content, Missing):
        return turn.content_field, "is missing", "write it, or remove the row"
    what = "is empty, not a list of turns" if turn.content == [] else "is not a list of turns"
    return turn.content_field, what, 'write [{"role": ..., "content": ...}, ...]'


def _role_fault(role: object) -> tuple[str, str]:
    if isinstance(role, Missing):
        return "is missing", f"use one of {', '.join(ROLES)}"
    if role in _OF_TOOLS:
        return f"is {role!r}", "calls of tools are not trained; remove the turn or the row"
    if role == "developer":
        return "is 'developer'", "write system"
    return f"is {role!r}", f"use one of {', '.join(ROLES)}"


def _weight_faults(turn: Turn) -> list[Fault]:
    field = turn.role_field.rpartition(".")[0]
    field = f"{field}.weight" if field else "weight"
    if isinstance(turn.weight, bool) or turn.weight not in (0, 1):
        return [(field, f"is {turn.weight!r}", "write 1 (learned) or 0 (only read)")]
    if turn.weight == 1 and turn.role != "assistant":
        return [(field, f"is 1 on a turn of {turn.role}", "only the assistant's turns are learned; remove it")]
    return []


def answer_faults(better: Turn, worse: Turn) -> list[Fault]:
    """Return everything that is wrong with the worse of two answers, beside the better one."""
    if worse.role is None:
        return turn_faults(worse)
    if worse.role != "assistant":
        return [(worse.role_field, f"is {worse.role!r}", "an answer is the assistant's")]
    if faults := turn_faults(worse):
        return faults
    if worse.weight is not None:
        field = worse.role_field.rpartition(".")[0]
        return [(f"{field}.weight", f"is {worse.weight!r}", "remove it: both answers are learned from")]
    if worse.content == better.content:
        fix = "write another answer, or remove the row"
        return [(worse.content_field, "is the same as the preferred answer", fix)]
    return []
