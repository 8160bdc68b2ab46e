"""The files of held-out questions, `taught.jsonl` and `unseen.jsonl`: one row a question."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from data.jsonl import read_jsonl
from doceo.core.records import Evidence, Message, Question, SetName

FILES = ("taught.jsonl", "unseen.jsonl")
RATINGS = "ratings.jsonl"
"""What people thought of answers, beside the questions: {"pair_id", "system", "set", "rating"}."""


class HeldOutRow(BaseModel):
    """A question and its reference as messages, with what is known of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class Metadata(BaseModel):
        """What stands beside the messages."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        pair_id: str
        style: str = "closed"
        set: SetName
        references: tuple[str, ...]
        evidence: tuple[Evidence, ...] = ()
        answerable: bool = True
        kind: str = ""
        difficulty: str = ""
        topic: str = ""
        author: str = ""

    messages: tuple[Message, ...]
    metadata: Metadata

    @property
    def question(self) -> Question:
        """The row's question."""
        known = self.metadata.model_dump(exclude={"style"})
        return Question(question=self.messages[-2].content, history=self.messages[:-2], **known)


def held_out_rows(questions: Iterable[Question]) -> Iterable[HeldOutRow]:
    """Return the rows of held-out questions."""
    for question in questions:
        asked = Message(role="user", content=question.question)
        answer = Message(role="assistant", content=question.references[0] if question.references else "")
        known = question.model_dump(exclude={"question", "history"})
        yield HeldOutRow(messages=(*question.history, asked, answer), metadata=HeldOutRow.Metadata(**known))


def read_held_out(folder: Path) -> list[Question]:
    """Return the held-out questions of a dataset's folder, taught ones first. Raises InputError."""
    return [row.question for name in FILES for row in read_jsonl(folder / name, HeldOutRow)]
