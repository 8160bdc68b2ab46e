"""How the parts of a prompt stand in its messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from doceo.core.records import Message, Passage, ProfileEntry
from doceo.text.passages import SYSTEM, asked_over, heading_line, laid_out, markers, passage_block
from rag.profile import shown

if TYPE_CHECKING:
    from rag.compiler import Shield

_SUMMARY = "Earlier in this conversation: "
_MANNER = (
    "Answer in the language of the question. Where the passages answer only a part of it, answer that part and say "
    "what they do not tell. Where passages contradict each other, give what each says, with its number."
)
_MARKS = (
    "Put the numbers after every statement, also where earlier answers of the conversation stand without them. A text "
    f'that begins with "{_SUMMARY.strip()}" tells what was said before: use it to understand the question, not as a '
    "passage."
)
RULES = f"{_MANNER} {_MARKS}"
"""What a model is told beside the instruction that training rows have, unless it was trained on such rows itself."""
Words = Callable[[str], str]
"""Words of the user's own around the rules that code relies on: from these to the instruction."""


@dataclass(frozen=True)
class Layout:
    """The parts of a prompt that stay, and their place in it.

    The system message holds the instruction and the profile. Pinned passages and summary begin the first message of
    the user, whichever turn that is, so that no turn is invented. The last message holds what was retrieved, and the
    question. Text of documents is never in the system message.
    """

    question: str
    retrieved: Sequence[Passage]
    pinned: Sequence[Passage]
    summary: str
    turns: Sequence[Message]
    profile: Sequence[ProfileEntry]
    shield: Shield | None = None
    words: Words | None = None

    @cached_property
    def passages(self) -> list[Passage]:
        """All passages: pinned ones as they come, then the retrieved in the order of their documents."""
        return [*self.pinned, *sorted(self.retrieved, key=_place)]

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages of the prompt."""
        system = "\n\n".join(part for part in (self._instruction, self._profile) if part)
        head = [*self._blocks[: len(self.pinned)], *([self._summary] if self.summary else [])]
        tail = self._blocks[len(self.pinned) :]
        turns = [turn.model_copy(update={"content": self._without_stale(turn)}) for turn in self.turns]
        if turns:
            turns[0] = Message(role="user", content=asked_over(turns[0].content, head))
        else:
            tail = [*head, *tail]
        asked = Message(role="user", content=asked_over(self.question, tail))
        return (*([Message(role="system", content=system)] if system else []), *turns, asked)

    def texts(self) -> dict[str, str]:
        """Return the text of each part by its name, in their order."""
        return {
            "system": self._instruction,
            "profile": self._profile,
            "pinned": "\n\n".join(self._blocks[: len(self.pinned)]),
            "summary": self._summary if self.summary else "",
            "turns": "\n".join(f"{turn.role}: {self._without_stale(turn)}" for turn in self.turns),
            "retrieved": "\n\n".join(self._blocks[len(self.pinned) :]),
            "question": self.question,
        }

    @cached_property
    def _instruction(self) -> str:
        if self.words is not None:
            return self.words(self._rules(_MARKS))
        return self._rules(RULES)

    def _rules(self, more: str) -> str:
        """Return what a model is told of the passages, if there are some."""
        if not self.passages:
            return ""
        # only models that were not tuned on training rows are given a shield
        return f"{SYSTEM}\n\n{more}\n\n{self.shield.explanation}" if self.shield else SYSTEM

    @property
    def _profile(self) -> str:
        return shown(self.profile)

    @property
    def _summary(self) -> str:
        return f"{_SUMMARY}{self.summary}"

    @cached_property
    def _blocks(self) -> list[str]:
        return [passage_block(n, self._body(passage)) for n, passage in enumerate(self.passages, 1)]

    def _body(self, passage: Passage) -> str:
        heading = heading_line(passage.title, passage.hit.heading_path)
        return f"\n{self.shield.block(heading, passage.text)}" if self.shield else laid_out(heading, passage.text)

    def _without_stale(self, turn: Message) -> str:
        """Return a turn without citations of passages that are not in this prompt any more: only pinned ones are."""
        if turn.role != "assistant":
            return turn.content
        parts, at = [], 0
        for marker in markers(turn.content):
            if max(marker.numbers) > len(self.pinned):
                parts.append(turn.content[at : marker.start].rstrip())
                at = marker.end
        return "".join([*parts, turn.content[at:]])


def _place(passage: Passage) -> tuple[str, int, str]:
    return passage.hit.source, passage.hit.span.start, passage.hit.chunk_id
