"""The pairs in a file of rows: what an export of ours wrote comes back whole, all else as `doceo finetune` reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from data.formats import FORMATS
from data.formats.chat import evidence_beside
from data.formats.own import own_pair, own_provenance
from data.formats.provenance import Provenance, imported
from data.sft.detection import NAMES, drafts
from data.sft.drafts import Draft, Place, Problem, Raw, Turn, problem
from data.sft.reading import raw_rows
from doceo.core.errors import InputError, UsageError
from doceo.core.records import Pair
from finetune.checks import Row, check_drafts, refuse_faulty

FORMS = {"openai": "messages", **dict.fromkeys(("csv", "parquet", "pairs"), "question and answer")}
"""Names of formats that `data.sft` calls otherwise: it tells rows apart by their fields, not by what holds them."""
_CHANGED = "it was changed after the export: export again, or take id and metadata away"


class FilePairs(NamedTuple):
    """The pairs of a file in its order, and the formats of its rows; `pairs` is that of rows that hold a pair whole."""

    pairs: list[Pair]
    forms: tuple[str, ...]


class _Known(NamedTuple):
    """What rows of our own say of their pairs, by their places: the whole pair, or all but its turns."""

    whole: dict[Place, Pair]
    rest: dict[Place, Provenance]


def read_pairs(file: Path, form: str = "") -> FilePairs:
    """Return the pairs of a file. Of a conversation, the last answer that is learned is the pair's.

    Raises:
        UsageError: There is no such format, or it holds too little to be read back.
        InputError: The file cannot be read, or has faulty rows; the message lists line, field and cure of them.
    """
    wanted = _named(form) if form else ""
    rows = list(raw_rows(file))
    known = _Known({}, {})
    ours: list[Draft | Problem] = []
    others: list[Raw] = []
    for place, row in rows:
        found = _own(place, row, known)
        if found is None:
            others.append((place, row))
        else:
            ours.append(found)
    # Repeated rows are told apart here, so that they are counted where all repeated pairs are.
    told = enumerate(map(_no_text, chain(ours, drafts(others, wanted))))
    checked = check_drafts(row if isinstance(row, Problem) else row._replace(copy=n) for n, row in told)
    checked.problems.sort(key=lambda found: found.line)
    refuse_faulty(str(file), checked, can_skip=False, use="imported")
    beside = dict(_beside(file, rows))
    return FilePairs([_pair(file, row, known, beside) for row in checked.rows], tuple(checked.forms))


def _named(form: str) -> str:
    """Return the name that `data.sft` has for a format. Raises UsageError."""
    name = FORMS.get(form, form)
    if name in NAMES:
        return name
    near = get_close_matches(form, known := [*FORMS, *(name for name in NAMES if name != "text")], 1)
    lost = " It holds too little to be read back." if form in FORMATS else ""
    hint = f"Did you mean {near[0]}?" if near else f"Formats: {', '.join(known)}."
    raise UsageError(f"There is no format {form!r} to import.{lost}", hint=hint)


def _own(place: Place, row: dict[str, object] | Problem, known: _Known) -> Draft | Problem | None:
    """Note what a row of our own says of its pair. Returns a row that holds a pair whole, or a fault; else None."""
    if isinstance(row, Problem):
        return None
    try:
        if pair := own_pair(row):
            known.whole[place] = pair
            return _draft(place, pair)
        if found := own_provenance(row):
            known.rest[place] = found
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        return problem(place, field or "row", first["msg"].removeprefix("Value error, "), _CHANGED)
    except ValueError as error:
        return problem(place, "row", str(error), _CHANGED)
    return None


def _draft(place: Place, pair: Pair) -> Draft:
    said = [
        (f"history[{n}].role", turn.role, f"history[{n}].content", turn.content) for n, turn in enumerate(pair.history)
    ]
    said += [("question", "user", "question", pair.question), ("answer", "assistant", "answer", pair.answer)]
    return Draft(place, "pairs", tuple(Turn(*turn) for turn in said), last_only=True)


def _no_text(row: Draft | Problem) -> Draft | Problem:
    """Return a row, or what is wrong with it where it is plain text."""
    if isinstance(row, Problem) or row.turns:
        return row
    fix = "a pair is a question with its answer; plain text is for `doceo finetune`"
    return problem(row.place, "text", "is plain text", fix)


def _beside(file: Path, rows: Sequence[Raw]) -> Iterator[tuple[Place, Provenance]]:
    """Yield what the evidence file beside chat rows knows of each. Raises InputError where it is another file's."""
    if not any(isinstance(row, dict) and "messages" in row for _, row in rows):
        return
    beside, known = evidence_beside(file)
    if known is None:
        return
    if len(known) != len(rows):
        raise InputError(
            f"{beside} has {len(known)} rows, {file} has {len(rows)}.",
            hint="Both come from one export and belong together; export again, or take the evidence file away.",
        )
    yield from zip((place for place, _ in rows), known, strict=False)


def _pair(file: Path, row: Row, known: _Known, beside: dict[Place, Provenance]) -> Pair:
    place = Place(row.line, row.unit)
    if place in known.whole:
        return known.whole[place]
    last = row.taught[-1]
    asked, said, before = row.messages[last - 1].content, row.messages[last].content, row.messages[: last - 1]
    if place in beside and beside[place].question != asked:
        raise InputError(
            f"{file}, {place}: the evidence file beside it has another question there.",
            hint="The rows were moved or changed after the export; export again, or take the evidence file away.",
        )
    found = beside.get(place) or known.rest.get(place)
    return found.pair(asked, said, before) if found else imported(asked, said, before)
