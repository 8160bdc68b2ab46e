"""What people said of answers: ratings, or marks on the points of a rubric."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, ValidationError

from data.jsonl import read_rows
from doceo.core.errors import InputError
from doceo.core.records import Answered, Record, SetName

_FORM = (
    'A line is {"pair_id": "...", "system": "...", "rating": 4}, or "up" or "down", or with marks instead: '
    '"marks": {"correct": 2}; "set" and "answer" (its text) make sure that the right answer is meant.'
)
_THUMBS = {"up": 5.0, "down": 1.0}


class Label(Record):
    """What a person said of a system's answer to a question.

    `rating` is on any scale on which more is better; `marks` are 0, 1 or 2 by point. Where `answer` is given, the label
    is of an answer of that very text. Other fields of a line are left alone.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pair_id: str
    system: str
    set: SetName | None = None
    answer: str | None = None
    rating: float | Literal["up", "down"] | None = None
    marks: dict[str, Literal[0, 1, 2]] = {}

    @property
    def value(self) -> float | None:
        """The rating as a number."""
        return _THUMBS[self.rating] if isinstance(self.rating, str) else self.rating

    def fits(self, answered: Answered) -> bool:
        """Return whether it is of this one of its system's answers to its question."""
        meant = self.answer is None or self.answer.strip() == answered.answer.text.strip()
        return meant and self.set in (None, answered.set)


def read_labels(paths: Iterable[Path]) -> list[Label]:
    """Return the labels of JSONL files. Raises InputError naming file and line."""
    found: list[Label] = []
    for path in paths:
        for number, row in read_rows(path):
            try:
                label = Label.model_validate(row)
            except ValidationError as error:
                place = ".".join(map(str, error.errors()[0]["loc"]))
                raise InputError(f"{path}, line {number}: {place}: {error.errors()[0]['msg']}.", hint=_FORM) from error
            if label.rating is None and not label.marks:
                raise InputError(f"{path}, line {number}: neither a rating nor marks.", hint=_FORM)
            found.append(label)
    return found
