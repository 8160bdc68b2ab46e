"""What the user says of recorded answers: right answers, where these stand, and ratings."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from data.csv_file import live
from data.jsonl import read_rows
from data.traces import Rating, Trace
from doceo.core.errors import InputError

_FORM = (
    "A row names `id` or `question`, and one or more of `reference`, `rating` (1 to 5, up, down), `answerable` (true, "
    "false), `source` and `quote` (where the right answer stands), `author`. A second row of one id adds a reference."
)


class Remark(BaseModel):
    """A row. `answerable` is None where nothing is said of it; other columns are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = ""
    question: str = ""
    reference: str = ""
    references: tuple[str, ...] = ()
    rating: Rating | None = None
    answerable: bool | None = None
    source: str = ""
    quote: str = ""
    author: str = ""

    @field_validator("rating", mode="before")
    @classmethod
    def _number(cls, given: object) -> object:
        return int(given) if isinstance(given, str) and given.strip().isdecimal() else given

    @property
    def right(self) -> tuple[str, ...]:
        """The right answers."""
        return tuple(text for text in (self.reference, *self.references) if text.strip())


def read_remarks(path: Path) -> list[Remark]:
    """Return the rows of a CSV or JSONL file. Raises InputError naming the line of one that cannot be used."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the spelling and the current folder.")
    found = []
    for number, row in _csv(path) if path.suffix.lower() in (".csv", ".tsv") else read_rows(path):
        try:
            remark = Remark.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"{path}, line {number}: {place}: {first['msg']}.", hint=_FORM) from error
        if not (remark.id or remark.question):
            raise InputError(f"{path}, line {number}: it names neither an id nor a question.", hint=_FORM)
        found.append(remark)
    return found


def by_trace(remarks: Sequence[Remark], traces: Sequence[Trace]) -> dict[str, list[Remark]]:
    """Return trace key -> the remarks on it; a remark that names a question is on every trace that asks it.

    Raises InputError where none is on any trace.
    """
    of_id: dict[str, list[Remark]] = {}
    of_question: dict[str, list[Remark]] = {}
    for remark in remarks:
        if remark.id:
            of_id.setdefault(remark.id, []).append(remark)
        else:
            of_question.setdefault(_folded(remark.question), []).append(remark)
    found = {trace.key: [*of_id.get(trace.key, ()), *of_question.get(_folded(trace.question), ())] for trace in traces}
    if remarks and not any(found.values()):
        raise InputError("No row of the references names an id or a question of the traces.", hint=_FORM)
    return found


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            for row in reader:
                yield reader.line_num, {key: live(value) for key, value in row.items() if key and value}
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} cannot be read: {error}.", hint=f"Save it as UTF-8 with a line of titles. {_FORM}"
        ) from error


def _folded(question: str) -> str:
    return " ".join(question.casefold().split())
