"""Which format rows are in, told by their fields, and the rows of a whole source as drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from data.sft.chats import completion, messages, sharegpt
from data.sft.drafts import Draft, Place, Problem, Raw, problem
from data.sft.instructions import alpaca, dolly, questions, seeds, text
from data.sft.preferences import CHOSEN, PREFERRED, chosen, preferred
from data.sft.reading import raw_rows
from data.sft.trees import linked, tree

Reader = Callable[[Place, Mapping[str, object]], Sequence[Draft | Problem]]

_TOOLS = ("tools", "functions")
_READERS: dict[str, tuple[Reader, frozenset[str]]] = {
    # First of all: a table of answers to choose from may hold the better one as `messages` too.
    PREFERRED: (preferred, frozenset({"preferred_output", "non_preferred_output"})),
    CHOSEN: (chosen, frozenset({"chosen", "rejected"})),
    "messages": (messages, frozenset({"messages"})),
    "sharegpt": (sharegpt, frozenset({"conversations"})),
    "alpaca": (alpaca, frozenset({"instruction", "output"})),
    "dolly": (dolly, frozenset({"instruction", "response"})),
    "self-instruct": (seeds, frozenset({"instruction", "instances"})),
    "completion": (completion, frozenset({"prompt", "completion"})),
    "oasst": (tree, frozenset({"prompt", "message_tree_id"})),
    "question and answer": (questions, frozenset({"question", "answer"})),
    "text": (text, frozenset({"text"})),
}
"""Readers of rows with the fields by which a row shows its format; the first that fits is taken."""
NAMES = tuple(_READERS)
"""Names of the formats."""
FORMS = (
    '{"messages": [{"role", "content"}]}, {"conversations": [{"from", "value"}]}, {"prompt", "completion"}, '
    '{"instruction", "output"}, {"instruction", "response"}, {"question", "answer"} or {"text"}; '
    "of a table, the first line names the columns"
)


def drafts_of(path: Path) -> Iterator[Draft | Problem]:
    """Yield the rows of a file as drafts, and what is wrong with the others. Raises InputError as `raw_rows`."""
    return drafts(raw_rows(path))


def drafts(rows: Iterable[Raw], wanted: str = "") -> Iterator[Draft | Problem]:
    """Yield raw rows as drafts, all of one format where it is named; and what is wrong with those of no format."""
    usual = ""
    messages_of_trees: list[tuple[Place, Mapping[str, object]]] = []
    for place, row in rows:
        if isinstance(row, Problem):
            yield row
        elif tools := _tools(row):
            yield problem(place, tools, "would be ignored", "calls of tools are not trained; remove it, or the row")
        elif _is_linked(row):
            messages_of_trees.append((place, row))
        elif form := wanted or form_of(row):
            usual = usual or form
            where, copy = _origin(row, place)
            for draft in _READERS[form][0](where, row):
                yield draft if isinstance(draft, Problem) else draft._replace(copy=copy)
        else:
            yield _lacking(place, row, usual)
    yield from linked(messages_of_trees)


def _tools(row: Mapping[str, object]) -> str:
    """Return the field that describes tools, if there is one: of the row, or of its `input`."""
    given = row.get("input")
    inner = given if isinstance(given, Mapping) else {}
    return next((name for name in _TOOLS if row.get(name)), "") or next(
        (f"input.{name}" for name in _TOOLS if inner.get(name)), ""
    )


def form_of(row: Mapping[str, object]) -> str:
    """Return the format that a row's fields show, or nothing.

    One whose fields are all null gives way to another: tables of several formats leave the columns of the others so.
    """
    if _is_linked(row):
        return "oasst"
    form = _form(row)
    said = {name.strip().lower() for name, value in row.items() if value is not None}
    return (form and not _READERS[form][1] & said and _form(said)) or form


def _form(names: Iterable[str]) -> str:
    exact = set(names)
    lower = {name.strip().lower() for name in exact}
    return next((form for form, (_, has) in _READERS.items() if has <= (lower if "question" in has else exact)), "")


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
    names = {name.strip().lower(): name for name in row}
    rank = {form: (len(has & names.keys()), form == usual, form == "messages") for form, (_, has) in _READERS.items()}
    form = max(rank, key=rank.__getitem__)
    field = min(_READERS[form][1] - row.keys(), default="messages")
    what = f"is missing (found {', '.join(sorted(row)[:8]) or 'nothing'})"
    others = [name for name, written in names.items() if written not in _READERS[form][1]]
    if near := get_close_matches(field, others, 1, 0.75):
        found = names[near[0]]
        return problem(place, field, what, f"rename {found if found.strip() == found else repr(found)} to {field}")
    for name, value in row.items() if len(row) == 1 else ():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            return problem(place, field, what, f"make the list in {name} the whole file")
    fix = "write it, or remove the row" if usual or _READERS[form][1] & names.keys() else f"write {FORMS}"
    return problem(place, field, what, fix)
