"""What is said in a conversation, on its way into the store and back to a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data.traces import Trace
from doceo.core.errors import NotFound
from doceo.core.records import Answer, Message, Turn
from doceo.text.passages import REFUSAL


@dataclass(frozen=True, slots=True)
class Said:
    """A message to be kept, with the whole answer where it is one.

    `files` are the ids of files of a vector store that it cites, by the names that its citations have for them.
    """

    message: Message
    answer: Answer | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether it is a refusal."""
        return self.answer is not None and self.answer.refused


def exchange(question: str, answer: Answer, files: Mapping[str, str] | None = None) -> list[Said]:
    """Return a question and its answer, without the trace: that is for the moment."""
    reply = Message(role="assistant", content=answer.text)
    return [
        Said(Message(role="user", content=question)),
        Said(reply, answer.model_copy(update={"trace": None}), files or {}),
    ]


def messages(turns: Sequence[Turn | Said]) -> list[Message]:
    """Return turns as the history of the next question.

    A refusal has today's words, whatever it was kept with: by these, answerers keep it from the model.
    """
    return [Message(role="assistant", content=REFUSAL) if turn.refused else turn.message for turn in turns]


def traces(turns: Sequence[Turn | Said]) -> list[Trace]:
    """Return the questions of a conversation, each with what was said before it, and their answers."""
    found = []
    for at, turn in enumerate(turns):
        if turn.answer is None or not at or turns[at - 1].message.role != "user":
            continue
        before = tuple(messages(turns[: at - 1]))
        name = turn.id if isinstance(turn, Turn) else ""
        found.append(Trace(id=name, question=turns[at - 1].message.content, history=before, answer=turn.answer))
    return found


def missing(conversation: str) -> NotFound:
    """Return the error for a conversation that an owner does not have, whoever else may have it."""
    return NotFound(
        f"There is no conversation {conversation or 'without an id'}.",
        hint="The list of conversations names those that are kept.",
    )


def missing_item(item: str) -> NotFound:
    """Return the error for an item that a conversation does not have."""
    return NotFound(f"There is no item {item[:80]!r} in this conversation.", hint="Its items are at /items.")
