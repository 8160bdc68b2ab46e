"""Where a pair comes from, as the formats carry it beside question and answer, and the way back."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict

from doceo.core.records import Difficulty, Evidence, Kind, Message, Pair

IMPORTED = "imported"
"""The teacher of a pair that came from a file which names none."""


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return text


Said = Annotated[str, AfterValidator(_said)]
"""A text that says something."""


class Row(BaseModel):
    """Base of the formats' rows: frozen, unknown fields refused, so that writing a row checks it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Provenance(Row):
    """Everything that is known of a pair beside its question, answer and history. Every quote keeps its span.

    `history` and `question` are there in the formats whose own fields cannot hold them exactly.
    """

    pair_id: str
    answerable: bool = True
    rationale: str = ""
    evidence: tuple[Evidence, ...] = ()
    chunk_ids: tuple[str, ...] = ()
    kind: Kind = "fact"
    difficulty: Difficulty = "medium"
    topic: str = ""
    language: str = "en"
    scores: dict[str, float] = {}
    teacher: str
    prompt_hash: str = ""
    round: int = 0
    history: tuple[Message, ...] = ()
    question: str = ""

    @classmethod
    def of(cls, pair: Pair, *, history: bool = False, question: bool = False) -> Self:
        """Return the provenance of a pair, with its history and question where the row itself cannot hold them."""
        values = pair.model_dump(exclude={"id", "question", "answer", "history"})
        return cls(
            pair_id=pair.id,
            history=pair.history if history else (),
            question=pair.question if question else "",
            **values,
        )

    def pair(self, question: str, answer: str, history: tuple[Message, ...] = ()) -> Pair:
        """Return the pair; a question and a history of its own win over those given."""
        values = self.model_dump(exclude={"pair_id", "history", "question"})
        return Pair(
            id=self.pair_id,
            question=self.question or question,
            answer=answer,
            history=self.history or history,
            **values,
        )

    def fields(self) -> dict[str, object]:
        """Return the JSON form, without history and question where they are empty."""
        empty = {name for name in ("history", "question") if not getattr(self, name)}
        return self.model_dump(mode="json", exclude=empty)


def imported(question: str, answer: str, history: tuple[Message, ...] = ()) -> Pair:
    """Return the pair of a row that says nothing of where it comes from: no evidence, teacher `imported`."""
    return Pair(
        id=Pair.identify(question, answer, ()), question=question, answer=answer, history=history, teacher=IMPORTED
    )
