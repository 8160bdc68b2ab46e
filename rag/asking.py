"""From a question in its conversation to the request for a model: search, refusal, summary, prompt."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from hashlib import blake2b

from doceo.core.config import AnswerConfig
from doceo.core.fingerprint import canonical
from doceo.core.protocols import Retriever
from doceo.core.records import ChatRequest, Hit, Message, Passage, ProfileEntry, Trace
from rag import history as turns
from rag.compiler import Budget, Count, Parts, Shield, compile_prompt, words_as_tokens
from rag.layout import Words
from rag.refusal import NOTHING_FOUND, OPEN, Gate
from rag.rewriting import Rewriter
from rag.searching import Limitable, search_all
from rag.steps import Steps
from rag.summary import Summaries

_READS = 8192
"""Most tokens used of what a model can read, where the config does not say and nothing is pinned."""


@dataclass(frozen=True)
class Tools:
    """What a model that answers is given beside the model; each may be left out.

    Attributes:
        retriever: Where passages come from; None asks the model alone, or over the pinned passages.
        pinned: Passages that stand in front of every question.
        rewriter: Makes follow-ups stand alone for the search; left out, they are searched as they stand.
        summaries: Says in short what the turns said that are not shown; left out, those are forgotten.
        chance: The shipped chance of passages holding the answer to a question; left out, nothing is refused.
        gate: The calibrated chance, and below which one the model is not asked.
        shield: Makes the shield of a request from its nonce; left out, passages stand as in training rows.
        words: Words of the user's own in the system message; left out, ours.
        version: Of the documents, so that the marks of a shield are new when those change.
    """

    retriever: Retriever | None = None
    pinned: Sequence[Passage] = ()
    rewriter: Rewriter | None = None
    summaries: Summaries | None = None
    chance: Callable[[str, Sequence[Passage]], float] | None = None
    gate: Gate = OPEN
    shield: Callable[[str], Shield] | None = None
    words: Words | None = None
    version: str = ""

    @property
    def over_documents(self) -> bool:
        """Whether there are documents to answer from."""
        return self.retriever is not None or bool(self.pinned)

    def limited(self, sources: Sequence[str]) -> Tools:
        """Return the same tools over the documents of these sources only."""
        assert self.retriever is None or isinstance(self.retriever, Limitable)
        names = frozenset(sources)
        return replace(
            self,
            retriever=self.retriever.limited(sources) if self.retriever is not None else None,
            pinned=tuple(passage for passage in self.pinned if passage.hit.source in names),
        )


@dataclass(frozen=True)
class Asked:
    """A question made ready for its model, or refused without it.

    Attributes:
        question: The question.
        request: What the model is asked; None where code refused, `reason` says why.
        passages: Passage n of the prompt is `passages[n - 1]`.
        hits: What was found, best first.
        chance: That of the passages holding an answer, where it was worked out.
        trace: How it came about so far.
    """

    question: str
    request: ChatRequest | None
    passages: list[Passage]
    hits: tuple[Hit, ...]
    chance: float | None
    reason: str
    trace: Trace
    shield: Shield | None = None


def prompt_budget(config: AnswerConfig, context: int | None) -> int:
    """Return the most tokens of a prompt to a model that reads `context`, or an unknown number of tokens."""
    reads = config.context_tokens or min(context or _READS, _READS)
    # a prompt needs some room, however small the model and however long an answer is allowed
    return max(reads - config.max_tokens, reads // 2)


class Asking:
    """Makes questions ready. Safe for several threads where its tools are.

    Args:
        config: Length, temperature, token budget.
        tools: Search, rewriting, refusal, shield.
        k: Passages asked of the retriever.
        count: Counts the tokens of messages; left out, an estimate on the high side.
        context: What the model can read, in tokens, where that is known.
        clock: Seconds.
        secret: Makes nonces that nobody can foresee, at most 64 bytes; left out, drawn for this process.
    """

    def __init__(
        self,
        config: AnswerConfig,
        tools: Tools,
        *,
        k: int,
        count: Count = words_as_tokens,
        context: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
        secret: bytes | None = None,
    ) -> None:
        self._config, self._tools, self._k, self._count, self._clock = config, tools, k, count, clock
        self._secret = secrets.token_bytes(32) if secret is None else secret
        self._budget = Budget.of(prompt_budget(config, context), config.history_tokens)

    def limited(self, sources: Sequence[str]) -> Asking:
        """Return the same over the documents of these sources only."""
        made = copy(self)
        made._tools = self._tools.limited(sources)
        return made

    def steps(
        self,
        question: str,
        history: Sequence[Message],
        profile: Sequence[ProfileEntry],
        words: Words | None = None,
    ) -> Steps[Asked]:
        """Search, decide, and lay out the prompt; the model is asked where it rewrites or summarises.

        Where it cannot, a note says so. `words` take the place of those of the tools.
        """
        tools, took = self._tools, _Took(self._clock)
        kept = turns.without_refusals(history)
        queries, by, notes = {question: 1.0}, "none", list[str]()
        if tools.retriever is not None and tools.rewriter is not None and history:
            # with what was refused: a question without an answer can be gone on from too
            rewritten = yield from tools.rewriter.steps(question, history)
            queries, by = dict(zip(rewritten.queries, rewritten.weights, strict=True)), rewritten.by
            notes += [rewritten.note] if rewritten.note else []
            took.note("rewrite")
        found: list[Passage] = []
        if tools.retriever is not None:
            found, said = search_all(tools.retriever, queries, self._k)
            notes += said
            took.note("retrieve")
        chance, reason = self._decided(queries, found, notes)
        hits = tuple(passage.hit for passage in found)
        trace = Trace(queries=tuple(queries) if tools.retriever else (), rewriting=by)
        if reason:
            trace = trace.model_copy(update={"notes": tuple(notes), "seconds": took.seconds})
            return Asked(question, None, [], hits, chance, reason, trace)
        older, shown = turns.window(kept, self._count, self._budget.turns) if kept else ([], [])
        summary = yield from self._summarised(older, notes)
        if summary:
            took.note("summarise")
        parts = Parts(question, found, tools.pinned, summary, shown, len(older), profile, words or tools.words)
        shield = tools.shield(self._nonce(kept, question)) if tools.shield and tools.over_documents else None
        prompt = compile_prompt(parts, self._count, self._budget, shield)
        request = ChatRequest(
            messages=prompt.messages, temperature=self._config.temperature, max_tokens=self._config.max_tokens
        )
        counted = self._count(prompt.messages)
        took.note("compile")
        trace = trace.model_copy(
            update={
                "segments": prompt.segments,
                "counted_tokens": counted,
                "notes": tuple(notes),
                "seconds": took.seconds,
            }
        )
        return Asked(question, request, prompt.passages, hits, chance, "", trace, shield)

    def _summarised(self, older: Sequence[Message], notes: list[str]) -> Steps[str]:
        if self._tools.summaries is None or not older:
            return ""
        found = yield from self._tools.summaries.steps(older)
        notes += [found.note] if found.note else []
        return found.text

    def _decided(
        self, queries: Mapping[str, float], found: Sequence[Passage], notes: list[str]
    ) -> tuple[float | None, str]:
        """Return the chance that what was found holds an answer, and why the question is refused, if it is."""
        tools = self._tools
        if tools.retriever is None or tools.pinned:
            return None, ""
        if not found:
            return None, NOTHING_FOUND
        if tools.chance is None:
            return None, ""
        # each wording counts as much as it is likely to be what is meant
        chance = tools.gate.chance(sum(weight * tools.chance(query, found) for query, weight in queries.items()))
        notes += [tools.gate.note] if tools.gate.note else []
        return chance, tools.gate.reason(chance)

    def _nonce(self, kept: Sequence[Message], question: str) -> str:
        """Return what nobody who wrote a document can foresee: another one for every question in its conversation.

        The same request has the same one, so that a journal finds its reply again. Where marks stand in the beginning
        of the prompt, one for each question would keep every server from keeping that beginning: there it is one for a
        conversation's first question, or for the documents that stand in front of them all.
        """
        told = [self._tools.version]
        if self._config.datamarking and not self._tools.pinned:
            told.append(next((turn.content for turn in kept if turn.role == "user"), question))
        elif not self._tools.pinned:
            told += [*(turn.content for turn in kept), question]
        return blake2b(canonical(told).encode(), key=self._secret, digest_size=16).hexdigest()


class _Took:
    """Seconds of each step, one after the other."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._last = clock, clock()
        self.seconds: dict[str, float] = {}

    def note(self, step: str) -> None:
        now = self._clock()
        self.seconds[step] = now - self._last
        self._last = now
