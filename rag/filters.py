"""Which documents a search is about: conditions on their fields, answered by the texts before any vector is looked at.

`FIELD=VALUE`, where `*` in VALUE stands for anything; all conditions have to hold. Fields are `source`, `title`,
`media_type` and those of the documents' metadata. Upper and lower case of a to z are not told apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.errors import UsageError
from doceo.text.surrogates import without_surrogates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.texts import Texts
    from rag.vectors import Vectors

FIELDS = ("source", "title", "media_type")
"""Fields of every document; all others are metadata."""
_EXACT = 50_000
"""Up to so many passages every vector is compared (77 MB at 384 dimensions): 3 ms, and nothing is missed."""


@dataclass(frozen=True)
class Condition:
    """One field and the pattern that its value has to match."""

    field: str
    value: str


@dataclass(frozen=True)
class Where:
    """Conditions that all have to hold; without any, every passage is meant."""

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Where:
        """Return the conditions written as `FIELD=VALUE`. Raises UsageError for one that is not."""
        return cls(tuple(_condition(text) for text in texts))

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def sql(self) -> tuple[str, list[str]]:
        """Return a condition on a row `d` of documents, and the values of its marks."""
        parts, values = ["1"], []
        for condition in self.conditions:
            part, some = _sql(condition)
            parts.append(part)
            values += some
        return " AND ".join(parts), values

    def check(self, texts: Texts) -> None:
        """Raise UsageError, naming the nearest, for a field that no document has."""
        unknown = [one.field for one in self.conditions if one.field not in FIELDS]
        known = [*FIELDS, *texts.fields()] if unknown else []
        for field in unknown:
            if field not in known:
                near = get_close_matches(field, known, 1)
                raise UsageError(
                    f"No document has a field {field!r}.",
                    hint=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}.",
                )


@dataclass(frozen=True)
class Sources:
    """Documents by their sources: each of these, whatever `*` in a name stands for."""

    names: tuple[str, ...]

    def sql(self) -> tuple[str, list[str]]:
        """Return a condition on a row `d` of documents, and the values of its marks."""
        named = "s.source IN (SELECT value FROM json_each(?))"
        return f"EXISTS (SELECT 1 FROM sources s WHERE s.document_id = d.id AND {named})", [json.dumps(self.names)]

    def check(self, texts: Texts) -> None:
        """Do nothing: a source that is not there selects nothing."""


class Selection:
    """The passages that a search may find.

    Args:
        texts: The texts of the index.
        vectors: Its dense arm.
        where: The conditions.

    Attributes:
        ids: Of these passages.

    Raises UsageError for a field that no document has.
    """

    def __init__(self, texts: Texts, vectors: Vectors, where: Where | Sources) -> None:
        where.check(texts)
        self._order = texts.matching(where)
        self.ids: frozenset[str] = frozenset(self._order)
        self._vectors = vectors
        self._matrix: NDArray[np.float32] | None = None
        if 0 < len(self._order) <= _EXACT:
            found = texts.vectors_of(self._order)
            self._matrix = np.stack([found[key] for key in self._order])

    def search(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """Return up to k (id, cosine) of the selected passages, best first, equal ones by id."""
        if not self.ids or k < 1:
            return []
        if self._matrix is not None:
            return self._exact(self._matrix @ vector, k)
        wide = 2 * k * self._vectors.count() // len(self.ids)
        found = [pair for pair in self._vectors.search(vector, wide) if pair[0] in self.ids]
        # to have Chroma keep to so many ids costs ten times as much as to look through a few more passages
        return found[:k] if len(found) >= k else self._vectors.search(vector, k, self._order)

    def _exact(self, scores: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        best: Sequence[int] = range(len(scores))
        if k < len(scores):
            best = np.argpartition(-scores, k - 1)[:k].tolist()
        pairs = [(self._order[at], float(scores[at])) for at in best]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _condition(text: str) -> Condition:
    field, equals, value = text.partition("=")
    if not (equals and field.strip() and value.strip()):
        raise UsageError(
            f"--where {text!r} is not a condition.",
            hint="Write FIELD=VALUE, such as source=*.pdf or language=de; * stands for anything, a comma too.",
        )
    return Condition(without_surrogates(field.strip()), without_surrogates(value.strip()))


def _sql(condition: Condition) -> tuple[str, list[str]]:
    pattern = _pattern(condition.value)
    if condition.field == "source":
        found = "SELECT 1 FROM sources s WHERE s.document_id = d.id AND s.source LIKE ? ESCAPE '\\'"
        return f"EXISTS ({found})", [pattern]
    if condition.field in FIELDS:
        return f"d.{condition.field} LIKE ? ESCAPE '\\'", [pattern]
    found = "SELECT 1 FROM json_each(d.metadata) m WHERE m.key = ? AND m.value LIKE ? ESCAPE '\\'"
    return f"EXISTS ({found})", [condition.field, pattern]


def _pattern(value: str) -> str:
    for special in ("\\", "%", "_"):
        value = value.replace(special, f"\\{special}")
    return value.replace("*", "%")
