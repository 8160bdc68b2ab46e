"""The prompt: everything that a model is to know, in order of how seldom it changes, within a budget of tokens.

System text, profile, pinned passages, summary, turns, retrieved passages, question: a server that keeps the beginning
of prompts, or a local model with a prefix cache, reads again only what stands behind the first change. So nothing in
front depends on the question, and passages stand in the order of their documents, not of their scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from doceo.core.fingerprint import sha256
from doceo.core.records import Message, Passage, ProfileEntry, Segment
from rag.layout import Layout, Words

if TYPE_CHECKING:
    from rag.writing import Cleaner


class Count(Protocol):
    """Counts the tokens of messages as the model would read them, its template's own marks included."""

    def __call__(self, messages: Sequence[Message]) -> int:
        """Return the number of tokens."""
        ...


class Shield(Protocol):
    """Lays out passages so that their text cannot pass for anything else (`rag.shield`)."""

    @property
    def explanation(self) -> str:
        """What the system message says of the marks."""
        ...

    def block(self, heading: str, text: str) -> str:
        """Return one passage between marks."""
        ...

    def restorer(self) -> Cleaner:
        """Return what takes an answer piece by piece and gives it back without the marks."""
        ...


@dataclass(frozen=True)
class Parts:
    """What a prompt is made of.

    Attributes:
        question: What is asked.
        retrieved: Passages that were found for it, best first.
        pinned: Passages that stand in front of every question, in the order of their documents.
        summary: What was said before `turns`.
        turns: The last turns of the conversation, oldest first; it begins with a question.
        earlier: How many turns stand before those, for the ledger.
        profile: What is known of the user; where there is too much, the oldest is left out.
        words: Words of the user's own in the system message; left out, ours.
    """

    question: str
    retrieved: Sequence[Passage] = ()
    pinned: Sequence[Passage] = ()
    summary: str = ""
    turns: Sequence[Message] = ()
    earlier: int = 0
    profile: Sequence[ProfileEntry] = ()
    words: Words | None = None


@dataclass(frozen=True)
class Budget:
    """Most tokens of a prompt, and of the parts that must not crowd out the others; pinned text has none of its own."""

    total: int
    turns: int
    summary: int
    profile: int

    @classmethod
    def of(cls, total: int, turns: int | None = None) -> Budget:
        """Return the budget of a prompt: turns as wanted but at most half, summary and profile an eighth each."""
        half = total // 2
        return cls(total, half if turns is None else min(turns, half), total // 8, total // 8)


@dataclass(frozen=True)
class Prompt:
    """The messages, the passages in them (number n is `passages[n - 1]`), and the parts with their tokens."""

    messages: tuple[Message, ...]
    passages: list[Passage]
    segments: tuple[Segment, ...]


def compile_prompt(parts: Parts, count: Count, budget: Budget, shield: Shield | None = None) -> Prompt:
    """Return the prompt for a question.

    What is over its own budget is left out: of the profile the end, of the turns the oldest exchanges, the summary
    whole. Where all together is too long, what is left out whole is: the turns but the last exchange, oldest first; the
    retrieved passages but the best, worst first; the summary; the last exchange; the profile; pinned passages from the
    end. The question always stays, and so does the best passage: if they alone are too long, the model's own limit
    decides.

    Args:
        parts: What there is to say.
        count: Counts the tokens of messages.
        budget: Most tokens.
        shield: Lays out passages; left out, they stand as in training rows.
    """
    draft = _Draft(parts, count, shield)
    draft.cap(budget)
    over = count(draft.layout().messages) - budget.total
    while over > 0 and (freed := draft.drop()) is not None:
        over -= freed
        if over <= 0:  # by the sum of the parts; the whole decides
            over = count(draft.layout().messages) - budget.total
    layout = draft.layout()
    return Prompt(layout.messages, layout.passages, draft.segments(layout))


def words_as_tokens(messages: Sequence[Message]) -> int:
    """Estimate the tokens of messages for a model whose tokenizer is not at hand: 3 characters each, and 8 a turn.

    English is nearer 4 characters a token; the estimate is meant to be too high rather than too low.
    """
    return sum(8 + -(-len(message.content) // 3) for message in messages)


CountText = Callable[[str], int]


def counting(count: CountText, per_message: int = 8) -> Count:
    """Return a `Count` from a function that counts the tokens of a text, with a margin for each message's marks."""

    def counted(messages: Sequence[Message]) -> int:
        return sum(per_message + count(message.content) for message in messages)

    return counted


class _Draft:
    """A prompt from which parts are taken until it fits."""

    def __init__(self, parts: Parts, count: Count, shield: Shield | None) -> None:
        self._parts, self._count, self._shield = parts, count, shield
        self._empty = count([Message(role="user", content="")])
        self._profile = sorted(parts.profile, key=lambda entry: (-entry.created, entry.id))
        self._summary = parts.summary
        self._pinned, self._exchanges = list(parts.pinned), _exchanges(parts.turns)
        known = {passage.hit.chunk_id for passage in self._pinned}
        self._retrieved = [passage for passage in parts.retrieved if passage.hit.chunk_id not in known]
        self._found = len(self._retrieved)

    def layout(self) -> Layout:
        return Layout(
            question=self._parts.question,
            retrieved=self._retrieved,
            pinned=self._pinned,
            summary=self._summary,
            turns=[turn for exchange in self._exchanges for turn in exchange],
            profile=self._profile,
            shield=self._shield,
            words=self._parts.words,
        )

    def cap(self, budget: Budget) -> None:
        """Leave out what is over its own budget."""
        while self._profile and sum(self._tokens(entry.text) for entry in self._profile) > budget.profile:
            self._profile.pop()
        if self._tokens(self._summary) > budget.summary:
            self._summary = ""
        held = [sum(map(self._of_turn, exchange)) for exchange in self._exchanges]
        while held and sum(held) > budget.turns:
            held.pop(0)
            self._exchanges.pop(0)

    def drop(self) -> int | None:
        """Leave out the next part; return its tokens, or None where nothing is left that can go."""
        if len(self._exchanges) > 1:
            return sum(map(self._of_turn, self._exchanges.pop(0)))
        if len(self._retrieved) > 1:
            return self._tokens(self._retrieved.pop().text)
        if self._summary:
            gone, self._summary = self._summary, ""
            return self._tokens(gone)
        if self._exchanges:
            return sum(map(self._of_turn, self._exchanges.pop()))
        if self._profile:
            return self._tokens(self._profile.pop().text)
        if self._pinned and len(self._pinned) + len(self._retrieved) > 1:
            return self._tokens(self._pinned.pop().text)
        return None

    def segments(self, layout: Layout) -> tuple[Segment, ...]:
        turns = sum(len(exchange) for exchange in self._exchanges)
        left_out = {
            "profile": len(self._parts.profile) - len(self._profile),
            "pinned": len(self._parts.pinned) - len(self._pinned),
            "summary": int(bool(self._parts.summary and not self._summary)),
            "turns": len(self._parts.turns) + self._parts.earlier - turns,
            "retrieved": self._found - len(self._retrieved),
        }
        return tuple(
            Segment(name=name, tokens=self._tokens(text), sha256=sha256(text), left_out=left_out.get(name, 0))
            for name, text in layout.texts().items()
            if text or left_out.get(name)
        )

    def _tokens(self, text: str) -> int:
        return self._count([Message(role="user", content=text)]) - self._empty if text else 0

    def _of_turn(self, turn: Message) -> int:
        return self._empty + self._tokens(turn.content)


def _exchanges(turns: Sequence[Message]) -> list[list[Message]]:
    """Return turns grouped into questions with what follows them; what stands before the first question is left out."""
    found: list[list[Message]] = []
    for turn in turns:
        if turn.role == "user":
            found.append([turn])
        elif turn.role == "assistant" and found:
            found[-1].append(turn)
    return found
