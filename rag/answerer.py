"""A model that answers, over documents or alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace

from doceo.core.config import AnswerConfig
from doceo.core.protocols import Provider, Retriever
from doceo.core.records import Answer, ChatReply, ChatRequest, Citation, Document, Message, ProfileEntry, Usage
from rag.asking import Asked, Asking, Tools
from rag.citations import Citing
from rag.compiler import Count, words_as_tokens
from rag.layout import Words
from rag.refusal import is_refusal, refusal, refused_with
from rag.rendering import rendering
from rag.shortfall import shortfall
from rag.steps import Steps, taken
from rag.support import Embed
from rag.writing import Cleaner, Writing

NOT_ASKED = ChatReply(text="", usage=Usage(cost=0.0))
"""Stands for the reply to a question that code refused."""


class ModelAnswerer:
    """An `Answerer`: a provider with a retriever, or without one the model alone.

    Args:
        name: The system's name, such as `base+rag`.
        provider: The model.
        retriever: Where passages come from, in place of that of `tools`; None asks the model alone.
        config: Length, temperature, token budget, trace.
        tools: Search, rewriting, refusal, shield: what stands between the question and the model.
        k: Passages asked of the retriever.
        documents: Gives documents by id, to verify citations; without it they are marked unverified.
        embed: Tells whether a sentence supports a statement in other words; without it, shared words decide.
        count: Counts the tokens of messages; left out, an estimate on the high side.
        context: What the model can read, in tokens, where that is known.
        say: Where a line is said, once, when the model's server does not read the whole prompt.
        clock: Seconds, for `Usage.seconds`.
        secret: What the marks of shields are made from; left out, drawn.
    """

    def __init__(
        self,
        name: str,
        provider: Provider,
        retriever: Retriever | None = None,
        config: AnswerConfig | None = None,
        *,
        tools: Tools | None = None,
        k: int = 4,
        documents: Callable[[str], Document | None] | None = None,
        embed: Embed | None = None,
        count: Count = words_as_tokens,
        context: int | None = None,
        say: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        secret: bytes | None = None,
    ) -> None:
        self.name: str = name
        self.provider = provider
        self._config = config or AnswerConfig()
        self._tools = tools or Tools()
        if retriever is not None:
            self._tools = replace(self._tools, retriever=retriever)
        self._asking = Asking(self._config, self._tools, k=k, count=count, context=context, clock=clock, secret=secret)
        self._documents, self._embed = documents or (lambda _: None), embed
        self._count, self._clock = count, clock
        self._say = say

    def limited(self, sources: Sequence[str]) -> ModelAnswerer:
        """Return the same answerer over the documents of these sources only."""
        made = copy(self)
        made._asking = self._asking.limited(sources)
        return made

    def prepare(self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()) -> Asked:
        """Return the question made ready, so that many can be asked in one batch; `finish` makes the answer of it."""
        return taken(self.steps(question, history, profile), self.provider.complete)

    def steps(
        self,
        question: str,
        history: Sequence[Message] = (),
        profile: Sequence[ProfileEntry] = (),
        words: Words | None = None,
    ) -> Steps[Asked]:
        """Return the steps of `prepare`, for callers that ask the model themselves.

        `words` are those of who asks for the system message, in place of the answerer's own.
        """
        return self._asking.steps(question, history, profile, words)

    def finish(self, asked: Asked, reply: ChatReply, citing: Citing | None = None) -> Answer:
        """Return the answer for a reply: citations verified; a refusal without any.

        Args:
            asked: The question made ready.
            reply: What the model replied; of a question that code refused, only its usage counts.
            citing: The citations of the reply, where they were found while it came.
        """
        if asked.request is None:
            return self._traced(refusal(asked.reason, asked.hits, reply.usage), asked, [])
        text = reply.text.strip()
        if citing is None:  # what came piece by piece is clean already
            writing = self.writing(asked)
            for _ in (*writing.add(reply.text), *writing.end()):
                pass
            text, citing = writing.text.strip(), writing.citing
        notes = self._short_of(asked, reply.usage)
        if self._tools.over_documents and is_refusal(text):
            return self._traced(refusal(refused_with(text), asked.hits, reply.usage), asked, notes)
        answer = Answer(text=text, citations=citing.found, hits=asked.hits, usage=reply.usage)
        return self._traced(answer, asked, [*notes, *_doubts(citing, answer, asked)])

    def answer(self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()) -> Answer:
        """Answer one question. Raises ProviderError. Where the passages do not hold the answer no model is asked."""
        began = self._clock()
        asked = self.prepare(question, history, profile)
        generated = self._clock()
        reply = self.provider.complete(asked.request) if asked.request else NOT_ASKED
        return self._timed(self.finish(asked, reply), began, generated)

    def stream(
        self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()
    ) -> Iterator[str | Citation | Answer]:
        """Yield the text piece by piece, each citation as soon as it is sure, and at the end the whole Answer.

        `Answer.usage` is what the provider tells at the end of its stream; where it tells no tokens, `count` counts
        them. Raises ProviderError.
        """
        began = self._clock()
        asked = self.prepare(question, history, profile)
        generated = self._clock()
        if asked.request is None:
            answer = self._timed(self.finish(asked, NOT_ASKED), began, generated)
            yield answer.text
            yield answer
            return
        writing, told = self.writing(asked), None
        for piece in self.provider.stream(asked.request):
            if isinstance(piece, ChatReply):
                told = piece
            else:
                yield from writing.add(piece)
        yield from writing.end()
        yield self._timed(self.written(asked, writing, told), began, generated)

    def writing(self, asked: Asked) -> Writing:
        """Return what takes the model's reply piece by piece; `written` makes the answer of it."""
        cleaners: list[Cleaner] = []
        if asked.shield is not None:
            cleaners.append(asked.shield.restorer())
        if self._tools.over_documents:
            cleaners.append(rendering(asked.passages))
        citing = Citing(asked.passages, self._documents, self._embed, question=asked.question)
        return Writing(cleaners, citing, refusable=self._tools.over_documents)

    def written(self, asked: Asked, writing: Writing, told: ChatReply | None) -> Answer:
        """Return the answer that was written; `told` is the whole reply, where the provider has told it."""
        assert asked.request is not None
        reply = self.counted(asked.request, writing.text, told or ChatReply(text=writing.text))
        return self.finish(asked, reply, writing.citing)

    def counted(self, request: ChatRequest, text: str, told: ChatReply) -> ChatReply:
        """Return a reply with its text as it was shown, and its tokens counted where nobody told them."""
        usage = told.usage
        if not usage.prompt_tokens and not usage.completion_tokens:
            prompt, said = self._count(request.messages), self._count([Message(role="assistant", content=text)])
            usage = usage.model_copy(update={"prompt_tokens": prompt, "completion_tokens": said})
        return told.model_copy(update={"text": text, "usage": usage})

    def _short_of(self, asked: Asked, usage: Usage) -> list[str]:
        """Return a note where the server read less than it was sent, and say it once."""
        assert asked.request is not None
        note = shortfall(asked.request.messages, asked.trace.counted_tokens, usage.prompt_tokens, self.provider.name)
        if note and self._say is not None:
            say, self._say = self._say, None
            say(note)
        return [note] if note else []

    def _traced(self, answer: Answer, asked: Asked, notes: Sequence[str]) -> Answer:
        found: dict[str, object] = {"chance": asked.chance}
        if self._config.trace:
            found["trace"] = asked.trace.model_copy(update={"notes": (*asked.trace.notes, *notes)})
        return answer.model_copy(update=found)

    def _timed(self, answer: Answer, began: float, generated: float) -> Answer:
        now = self._clock()
        return timed(answer, now - began, now - generated)


def timed(answer: Answer, seconds: float, generating: float) -> Answer:
    """Return a model's answer with the seconds that it took, and how many of them were for generating."""
    found: dict[str, object] = {"usage": answer.usage.model_copy(update={"seconds": seconds})}
    if answer.trace is not None and answer.trace.counted_tokens is not None:
        steps = answer.trace.seconds | {"generate": generating}
        found["trace"] = answer.trace.model_copy(update={"seconds": steps})
    return answer.model_copy(update=found)


def _doubts(citing: Citing, answer: Answer, asked: Asked) -> list[str]:
    """Return what is to be said of an answer's citations."""
    notes = []
    if citing.unknown:
        notes.append(f"The answer cites {', '.join(f'[{n}]' for n in citing.unknown)}, which no passage has.")
    if asked.passages and not answer.citations:
        notes.append("The answer cites no passage.")
    return notes
