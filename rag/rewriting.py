"""From a follow-up to what is searched for: by a model that rewrites it, else by rules from the turns before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from doceo.core.errors import ProviderError
from doceo.core.protocols import Provider
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.text.passages import REFUSAL, without_markers
from doceo.text.thinking import without_thinking
from doceo.text.words import content_words, words
from prompts.catalog import Catalog
from rag.follow_ups import FollowUp, understand
from rag.history import weighted_queries
from rag.steps import Steps, taken

Rewriting = Literal["auto", "model", "rules", "none"]
PROMPT = "standalone_question"
_CLEARLY_ALONE = 0.05
"""Chance of leaning below which no model is asked."""
_LEAST_WEIGHT = 0.9
"""Least weight of a model's rewriting: it has read the turns, where the chance was worked out from a few words."""
_TURNS, _LONGEST_TURN = 8, 600
"""Turns that the model is shown whole, and characters of each."""
_EARLIER, _LONGEST_EARLIER = 12, 150
"""Of the turns before those, questions that it is shown too, and characters of each: people come back to a subject."""
_LONGEST, _MOST_WORDS = 400, 60
"""Characters and words of a rewritten question."""
_MAX_TOKENS = 160
_LABEL = re.compile(
    r"^[\W_]*(?:(?:stand-?\s?alone|rewritten|search)\s+(?:question|query)|question|query)[*_]*\s*:\s*", re.I
)
_QUOTES = "\"'“”‘’«»`*_ "
_ASKS = re.compile(
    r"[?？؟]\s*$|^\W*(?:what|when|where|who|whom|whose|which|why|how|is|are|was|were|do|does|did|can|could|has|have|had"
    r"|will|would|should|may|must)\b",
    re.I,
)
_SHARED = 3
"""One in so many content words of the question has to stand in its rewriting: "I meant ..." and the like go."""
_SLACK = 2
"""Content words of a rewriting that may stand neither in the question nor in the turns before."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What to search for in place of a question.

    `queries` holds the question itself first and, where it leans on the turns before, one that stands alone;
    `weights`, which sum to 1, say how much each counts when what they find is fused. `by` is `none`, `rules` or the
    name of the model; `note` says why a model that was to rewrite did not.
    """

    queries: tuple[str, ...]
    weights: tuple[float, ...] = (1.0,)
    by: str = "none"
    note: str = ""

    @property
    def standalone(self) -> str:
        """The question as it reads without the turns before."""
        return self.queries[-1]


class Rewriter:
    """Makes follow-up questions stand alone. May be used from several threads.

    Args:
        provider: The model that rewrites, or None.
        mode: `model` and `auto` ask the model where there is one, and go by the rules where it fails or there is
            none; `rules` never asks it; `none` leaves every question as it is.
        catalog: Where the prompt comes from.
    """

    def __init__(
        self, provider: Provider | None = None, mode: Rewriting = "auto", *, catalog: Catalog | None = None
    ) -> None:
        self._provider = provider if mode in ("auto", "model") else None
        self._mode = mode
        self._template = (catalog or Catalog()).template(PROMPT) if self._provider else None

    def queries(self, question: str, history: Sequence[Message]) -> Rewritten:
        """Return what to search for. Never fails: where the model does, the rules take its place.

        The history is best given with its refusals: a question that was refused can be gone on from like any other.
        """
        return taken(self.steps(question, history), self._complete)

    def steps(self, question: str, history: Sequence[Message]) -> Steps[Rewritten]:
        """Return the steps of `queries`, for callers that ask the model themselves."""
        turns = [turn for turn in history if turn.role != "system"]
        if self._mode == "none" or not turns:
            return Rewritten((question,))
        follow_up = understand(question, turns)
        if self._provider is None or (follow_up.chance < _CLEARLY_ALONE and question.isascii()):
            return _by_rules(question, turns)
        try:
            reply = yield self._request(question, turns)
        except ProviderError as error:
            return _by_rules(question, turns, f"{self._provider.name} could not rewrite the question: {error.message}")
        rewritten = read(reply.text)
        if why := refused(rewritten, question, turns):
            return _by_rules(question, turns, f"What {self._provider.name} made of the question was not used: {why}.")
        return _by_model(question, rewritten, follow_up, self._provider.name)

    def _complete(self, request: ChatRequest) -> ChatReply:
        assert self._provider is not None
        return self._provider.complete(request)

    def _request(self, question: str, turns: Sequence[Message]) -> ChatRequest:
        assert self._template is not None
        earlier = [turn for turn in turns[:-_TURNS] if turn.role == "user"][-_EARLIER:]
        lines = [f"Reader: {_short(turn.content, _LONGEST_EARLIER)}" for turn in earlier]
        shown = "\n".join([*lines, *(_line(turn) for turn in turns[-_TURNS:])])
        messages = self._template.fill(history=shown, question=question)
        return ChatRequest(messages=messages, max_tokens=_MAX_TOKENS)


def _line(turn: Message) -> str:
    if turn.role == "user":
        return f"Reader: {_short(turn.content)}"
    return f"Assistant: {'(no answer was found)' if turn.content.strip() == REFUSAL else _short(turn.content)}"


def _short(text: str, longest: int = _LONGEST_TURN) -> str:
    """Return a turn on one line, the middle left out where it is long: its beginning and end name what it is about."""
    line = " ".join(without_markers(text).split())
    half = longest // 2
    return line if len(line) <= longest else f"{line[:half]} ... {line[-half:]}"


def read(reply: str) -> str:
    """Return the question of a model's reply: its first line, without a label and quotation marks."""
    lines = [line for line in without_thinking(reply).strip().splitlines() if line.strip()]
    return _LABEL.sub("", lines[0]).strip(_QUOTES) if lines else ""


def refused(rewritten: str, question: str, turns: Sequence[Message]) -> str:
    """Say why a rewriting is not to be searched for, or return nothing where it may be.

    It has to be a question of bounded length, about what was asked, in words that were said: a model may answer
    instead, or add what it believes to know.
    """
    if not rewritten:
        return "it is empty"
    if len(rewritten) > _LONGEST or len(rewritten.split()) > _MOST_WORDS:
        return "it is too long"
    if _ASKS.search(question) and not _ASKS.search(rewritten):
        return "it is no question"
    asked, new = set(content_words(question)), set(content_words(rewritten))
    if asked and len(asked & new) < len(asked) / _SHARED:
        return "it asks something else"
    said = {word for turn in turns for word in content_words(turn.content)}
    invented = new - asked - said
    if len(invented) > _SLACK or any(word[0].isdigit() for word in invented):
        return f"it adds what nobody has said ({', '.join(sorted(invented)[:3])})"
    return ""


def _by_rules(question: str, turns: Sequence[Message], note: str = "") -> Rewritten:
    asked = weighted_queries(question, turns)
    return Rewritten(tuple(asked), tuple(asked.values()), "rules" if len(asked) > 1 else "none", note)


def _by_model(question: str, rewritten: str, follow_up: FollowUp, name: str) -> Rewritten:
    if words(rewritten) == words(question):
        return Rewritten((question,), by=name)
    weight = max(follow_up.chance, _LEAST_WEIGHT)
    return Rewritten((question, rewritten), (1.0 - weight, weight), name)
