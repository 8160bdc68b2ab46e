"""The rolling summary: what stands in for turns that are no longer shown to the model.

A summary is made from the one before it and the turns that came since, so that a long conversation costs no more
than its new part. It is kept under the hash of all turns that it stands for: the same turns are never paid for twice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass

from doceo.core.errors import ProviderError
from doceo.core.fingerprint import canonical, sha256
from doceo.core.protocols import Provider
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.text.passages import without_markers
from doceo.text.sentences import sentence_spans
from doceo.text.thinking import without_thinking
from prompts.catalog import Catalog
from rag.history import without_refusals
from rag.steps import Steps, taken

PROMPT = "summarize_turns"
_LONGEST = 1500
"""Characters of a summary."""
_LONGEST_TURN = 2000
"""Characters of a turn that are summarised."""
_AT_ONCE = 8000
"""Characters of turns that a model is given at once."""
_MOST_PORTIONS = 8
"""Questions to a model for one summary; of a longer talk that was not summarised until now, the latest turns count."""
_MAX_TOKENS = 400
_IN_MEMORY = 256
"""Summaries that are kept where no place for them is given."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary; `note` says why it leaves out some of the turns, where it does."""

    text: str
    note: str = ""


class _Latest(OrderedDict[str, str]):
    """The latest summaries: a service must not keep in memory what all its users ever said."""

    def __setitem__(self, key: str, text: str) -> None:
        super().__setitem__(key, text)
        while len(self) > _IN_MEMORY:
            self.popitem(last=False)


class Summaries:
    """Summaries of the older turns of conversations. May be used from several threads if `kept` may.

    Args:
        provider: The model that summarises; None: nothing is summarised.
        kept: Where summaries are kept, by the hash of the turns that they stand for; left out, the latest in memory.
        catalog: Where the prompt comes from.
    """

    def __init__(
        self,
        provider: Provider | None = None,
        kept: MutableMapping[str, str] | None = None,
        *,
        catalog: Catalog | None = None,
    ) -> None:
        self._provider = provider
        self._kept: MutableMapping[str, str] = _Latest() if kept is None else kept
        self._template = (catalog or Catalog()).template(PROMPT) if provider else None

    def summary(self, turns: Sequence[Message]) -> Summary:
        """Return the summary of turns, oldest first; empty without a model, or where there are none.

        Never fails: where the model does, the newest summary there is stands.
        """
        return taken(self.steps(turns), self._complete)

    def steps(self, turns: Sequence[Message]) -> Steps[Summary]:
        """Return the steps of `summary`, for callers that ask the model themselves."""
        turns = without_refusals(turns)
        if self._provider is None or not turns:
            return Summary("")
        hashes = turn_hashes(turns)
        done = next((n for n in range(len(turns), 0, -1) if hashes[n - 1] in self._kept), 0)
        text = self._kept[hashes[done - 1]] if done else ""
        ends = list(_portions(turns, done))
        note = ""
        if len(ends) > _MOST_PORTIONS:
            first = ends[-_MOST_PORTIONS - 1]
            note = f"{first - done} of the older turns were too many to be summarised, and are left out."
            ends, done = ends[-_MOST_PORTIONS:], first
        for end in ends:
            try:
                reply = yield self._request(text, turns[done:end])
            except ProviderError as error:
                return Summary(text, f"{self._provider.name} could not summarise older turns: {error.message}")
            text = bounded(without_thinking(reply.text)) or text
            self._kept[hashes[end - 1]] = text
            done = end
        return Summary(text, note)

    def _complete(self, request: ChatRequest) -> ChatReply:
        assert self._provider is not None
        return self._provider.complete(request)

    def _request(self, before: str, turns: Sequence[Message]) -> ChatRequest:
        """Return what asks for the summary of what one summary says and the turns after it."""
        assert self._template is not None
        shown = "\n".join(f"{_SAYS[turn.role]}: {_read(turn)}" for turn in turns)
        messages = self._template.fill(summary=before or "(none)", turns=shown)
        return ChatRequest(messages=messages, max_tokens=_MAX_TOKENS)


_SAYS = {"user": "Reader", "assistant": "Assistant", "system": "Note"}


def turn_hashes(turns: Sequence[Message]) -> list[str]:
    """Return, for every turn, the hash of all turns up to it."""
    hashes: list[str] = []
    for turn in turns:
        before = hashes[-1] if hashes else ""
        hashes.append(sha256(canonical([before, turn.role, turn.content])))
    return hashes


def bounded(text: str, longest: int = _LONGEST) -> str:
    """Return a text on one line, cut after a sentence where it is too long."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    ends = [end for _, end in sentence_spans(line) if end <= longest]
    return line[: ends[-1]] if ends else line[:longest].rstrip()


def _read(turn: Message) -> str:
    return " ".join(without_markers(turn.content).split())[:_LONGEST_TURN]


def _portions(turns: Sequence[Message], start: int) -> Iterator[int]:
    """Yield where each portion of the turns from `start` ends: as many as a model is given at once, at least one."""
    size = 0
    for at in range(start, len(turns)):
        length = len(_read(turns[at]))
        if size and size + length > _AT_ONCE:
            yield at
            size = 0
        size += length
    if start < len(turns):
        yield len(turns)
