"""A model that answers, over documents or alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from doceo.core.config import AnswerConfig
from doceo.core.protocols import Provider, Retriever
from doceo.core.records import Answer, ChatReply, ChatRequest, Document, Message, Passage, Usage
from rag import history as turns
from rag.citations import cited
from rag.compiler import Count, compile_prompt, words_as_tokens
from rag.refusal import is_refusal, refusal

_READS = 8192
"""Most tokens used of what a model can read, where the config does not say."""
NOTHING_FOUND = "No passage of the documents matches the question."
MODEL_REFUSED = "The model did not find the answer in the passages."


class ModelAnswerer:
    """An `Answerer`: a provider with a retriever, or without one the model alone.

    Args:
        name: The system's name, such as `base+rag`.
        provider: The model.
        retriever: Where passages come from; None asks the model alone.
        config: Length, temperature, token budget.
        k: Passages asked of the retriever.
        documents: Gives documents by id, to verify citations; without it they are marked unverified.
        count: Counts the tokens of messages; left out, an estimate on the high side.
        context: What the model can read, in tokens, where that is known.
        clock: Seconds, for `Usage.seconds`.
    """

    def __init__(
        self,
        name: str,
        provider: Provider,
        retriever: Retriever | None = None,
        config: AnswerConfig | None = None,
        *,
        k: int = 4,
        documents: Callable[[str], Document | None] | None = None,
        count: Count = words_as_tokens,
        context: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name: str = name
        self.provider, self._retriever = provider, retriever
        self._config = config or AnswerConfig()
        self._k, self._count, self._clock = k, count, clock
        self._documents = documents or (lambda _: None)
        reads = self._config.context_tokens or min(context or _READS, _READS)
        # a prompt needs some room, however small the model and however long an answer is allowed
        self._budget = max(reads - self._config.max_tokens, reads // 2)

    def prepare(self, question: str, history: Sequence[Message] = ()) -> tuple[ChatRequest, list[Passage]]:
        """Return the request for a question and the passages in it, so that many can be asked in one batch.

        `finish` makes the answer of the reply.
        """
        kept = turns.without_refusals(history)
        found = turns.search(self._retriever, question, kept, self._k) if self._retriever else []
        messages, passages = compile_prompt(question, found, kept, self._count, self._budget)
        request = ChatRequest(
            messages=messages, temperature=self._config.temperature, max_tokens=self._config.max_tokens
        )
        return request, passages

    def finish(self, question: str, reply: ChatReply, passages: Sequence[Passage]) -> Answer:
        """Return the answer for a reply: citations verified; a refusal, or nothing found, without any."""
        hits = tuple(passage.hit for passage in passages)
        if self._retriever is not None and not passages:
            return refusal(NOTHING_FOUND, usage=reply.usage)
        text = reply.text.strip()
        if self._retriever is not None and is_refusal(text):
            return refusal(MODEL_REFUSED, hits, reply.usage)
        return Answer(text=text, citations=cited(text, passages, self._documents), hits=hits, usage=reply.usage)

    def answer(self, question: str, history: Sequence[Message] = ()) -> Answer:
        """Answer one question. Raises ProviderError. Where no passage is found the model is not asked."""
        began = self._clock()
        request, passages = self.prepare(question, history)
        if self._retriever is not None and not passages:
            return refusal(NOTHING_FOUND, usage=Usage(seconds=self._clock() - began))
        reply = self.provider.complete(request)
        answer = self.finish(question, reply, passages)
        return answer.model_copy(update={"usage": answer.usage.model_copy(update={"seconds": self._clock() - began})})

    def stream(self, question: str, history: Sequence[Message] = ()) -> Iterator[str | Answer]:
        """Yield the text piece by piece, and at the end the whole Answer. Raises ProviderError.

        Tokens are counted by `count`, since a stream does not carry the provider's own numbers.
        """
        began = self._clock()
        request, passages = self.prepare(question, history)
        if self._retriever is not None and not passages:
            answer = refusal(NOTHING_FOUND, usage=Usage(seconds=self._clock() - began))
            yield answer.text
            yield answer
            return
        pieces: list[str] = []
        for piece in self.provider.stream(request):
            pieces.append(piece)
            yield piece
        text = "".join(pieces)
        usage = Usage(
            prompt_tokens=self._count(request.messages),
            completion_tokens=self._count([Message(role="assistant", content=text)]),
            seconds=self._clock() - began,
        )
        yield self.finish(question, ChatReply(text=text, usage=usage), passages)
