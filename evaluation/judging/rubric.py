"""The points that a judge marks an answer on, and what 0, 1 and 2 mean on each."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, get_args

from doceo.core.errors import InputError
from doceo.core.fingerprint import sha256
from doceo.core.records import Record
from evaluation.case import Case

Need = Literal["", "reference", "citation", "text"]
MARKS = ("2", "1", "0")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_TAKEN = ("preferred", "rating")
"""Names that stand for something else beside the points."""
_MOST = 8
_FORM = 'A point is written as: [name], asks = "...", 2 = "...", 1 = "...", 0 = "..." and, if you like, needs = "...".'


class Point(Record):
    """One point: what it asks, what the marks 2, 1 and 0 mean, and without what it is not marked."""

    name: str
    asks: str
    meanings: tuple[str, str, str]
    needs: Need = ""

    def applies(self, case: Case) -> bool:
        """Return whether an answer can be marked on it."""
        if self.needs == "citation":
            return bool(case.answer.citations)
        known = bool(case.references) or not case.question.answerable
        if self.needs == "text":
            return known or bool(case.question.evidence or case.answer.citations)
        return known or not self.needs

    @property
    def text(self) -> str:
        """The point as a judge reads it."""
        lines = [f" {mark} {meaning}" for mark, meaning in zip(MARKS, self.meanings, strict=True)]
        return "\n".join([f"{self.name}: {self.asks}", *lines])


class Rubric(Record):
    """Points in their order. `hash` is the first 16 hex digits of the SHA-256 of the file's text."""

    points: tuple[Point, ...]
    hash: str

    def of(self, case: Case) -> tuple[Point, ...]:
        """Return the points that an answer can be marked on."""
        return tuple(point for point in self.points if point.applies(case))


def read_rubric(path: Traversable | None = None) -> Rubric:
    """Return the rubric of a TOML file; left out, the one that ships, `prompts/rubrics/answer.toml`.

    Raises:
        InputError: The file cannot be read, or a point lacks something; both are named.
    """
    path = path or files("prompts").joinpath("rubrics", "answer.toml")
    try:
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The rubric {path} cannot be read: {error}.", hint=f"It is a TOML file. {_FORM}") from error
    if not 1 <= len(tables) <= _MOST:
        raise InputError(f"The rubric {path} has {len(tables)} points, not 1 to {_MOST}.", hint=_FORM)
    return Rubric(points=tuple(_point(path, name, table) for name, table in tables.items()), hash=sha256(text)[:16])


def _point(path: Traversable, name: str, table: object) -> Point:
    if not _NAME.fullmatch(name) or name in _TAKEN or not isinstance(table, Mapping):
        raise InputError(
            f"{path}: {name} is no point; its name has small letters, digits and _, and is not one of {_TAKEN}.",
            hint=_FORM,
        )
    odd = [key for key in table if key not in ("asks", "needs", *MARKS)]
    lacking = [key for key in ("asks", *MARKS) if not isinstance(table.get(key), str) or not table[key].strip()]
    needs = table.get("needs", "")
    if odd or lacking or needs not in get_args(Need):
        wrong = [*(f"{key} is not known" for key in odd), *(f"{key} is missing or no text" for key in lacking)]
        wrong += [f"needs = {needs!r} is none of reference, citation, text"] * (needs not in get_args(Need))
        raise InputError(f"{path}: the point {name}: {'; '.join(wrong)}.", hint=_FORM)
    two, one, zero = (str(table[mark]).strip() for mark in MARKS)
    return Point(name=name, asks=str(table["asks"]).strip(), meanings=(two, one, zero), needs=needs)
