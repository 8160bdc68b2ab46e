"""Roundtrip consistency: would someone else, given the same passages, give the same answer?

Keeping a pair only if a reader of its passage gives the same answer is from Alberti et al. 2019 (arXiv 1906.05416).
The same calls tell how hard the pair is, and whether its question means one thing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from doceo.core.config import GateConfig
from doceo.core.errors import ReplyInvalid
from doceo.core.protocols import AsyncProvider
from doceo.core.records import ChatReply, ChatRequest, Chunk, Difficulty, Message, Pair, Verdict
from generator.agreement import Agreement, agree, is_no_answer, overlap, roots
from generator.corpus import Checked, Corpus
from generator.replies import ask, unread
from generator.shown import conversation, passages
from generator.support import unsupported
from prompts.catalog import Catalog

_PROMPTS = ("answer_from_passages", "answer_from_memory", "compare_answers", "ask_again")
_ANSWER_TOKENS = 400
_WORD_TOKENS = 20
_SHOWN = 120
_NEAREST = 4
_NAMED = 0.5


class Nearest(Protocol):
    """Finds the passages that are like a question."""

    def like(self, question: str, n: int, without: Collection[Chunk] = ()) -> list[Chunk]:
        """Return up to n chunks, best first; none of the text of those in `without`."""
        ...


@dataclass(frozen=True)
class _Compared:
    """An answer, whether it says the same as the pair's, and whether a model had to be asked for that."""

    given: str
    same: bool
    by_model: bool = False


class Roundtrip:
    """Checks pairs by having their questions answered again.

    - open-book: the reader is given the pair's passages alone. Another answer, or none, rejects the pair:
      `roundtrip_open_book`. An unanswerable pair is given the passages that were searched; an answer from them
      rejects it: `answerable_after_all`.
    - wrong-chunk: the reader is given the passage of the corpus that is most like the question, beside the pair's
      own, if it has at least half of the words that the question names. No answer from it is right; the same answer
      is right too, since the fact stands there as well; another answer that the passage supports says that the
      question means two things: `ambiguous`. Questions of a conversation, which mean nothing alone, are left out.
    - closed-book: the student is given no passage. What it knows is easy.

    Answers are compared by rule (`generator.agreement`); only where that is unclear is the reader asked whether they
    say the same. Scores are 1 or 0: `open_book` (agreed), `wrong_chunk` (the other passage gives the same answer),
    `closed_book` (the student knew); `agreement` is the word overlap, where that made the open-book answer agree.
    Difficulty: easy where the student knew; else hard where the pair needs several passages or the reader's answer
    agreed only in a model's eyes; else medium.

    An open-book reply that cannot be read, twice, rejects the pair: `roundtrip_unreadable`; elsewhere it tells nothing.

    Args:
        reader: Answers from passages, and compares.
        corpus: Where the passages of a pair are.
        student: Answers without passages; left out, the reader.
        catalog: Where the prompts are; left out, those that ship.
        config: Where the line is drawn.
        search: Finds the wrong passage; None leaves that check out.
        private: Ids of documents that may not be sent to these models; a pair of one passes unchecked.
        thinking_tokens: Tokens that a reply may use before its first word.
    """

    def __init__(
        self,
        reader: AsyncProvider,
        corpus: Corpus,
        *,
        student: AsyncProvider | None = None,
        catalog: Catalog | None = None,
        config: GateConfig | None = None,
        search: Nearest | None = None,
        private: Collection[str] = (),
        thinking_tokens: int = 1024,
    ) -> None:
        catalog = catalog or Catalog()
        self._templates = {name: catalog.template(name) for name in _PROMPTS}
        self.prompts = {name: template.hash for name, template in self._templates.items()}
        self._reader, self._student, self._corpus = reader, student or reader, corpus
        self._config, self._search = config or GateConfig(), search
        self._private, self._thinking = frozenset(private), thinking_tokens

    async def check(self, pair: Pair) -> Checked:
        """Check one pair. Raises ProviderError."""
        chunks = [self._corpus.chunk[one] for one in pair.chunk_ids if one in self._corpus.chunk]
        if not chunks or chunks[0].document_id in self._private:
            return Checked()
        chunks = [chunk for chunk in chunks if chunk.document_id not in self._private]
        try:
            return await (self._answered(pair, chunks) if pair.answerable else self._unanswered(pair, chunks))
        except ReplyInvalid as error:
            return Checked(_reject("roundtrip_unreadable", error.message))

    async def _unanswered(self, pair: Pair, chunks: Sequence[Chunk]) -> Checked:
        given = await self._read(pair, chunks)
        found = not is_no_answer(given)
        verdict = _reject("answerable_after_all", f"answered from the passages searched: {_short(given)}")
        return Checked(verdict if found else None, {"open_book": float(not found)})

    async def _answered(self, pair: Pair, chunks: Sequence[Chunk]) -> Checked:
        opened = await self._compare(pair, await self._read(pair, chunks))
        scores = {"open_book": float(opened.same)}
        if not opened.same:
            return Checked(_reject("roundtrip_open_book", _both(pair, opened)), scores)
        shared = None if opened.by_model else overlap(pair.question, pair.answer, opened.given)
        if shared is not None:
            scores["agreement"] = round(shared, 4)
        wrong = None if pair.history else self._nearest(pair, chunks)
        if wrong is not None:
            try:
                elsewhere = await self._elsewhere(pair, wrong)
            except ReplyInvalid:
                elsewhere = None
            scores["wrong_chunk"] = float(elsewhere is not None and elsewhere.same)
            if elsewhere is not None and not elsewhere.same:
                place = self._corpus.document[wrong.document_id].source
                detail = f"{_both(pair, elsewhere)}, from {wrong.id} of {place}"
                return Checked(_reject("ambiguous", detail), scores)
        known = await self._known(pair)
        scores["closed_book"] = float(known)
        return Checked(None, scores, _difficulty(pair, opened, known))

    async def _known(self, pair: Pair) -> bool:
        """Return whether the student answers right without any passage."""
        template = self._templates["answer_from_memory"]
        messages = template.fill(history=conversation(pair.history), question=pair.question)
        try:
            given = await self._ask(self._student, messages, _ANSWER_TOKENS)
            return (await self._compare(pair, given)).same
        except ReplyInvalid:
            return False

    async def _elsewhere(self, pair: Pair, chunk: Chunk) -> _Compared | None:
        """Return the answer that another passage gives, or None where it gives none that it supports."""
        source = "\n".join([chunk.text, *chunk.heading_path, self._corpus.document[chunk.document_id].title])
        asked = roots(pair.question)
        if len(asked & roots(source)) < _NAMED * len(asked):
            return None
        given = await self._read(pair, [chunk])
        if is_no_answer(given):
            return None
        found = agree(pair.question, pair.answer, given, self._config.agreement)
        if found is Agreement.SAME:
            return _Compared(given, same=True)
        if unsupported(given, source, pair.question, self._config.support):
            return None
        return await self._compare(pair, given)

    async def _read(self, pair: Pair, chunks: Sequence[Chunk]) -> str:
        messages = self._templates["answer_from_passages"].fill(
            passages=passages(chunks, self._corpus.document),
            history=conversation(pair.history),
            question=pair.question,
        )
        return await self._ask(self._reader, messages, _ANSWER_TOKENS)

    async def _compare(self, pair: Pair, given: str) -> _Compared:
        found = agree(pair.question, pair.answer, given, self._config.agreement)
        if found is not Agreement.UNCLEAR:
            return _Compared(given, found is Agreement.SAME)
        messages = self._templates["compare_answers"].fill(
            history=conversation(pair.history), question=pair.question, first=pair.answer, second=given
        )
        request = self._request(messages, _WORD_TOKENS)
        same = await ask(self._reader, request, _said_same, self._templates["ask_again"])
        return _Compared(given, same, by_model=True)

    def _nearest(self, pair: Pair, chunks: Sequence[Chunk]) -> Chunk | None:
        if self._search is None:
            return None
        found = self._search.like(pair.question, _NEAREST, chunks)
        return next((chunk for chunk in found if chunk.document_id not in self._private), None)

    async def _ask(self, provider: AsyncProvider, messages: tuple[Message, ...], tokens: int) -> str:
        request = self._request(messages, tokens)
        return await ask(provider, request, lambda reply: reply.text, self._templates["ask_again"])

    def _request(self, messages: tuple[Message, ...], tokens: int) -> ChatRequest:
        return ChatRequest(messages=messages, max_tokens=tokens + self._thinking)


def prompt_hashes(catalog: Catalog | None = None) -> dict[str, str]:
    """Return name and hash of every prompt that the check uses."""
    catalog = catalog or Catalog()
    return {name: catalog.template(name).hash for name in _PROMPTS}


def _said_same(reply: ChatReply) -> bool:
    """Return whether a reply says SAME. Raises ReplyInvalid where it says neither that nor DIFFERENT, or both."""
    said = reply.text.upper()
    same, different = "SAME" in said, "DIFFERENT" in said
    if same == different:
        raise unread("it has to be one word, SAME or DIFFERENT.")
    return same


def _difficulty(pair: Pair, opened: _Compared, known: bool) -> Difficulty:
    if known:
        return "easy"
    return "hard" if pair.kind == "multi-hop" or opened.by_model else "medium"


def _both(pair: Pair, other: _Compared) -> str:
    return f"the pair says {_short(pair.answer)}, the passage read again {_short(other.given)}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _SHOWN else flat[:_SHOWN] + "...")


def _reject(reason: str, detail: str) -> Verdict:
    return Verdict(accepted=False, reason=reason, detail=detail)
