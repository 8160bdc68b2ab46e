"""A chat model as teacher: many pairs a call, and a ladder of weaker calls for models that fail at that.

Structured output, then a tolerant reading, then one call that repairs the reply, then one pair a call in plain text.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from doceo.core.errors import ReplyInvalid
from doceo.core.protocols import Provider
from doceo.core.records import ChatReply, ChatRequest, Chunk, Document, Draft, Message, Pair
from doceo.text.thinking import without_thinking
from generator.parsing import FORM, parse_pairs
from prompts.catalog import Catalog

_PROMPTS = ("generate_pairs", "repair_json", "one_pair", "reword_question")
_PAIR_TOKENS = 300
_REMEMBERED = 40


class LLMTeacher:
    """Proposes pairs by asking a chat model. Safe for several threads.

    A chunk that is asked for again is told which questions it has already given, so that the same request is not
    sent, and answered from the journal, twice.

    Args:
        provider: The chat model.
        catalog: Where the prompts are; left out, those that ship.
        temperature: 0 takes the likeliest token each time.
        thinking_tokens: Tokens that a reply may use before its first word, for models that reason.
    """

    exhaustive = False

    def __init__(
        self,
        provider: Provider,
        catalog: Catalog | None = None,
        *,
        temperature: float = 0.0,
        thinking_tokens: int = 1024,
    ) -> None:
        catalog = catalog or Catalog()
        self.name = provider.name
        self._templates = {name: catalog.template(name) for name in _PROMPTS}
        self.prompts = {name: template.hash for name, template in self._templates.items()}
        self._provider, self._temperature, self._thinking = provider, temperature, thinking_tokens
        self._asked: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def propose(self, chunk: Chunk, document: Document, n: int) -> list[Draft]:
        """Propose pairs from a chunk: those that the model gave, fewer or more than n.

        An empty list says that the model found nothing worth asking.

        Raises:
            ReplyInvalid: No reply could be read, after a repair and one pair a call.
            ProviderError: The model failed.
        """
        with self._lock:
            asked = list(self._asked.get(chunk.id, ()))
        drafts = self._many(chunk, document, n, asked)
        if drafts is None:
            drafts = self._one_by_one(chunk, document, n, asked)
        with self._lock:
            self._asked.setdefault(chunk.id, []).extend(draft.question for draft in drafts)
        return drafts

    def reword(self, pair: Pair) -> str | None:
        """Return the pair's question in other words, or None where the model gave the same, nothing, or the answer.

        Raises:
            ProviderError: The model failed.
        """
        messages = self._templates["reword_question"].fill(question=pair.question, answer=pair.answer)
        lines = [line for line in self._ask(messages, 200).text.strip().splitlines() if line.strip()]
        question = lines[-1].strip().removeprefix("Question:").strip(" \t\"'“”*`") if lines else ""
        same = _plain(question) == _plain(pair.question)
        told = len(pair.answer) > 3 and _plain(pair.answer) in _plain(question)
        long = len(question) > 3 * len(pair.question) + 80
        return None if not question or same or told or long else question

    def _many(self, chunk: Chunk, document: Document, n: int, asked: Sequence[str]) -> list[Draft] | None:
        """Ask for n pairs in one call; None where nothing could be read."""
        messages = self._templates["generate_pairs"].fill(
            **self._place(chunk, document), passage=chunk.text, n=n, asked=_listed(asked)
        )
        try:
            reply = self._ask(messages, _PAIR_TOKENS * n + 100, form=FORM)
        except ReplyInvalid:
            return None
        parsed = parse_pairs(reply.text, truncated=reply.finish == "length")
        if parsed.readable:
            return parsed.drafts
        if not _has_pairs(reply.text):
            return None
        try:
            repaired = self._ask(
                self._templates["repair_json"].fill(reply=reply.text), _PAIR_TOKENS * n + 100, form=FORM
            )
        except ReplyInvalid:
            return None
        parsed = parse_pairs(repaired.text, truncated=repaired.finish == "length")
        # A repair that finds nothing says only that the first reply held nothing; the passage was not refused.
        return parsed.drafts or None

    def _one_by_one(self, chunk: Chunk, document: Document, n: int, asked: Sequence[str]) -> list[Draft]:
        """Ask for one pair a call, n times, until two calls in a row fail."""
        drafts: list[Draft] = []
        failed = 0
        for _ in range(n):
            known = [*asked, *(draft.question for draft in drafts)]
            messages = self._templates["one_pair"].fill(
                **self._place(chunk, document), passage=chunk.text, asked=_listed(known)
            )
            try:
                reply = self._ask(messages, _PAIR_TOKENS + 100)
                found = parse_pairs(reply.text, truncated=reply.finish == "length").drafts[:1]
            except ReplyInvalid:
                found = []
            if found and _plain(found[0].question) not in {_plain(question) for question in known}:
                drafts += found
                failed = 0
                continue
            failed += 1
            if failed == 2:
                break
        if not drafts:
            raise ReplyInvalid(
                f"{self.name} gave no readable pair for a passage of {document.source}.",
                hint="The passage is left out; if this happens often, take a stronger teacher model.",
            )
        return drafts

    def _ask(self, messages: tuple[Message, ...], tokens: int, form: dict[str, object] | None = None) -> ChatReply:
        request = ChatRequest(
            messages=messages, form=form, temperature=self._temperature, max_tokens=tokens + self._thinking
        )
        reply = self._provider.complete(request)
        return reply.model_copy(update={"text": without_thinking(reply.text)})

    @staticmethod
    def _place(chunk: Chunk, document: Document) -> dict[str, object]:
        title = document.title or document.source
        section = " > ".join(part for part in chunk.heading_path if part and part != title)
        return {"title": title, "section": section or "(none)"}


def _has_pairs(text: str) -> bool:
    """Return whether a reply holds anything that a repair could bring into form."""
    return "{" in text or "question" in text.lower()


def _listed(questions: Sequence[str]) -> str:
    return "".join(f"\n- {question}" for question in questions[-_REMEMBERED:]) or "(none)"


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())


def prompt_hashes(catalog: Catalog | None = None) -> dict[str, str]:
    """Return name and hash of every prompt that the teacher uses."""
    catalog = catalog or Catalog()
    return {name: catalog.template(name).hash for name in _PROMPTS}
