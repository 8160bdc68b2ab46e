"""A chat model as teacher: many pairs a call, and a ladder of weaker calls for models that fail at that.

Structured output, then a tolerant reading, then the same asked again with what was wrong, then one pair a call in
plain text. Nothing is remembered between calls: what is proposed depends on the order alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.errors import ReplyInvalid
from doceo.core.protocols import AsyncProvider
from doceo.core.records import ChatReply, ChatRequest, Document, Draft, Order, OrderForm, Pair
from generator.forms import example, schema
from generator.parsing import parse
from generator.replies import ask, unread
from generator.shown import amount, language_name, listed, passages, samples, wanted
from prompts.catalog import Catalog

PROMPTS: dict[OrderForm, str] = {
    "pairs": "generate_pairs",
    "multi-hop": "multi_hop",
    "multi-turn": "multi_turn",
    "unanswerable": "unanswerable",
}
"""The prompt of every form of order."""
_SEVERAL: dict[OrderForm, str] = {
    "pairs": "each about a different fact, spread from the beginning to the end of the passage",
    "unanswerable": "each about a different thing",
}
"""What holds where an order is for several."""
_OTHERS = ("ask_again", "one_pair", "reword_question")
_PAIR_TOKENS = 300
_RATIONALE_TOKENS = 200
_REASONING = (
    '\nIn "rationale", before the answer, write the steps that lead to it: one to four short plain sentences that '
    "state the facts used and what follows from them, as good to read alone as the answer, without a word on passage "
    "or quotes."
)


class LLMTeacher:
    """Proposes pairs by asking a chat model.

    A chunk that is asked for again is told, by the order, which questions it has already given, so that the same
    request is not sent, and answered from the journal, twice.

    Args:
        provider: The chat model.
        catalog: Where the prompts are; left out, those that ship.
        temperature: 0 takes the likeliest token each time.
        thinking_tokens: Tokens that a reply may use before its first word, for models that reason.
        reasoning: Have the steps written beside each answer.
        examples: A few pairs of the user's own that show what is wanted: `question`, `answer`, perhaps `rationale`.
    """

    exhaustive = False

    def __init__(
        self,
        provider: AsyncProvider,
        catalog: Catalog | None = None,
        *,
        temperature: float = 0.0,
        thinking_tokens: int = 1024,
        reasoning: bool = False,
        examples: Sequence[Mapping[str, str]] = (),
    ) -> None:
        catalog = catalog or Catalog()
        self.name = provider.name
        self._templates = {name: catalog.template(name) for name in (*PROMPTS.values(), *_OTHERS)}
        self.prompts = {name: template.hash for name, template in self._templates.items()}
        self._provider, self._temperature, self._thinking = provider, temperature, thinking_tokens
        self._reasoning, self._examples = reasoning, tuple(examples)

    async def propose(self, order: Order, documents: Mapping[str, Document]) -> list[Draft]:
        """Propose what an order asks for: what the model gave, fewer or more than `order.n`.

        An empty list says that the model found nothing worth asking.

        Raises:
            ReplyInvalid: No reply could be read, after asking again and after asking for one pair a call.
            ProviderError: The model failed.
        """
        try:
            return await self._many(order, documents)
        except ReplyInvalid:
            return await self._one_by_one(order, documents)

    async def reword(self, pair: Pair) -> str | None:
        """Return the pair's question in other words, or None where the model gave the same, nothing, or the answer.

        A turn of a conversation is not reworded: alone it means nothing.

        Raises:
            ProviderError: The model failed.
        """
        if pair.history:
            return None
        messages = self._templates["reword_question"].fill(question=pair.question, answer=pair.answer)
        request = ChatRequest(messages=messages, temperature=self._temperature, max_tokens=200 + self._thinking)
        try:
            text = await ask(self._provider, request, lambda reply: reply.text, self._templates["ask_again"])
        except ReplyInvalid:
            return None
        lines = [line for line in text.splitlines() if line.strip()]
        question = lines[-1].strip().removeprefix("Question:").strip(" \t\"'“”*`")
        same = _plain(question) == _plain(pair.question)
        told = len(pair.answer) > 3 and _plain(pair.answer) in _plain(question)
        long = len(question) > 3 * len(pair.question) + 80
        return None if not question or same or told or long else question

    async def _many(self, order: Order, documents: Mapping[str, Document], *, plain: bool = False) -> list[Draft]:
        """Ask for all in one call; `plain` leaves the JSON schema out. Raises ReplyInvalid."""
        template = self._templates[PROMPTS[order.form]]
        reasoning = self._reasoning and order.form != "unanswerable"
        values: dict[str, object] = {
            "passages": passages(order.chunks, documents),
            "n": amount(order.n, _SEVERAL.get(order.form, "")),
            "known": listed(order.known),
            "language": language_name(order.language),
            "examples": samples(self._examples, reasoning=reasoning),
            "form": example(order.form, reasoning=reasoning),
        }
        if order.form != "unanswerable":
            values["reasoning"] = _REASONING if reasoning else ""
        if order.form == "pairs":
            values["kinds"] = wanted(order.kinds, order.n)
        tokens = (_PAIR_TOKENS + reasoning * _RATIONALE_TOKENS) * order.n + 100 + self._thinking
        request = ChatRequest(
            messages=template.fill(**values),
            form=None if plain else schema(order.form, reasoning=reasoning),
            temperature=self._temperature,
            max_tokens=tokens,
        )
        return await ask(self._provider, request, lambda reply: _read(reply, order.form), self._templates["ask_again"])

    async def _one_by_one(self, order: Order, documents: Mapping[str, Document]) -> list[Draft]:
        """Ask for one pair a call, n times, until two calls in a row fail; other forms once, without a schema."""
        if order.form != "pairs":
            least = order.model_copy(update={"n": min(order.n, 2 if order.form == "multi-turn" else 1)})
            return await self._many(least, documents, plain=True)
        drafts: list[Draft] = []
        failed = 0
        for _ in range(order.n):
            known = [*order.known, *(draft.question for draft in drafts)]
            draft = await self._one(order, documents, known)
            if draft is not None and _plain(draft.question) not in {_plain(question) for question in known}:
                drafts.append(draft)
                failed = 0
                continue
            failed += 1
            if failed == 2:
                break
        if not drafts:
            source = documents[order.chunk.document_id].source
            raise ReplyInvalid(
                f"{self.name} gave no readable pair for a passage of {source}.",
                hint="The passage is left out; if this happens often, take a stronger teacher model.",
            )
        return drafts

    async def _one(self, order: Order, documents: Mapping[str, Document], known: Sequence[str]) -> Draft | None:
        messages = self._templates["one_pair"].fill(
            passages=passages(order.chunks, documents), known=listed(known), language=language_name(order.language)
        )
        tokens = _PAIR_TOKENS + 100 + self._thinking
        request = ChatRequest(messages=messages, temperature=self._temperature, max_tokens=tokens)
        try:
            drafts = await ask(
                self._provider, request, lambda reply: _read(reply, order.form), self._templates["ask_again"]
            )
        except ReplyInvalid:
            return None
        return drafts[0] if drafts else None


def _read(reply: ChatReply, form: OrderForm) -> list[Draft]:
    """Return a reply's drafts. Raises ReplyInvalid with what is wrong with it."""
    cut = reply.finish == "length"
    parsed = parse(reply.text, form, truncated=cut)
    if parsed.readable and (parsed.drafts or not cut):
        return parsed.drafts
    if cut:
        raise unread("it broke off before its first pair was complete; write fewer and shorter ones.")
    raise unread(f"{'; '.join(parsed.failures[:3])}.")


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())


def prompt_hashes(catalog: Catalog | None = None) -> dict[str, str]:
    """Return name and hash of every prompt that the teacher uses."""
    catalog = catalog or Catalog()
    return {name: catalog.template(name).hash for name in (*PROMPTS.values(), *_OTHERS)}
