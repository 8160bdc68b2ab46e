"""The answerer that needs no model: it finds the sentence that answers and quotes it, or says that there is none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

from doceo.core.records import Answer, Citation, Message, Passage, Usage
from doceo.text.passages import cite
from doceo.text.sentences import sentences
from rag import history as turns
from rag.citations import quoted
from rag.reading import Candidate, read
from rag.refusal import chance, refusal
from rag.retriever import LONGEST_QUERY, HybridRetriever
from rag.short import shorten
from rag.weights import fitted

NOTHING_FOUND = "No passage of the documents matches the question."
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
        threshold: Least `rag.refusal.chance` of an answer, below which the question is refused; by default the fitted.
        clock: Seconds, for `Usage.seconds`.
    """

    name: str = "quote+rag"

    def __init__(
        self,
        retriever: HybridRetriever,
        *,
        k: int = 4,
        threshold: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._retriever, self._index, self._k = retriever, retriever.index, k
        self._threshold = fitted().threshold if threshold is None else threshold
        self._clock = clock

    def answer(self, question: str, history: Sequence[Message] = ()) -> Answer:
        """Answer one question with a sentence or two of the documents, word for word."""
        began = self._clock()
        answer = self._answer(question, history)
        return answer.model_copy(update={"usage": Usage(seconds=self._clock() - began)})

    def stream(self, question: str, history: Sequence[Message] = ()) -> Iterator[str | Answer]:
        """Yield the text, and then the whole Answer."""
        answer = self.answer(question, history)
        yield answer.text
        yield answer

    def _answer(self, question: str, history: Sequence[Message]) -> Answer:
        question = question[:LONGEST_QUERY]
        kept = turns.without_refusals(history)
        passages = turns.search(self._retriever, question, kept, self._k)
        hits = tuple(passage.hit for passage in passages)
        candidates = read(question, passages, self._index, turns.leaned_on(question, kept))
        if not candidates:
            return refusal(NOTHING_FOUND, hits)
        best = candidates[0]
        if (found := chance(best)) < self._threshold:
            return refusal(
                f"The best sentence answers the question with a chance of {found:.2f}, below {self._threshold:.2f}.",
                hits,
            )
        citations = tuple(
            quoted(n, passages[at], start, end, self._index.document)
            for n, (at, start, end) in enumerate(_chosen(candidates, passages), 1)
        )
        short = shorten(question, best.text, self._index.lexical)
        return Answer(
            text=" ".join(cite(_shown(citation), citation.n) for citation in citations),
            short=short.text if short and short.margin >= fitted().short_margin else None,
            citations=citations,
            hits=hits,
        )


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
