"""Open Assistant's trees of messages to conversations: one for every branch, each answer learned once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from data.sft.drafts import MISSING, Draft, Place, Turn

_ROLES = {"prompter": "user", "assistant": "assistant", "system": "system"}
_PARENTS = ("parent_id", "parent_message_id")
_IDS = ("message_id", "user_message_id")
Node = tuple[Place, Mapping[str, Any]]
"""A message and where it stands."""
Replies = Callable[[Node], list[Node]]


def tree(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the conversations of {"prompt": {"text", "role", "replies": [...]}}, which holds a whole tree."""
    root = row.get("prompt", MISSING)
    if not isinstance(root, Mapping):
        return [Draft(place, "oasst", (Turn("prompt", None, "prompt", root),))]

    def replies(node: Node) -> list[Node]:
        found = node[1].get("replies")
        return [(place, reply) for reply in found if isinstance(reply, Mapping)] if isinstance(found, list) else []

    return list(_conversations((place, root), replies))


def linked(nodes: Sequence[Node]) -> list[Draft]:
    """Return the conversations of messages that name their parents, wherever in the file those stand.

    The parent is named by `parent_id` or `parent_message_id`, the message by `message_id` or `user_message_id`. A
    message whose parent is not there begins a conversation.
    """
    known = {_first(node, _IDS) for _, node in nodes}
    replies: dict[object, list[Node]] = {}
    roots = []
    for place, node in nodes:
        parent = _first(node, _PARENTS)
        if parent is None or parent not in known:
            roots.append((place, node))
        else:
            replies.setdefault(parent, []).append((place, node))
    return [draft for root in roots for draft in _conversations(root, lambda n: replies.get(_first(n[1], _IDS), []))]


def _first(node: Mapping[str, object], names: Sequence[str]) -> object:
    found = next((node[name] for name in names if node.get(name) is not None), None)
    return found if isinstance(found, str | int) else None


def _conversations(root: Node, replies: Replies) -> Iterator[Draft]:
    """Yield the way to every last answer; an answer that an earlier way holds is not learned again."""
    taught: set[int] = set()
    for way in _ways(root, replies):
        while way and _turn(way[-1]).role == "user":
            way = way[:-1]
        said = [node for node in way if _turn(node).role != "user"]
        if all(id(node[1]) in taught for node in said):
            continue
        turns = _joined([_turn(node)._replace(weight=0 if id(node[1]) in taught else None) for node in way])
        taught.update(id(node[1]) for node in said)
        yield Draft(way[-1][0], "oasst", turns)


def _joined(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return turns of which two by one speaker in a row are one; it is learned if either is."""
    found: list[Turn] = []
    for turn in turns:
        before = found[-1] if found else None
        if before and before.role == turn.role and isinstance(before.content, str) and isinstance(turn.content, str):
            weight = 0 if before.weight == turn.weight == 0 else None
            found[-1] = before._replace(content=f"{before.content}\n\n{turn.content}", weight=weight)
        else:
            found.append(turn)
    return tuple(found)


def _ways(root: Node, replies: Replies) -> Iterator[list[Node]]:
    """Yield every way from the first message to a last one, those that people ranked best first."""
    open_ = [[root]]
    while open_:
        way = open_.pop()
        further = sorted((node for node in replies(way[-1]) if _leads_on(node, replies)), key=_rank)
        if not further:
            yield way
        open_ += [[*way, node] for node in reversed(further)]


def _leads_on(node: Node, replies: Replies) -> bool:
    """Return whether a message is an answer, or has one: a question that nobody answered teaches nothing."""
    return _kept(node[1]) and (_turn(node).role != "user" or any(_kept(reply[1]) for reply in replies(node)))


def _kept(message: Mapping[str, object]) -> bool:
    return not message.get("deleted") and message.get("review_result") is not False


def _rank(node: Node) -> float:
    """Return how good people found a reply, 0 the best; without a rank, replies stay in the file's order."""
    rank = node[1].get("rank")
    return float(rank) if isinstance(rank, int | float) else 0.0


def _turn(node: Node) -> Turn:
    role = node[1].get("role", MISSING)
    known = _ROLES.get(role, role) if isinstance(role, str) else role
    return Turn("role", known, "text", node[1].get("text", MISSING))
