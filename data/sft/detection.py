"""Which format rows are in, told by their fields, and the rows of a whole source as drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from data.sft.chats import completion, messages, sharegpt
from data.sft.drafts import Draft, Place, Problem, problem
from data.sft.instructions import alpaca, dolly, questions, seeds, text
from data.sft.reading import Raw, raw_rows
from data.sft.trees import linked, tree

Reader = Callable[[Place, Mapping[str, object]], list[Draft]]

_LINKED = "oasst messages"
_READERS: dict[str, tuple[Reader, frozenset[str]]] = {
    "messages": (messages, frozenset({"messages"})),
    "sharegpt": (sharegpt, frozenset({"conversations"})),
    "alpaca": (alpaca, frozenset({"instruction", "output"})),
    "dolly": (dolly, frozenset({"instruction", "response"})),
    "self-instruct": (seeds, frozenset({"instruction", "instances"})),
    "oasst": (tree, frozenset({"prompt", "message_tree_id"})),
    "completion": (completion, frozenset({"prompt", "completion"})),
    "question and answer": (questions, frozenset({"question", "answer"})),
    "text": (text, frozenset({"text"})),
}
"""Readers of rows with the fields by which a row shows its format; the first that fits is taken."""
FORMS = (
    '{"messages": [{"role", "content"}]}, {"conversations": [{"from", "value"}]}, {"prompt", "completion"}, '
    '{"instruction", "output"}, {"instruction", "response"}, {"question", "answer"} or {"text"}'
)


def drafts_of(path: Path) -> Iterator[Draft | Problem]:
    """Yield the rows of a file as drafts, and what is wrong with the others. Raises InputError as `raw_rows`."""
    return drafts(raw_rows(path))


def drafts(rows: Iterable[Raw]) -> Iterator[Draft | Problem]:
    """Yield raw rows as drafts; and what is wrong with those of no format."""
    usual = ""
    messages_of_trees: list[tuple[Place, Mapping[str, object]]] = []
    for place, row in rows:
        if isinstance(row, Problem):
            yield row
        elif _is_linked(row):
            messages_of_trees.append((place, row))
        elif form := form_of(row):
            usual = usual or form
            where, copy = _origin(row, place)
            yield from (draft._replace(copy=copy) for draft in _READERS[form][0](where, row))
        else:
            yield _lacking(place, row, usual)
    yield from linked(messages_of_trees)


def form_of(row: Mapping[str, object]) -> str:
    """Return the format that a row's fields show, or nothing."""
    names = {name.strip().lower() for name in row}
    found = [
        form for form, (_, fields) in _READERS.items() if fields <= (names if "question" in fields else row.keys())
    ]
    return found[0] if found else ""


def _origin(row: Mapping[str, object], place: Place) -> tuple[Place, int]:
    """Return where a row of a mixture of ours came from, and which copy it is; of any other row, its own place."""
    origin = row.get("origin")
    if not isinstance(origin, Mapping):
        return place, 0
    number, unit, copy = (origin.get(name) for name in ("number", "unit", "copy"))
    if isinstance(number, int) and isinstance(unit, str) and isinstance(copy, int):
        return Place(number, unit), copy
    return place, 0


def _is_linked(row: Mapping[str, object]) -> bool:
    return {"text", "role"} <= row.keys() and bool({"parent_id", "parent_message_id"} & row.keys())


def _lacking(place: Place, row: Mapping[str, object], usual: str) -> Problem:
    """Return what a row of no format lacks: a field of the rows before it, or of the format it shares most with."""
    form = max(_READERS, key=lambda form: (len(_READERS[form][1] & row.keys()), form == usual))
    field = min(_READERS[form][1] - row.keys(), default="messages")
    what = f"is missing (found {', '.join(sorted(row)[:8]) or 'nothing'})"
    if near := get_close_matches(field, row, 1, 0.75):
        return problem(place, field, what, f"rename {near[0]} to {field}, if that is meant")
    fix = "write it, or remove the row" if usual or _READERS[form][1] & row.keys() else f"write {FORMS}"
    return problem(place, field, what, fix)
