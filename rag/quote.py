"""The answerer that needs no model: it finds the sentence that answers and quotes it, or says that there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy

from doceo.core.records import Answer, Citation, Message, Passage, ProfileEntry, Trace, Usage
from doceo.text.passages import cite
from rag import history as turns
from rag.citations import quoted
from rag.excerpt import excerpts
from rag.reading import Candidate, lead, read
from rag.refusal import NO_QUESTION, NOTHING_FOUND, Gate, refusal, says_nothing, sentence_chance
from rag.retriever import LONGEST_QUERY, HybridRetriever
from rag.searching import search_all
from rag.short import right
from rag.units import units
from rag.weights import fitted


class QuoteAnswerer:
    """An `Answerer` named `quote+rag`.

    Args:
        retriever: Where passages come from; its index gives the embedder, the word weights, the documents.
        k: Passages read.
        gate: The chance of an answer for these documents, and below which one the question is refused; by default what
            was fitted on SQuAD.
        trace: Say how each answer came about.
        clock: Seconds, for `Usage.seconds`.
    """

    name: str = "quote+rag"

    def __init__(
        self,
        retriever: HybridRetriever,
        *,
        k: int = 4,
        gate: Gate | None = None,
        trace: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._retriever, self._index, self._k = retriever, retriever.index, k
        self._gate, self._trace = gate or Gate(fitted().threshold), trace
        self._clock = clock

    def limited(self, sources: Sequence[str]) -> QuoteAnswerer:
        """Return the same answerer over the documents of these sources only."""
        made = copy(self)
        made._retriever = self._retriever.limited(sources)
        return made

    def answer(self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()) -> Answer:
        """Answer one question with a sentence or two of the documents, word for word, whoever asks."""
        began = self._clock()
        question = question[:LONGEST_QUERY]
        queries = turns.weighted_queries(question, history)
        passages, notes = search_all(self._retriever, queries, self._k)
        searched = self._clock()
        answer = self._answer(question, history, passages)
        now = self._clock()
        found: dict[str, object] = {"usage": Usage(cost=0.0, seconds=now - began)}
        if self._trace:
            found["trace"] = Trace(
                queries=tuple(queries),
                rewriting="rules" if len(queries) > 1 else "none",
                notes=(*notes, *([self._gate.note] if self._gate.note else [])),
                seconds={"retrieve": searched - began, "read": now - searched},
            )
        return answer.model_copy(update=found)

    def stream(
        self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()
    ) -> Iterator[str | Citation | Answer]:
        """Yield the text, and then the whole Answer."""
        answer = self.answer(question, history)
        yield answer.text
        yield answer

    def _answer(self, question: str, history: Sequence[Message], passages: Sequence[Passage]) -> Answer:
        hits = tuple(passage.hit for passage in passages)
        if says_nothing(question):
            return refusal(NO_QUESTION, hits)
        candidates = read(question, passages, self._index, turns.leaned_on(question, history))
        if not candidates:
            return refusal(NOTHING_FOUND, hits)
        best = candidates[0]
        shipped = sentence_chance(best)
        chance = self._gate.chance(shipped)
        if chance < (least := self._gate.threshold):
            reason = f"The best sentence answers the question with a chance of {chance:.2f}, below {least:.2f}."
            return refusal(reason, hits).model_copy(update={"chance": chance})
        citations, texts = list[Citation](), list[str]()
        for excerpt in excerpts(candidates, [units(passage.text) for passage in passages]):
            spans = [(excerpt.start, excerpt.end), *([excerpt.header] if excerpt.header else [])]
            numbers = range(len(citations) + 1, len(citations) + len(spans) + 1)
            passage = passages[excerpt.passage]
            citations += [
                quoted(n, passage, *span, self._index.document) for n, span in zip(numbers, spans, strict=True)
            ]
            texts.append(_cited(excerpt.text, *numbers))
        return Answer(
            text=" ".join(texts),
            short=given(candidates, shipped),
            citations=tuple(citations),
            hits=hits,
            chance=chance,
        )


def given(candidates: Sequence[Candidate], chance: float) -> str | None:
    """Return the short answer of the best sentence, where it is sure enough to be shown."""
    short = candidates[0].short
    if candidates[0].feature("fragment"):
        return None
    ahead = lead([candidate.score for candidate in candidates], [candidate.text for candidate in candidates])
    return short.text if short and right(short, chance, ahead) >= fitted().short_threshold else None


def _cited(text: str, *numbers: int) -> str:
    """Return a quotation with its numbers: behind its last sentence, below a piece of code."""
    return f"{text}\n{''.join(f'[{n}]' for n in numbers)}" if text.endswith("```") else cite(text, *numbers)
