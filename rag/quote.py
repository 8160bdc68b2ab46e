"""The answerer that needs no model: it finds the sentence that answers and quotes it, or says that there is none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

from doceo.core.records import Answer, Citation, Message, Passage, ProfileEntry, Trace, Usage
from doceo.text.passages import cite
from doceo.text.sentences import sentences
from rag import history as turns
from rag.citations import quoted
from rag.reading import Candidate, lead, read
from rag.refusal import NOTHING_FOUND, Gate, refusal, sentence_chance
from rag.retriever import LONGEST_QUERY, HybridRetriever
from rag.searching import search_all
from rag.short import right
from rag.weights import fitted

_LEANS = re.compile(
    r"\W*(?:it|its|they|their|them|this|that|these|those|he|she|his|her|such|here|there|also|thus|then|so)\b", re.I
)
_MARK = re.compile(r"^(?:[-*+•>#]+|\d{1,3}[.)])\s+")
_MOST_WORDS = 60
"""Most words of a quotation of two sentences."""
_CLOSE, _ADDS = 0.7, 0.15
"""A second sentence is quoted where its score is this near the best and it covers this much more of the question."""


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

    def answer(self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()) -> Answer:
        """Answer one question with a sentence or two of the documents, word for word, whoever asks."""
        began = self._clock()
        question = question[:LONGEST_QUERY]
        queries = turns.weighted_queries(question, history)
        passages, notes = search_all(self._retriever, queries, self._k)
        searched = self._clock()
        answer = self._answer(question, history, passages)
        now = self._clock()
        found: dict[str, object] = {"usage": Usage(seconds=now - began)}
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
        candidates = read(question, passages, self._index, turns.leaned_on(question, history))
        if not candidates:
            return refusal(NOTHING_FOUND, hits)
        best = candidates[0]
        shipped = sentence_chance(best)
        chance = self._gate.chance(shipped)
        if chance < (least := self._gate.threshold):
            reason = f"The best sentence answers the question with a chance of {chance:.2f}, below {least:.2f}."
            return refusal(reason, hits).model_copy(update={"chance": chance})
        citations = tuple(
            quoted(n, passages[at], start, end, self._index.document)
            for n, (at, start, end) in enumerate(_chosen(candidates, passages), 1)
        )
        return Answer(
            text=" ".join(cite(_shown(citation), citation.n) for citation in citations),
            short=given(candidates, shipped),
            citations=citations,
            hits=hits,
            chance=chance,
        )


def given(candidates: Sequence[Candidate], chance: float) -> str | None:
    """Return the short answer of the best sentence, where it is sure enough to be shown."""
    short = candidates[0].short
    ahead = lead([candidate.score for candidate in candidates])
    return short.text if short and right(short, chance, ahead) >= fitted().short_threshold else None


def _chosen(candidates: Sequence[Candidate], passages: Sequence[Passage]) -> list[tuple[int, int, int]]:
    """Return (passage, start, end) of what is quoted: the best sentence and what it needs to be understood."""
    best = candidates[0]
    before = _sentence_before(best, passages[best.passage])
    if (
        before is not None
        and _LEANS.match(best.text)
        and len(passages[best.passage].text[before : best.end].split()) <= _MOST_WORDS
    ):
        return [(best.passage, before, best.end)]
    chosen = [(best.passage, best.start, best.end)]
    for other in candidates[1:2]:
        adds = other.feature("coverage") - best.feature("coverage")
        words = len(best.text.split()) + len(other.text.split())
        if other.score >= best.score - _CLOSE and adds >= _ADDS and words <= _MOST_WORDS and other.text != best.text:
            chosen.append((other.passage, other.start, other.end))
    return chosen


def _sentence_before(candidate: Candidate, passage: Passage) -> int | None:
    """Return where the sentence before begins, if it stands in the same block."""
    last = None
    for sentence in sentences(passage.text):
        if sentence.start == candidate.start:
            return last.start if last is not None and last.block == sentence.block else None
        last = sentence
    return None


def _shown(citation: Citation) -> str:
    """Return a quote on one line, without the mark of a list item."""
    return _MARK.sub("", " ".join(citation.quote.split()))
