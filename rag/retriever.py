"""Hybrid search: vectors and BM25, their scores fused; further searches, a reranker and a filter where they are wanted.

Each arm gives its best candidates; every candidate is then scored by every arm, so that a passage is not punished for
being just outside one arm's list. Scores are scaled by the arm's best, with 0 as the floor of both (Bruch, Gai and
Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"), and mixed by a weight. That finds more at rank 1
than reciprocal rank fusion, which forgets the margins; weight and candidates were chosen on other data than they are
reported on (`benchmarks/fit_retrieval.py`, `benchmarks/bench_retrieval.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doceo.core.config import RetrieveConfig
from doceo.core.errors import ProviderError
from doceo.core.protocols import Embedder, Reranker, Retriever
from doceo.core.records import Arm, Hit, Passage
from doceo.text.injections import flags
from rag.rerank import reranked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.index import Index
    from rag.texts import StoredChunk

LONGEST_QUERY = 2000
"""Characters of a question that are searched with: more say no more, and cost seconds."""
FLAGGED = 0.5
"""What the score of a passage is multiplied with where something in it reads like an instruction to a model."""
_DENSE, _LEXICAL = "dense", "lexical"
_READ = 3
"""So many times the wanted passages are looked through for flags."""


@dataclass(frozen=True)
class Found:
    """Passages, best first, and notes on what did not go as asked, such as a reranker that was too slow."""

    passages: list[Passage]
    notes: tuple[str, ...] = ()


class HybridRetriever:
    """A `Retriever` over one open index. Searches may run in several threads.

    Args:
        index: The open index, its embedder with it.
        config: Candidates of each arm, their weights, which documents are searched at all.
        further: Other searches whose passages join the candidates; each counts half as much as the index's own arms
            together. One that is a `ProviderError` away is left out, and a note says so.
        reranker: Reads the best passages together with the question and puts them in order.

    Raises:
        UsageError: `config.where` cannot be understood.
    """

    def __init__(
        self,
        index: Index,
        config: RetrieveConfig | None = None,
        *,
        further: Sequence[Retriever] = (),
        reranker: Reranker | None = None,
    ) -> None:
        self.index = index
        self.config = config or RetrieveConfig()
        self._further, self._reranker = tuple(further), reranker
        self._within = _matching(index, self.config.where)

    def search(self, question: str, k: int) -> list[Passage]:
        """Return the k best passages, best first, equal ones by id.

        `Hit.score` is between 0 and 1 and relative to the best candidates of this question. `Hit.arms` holds the place
        among the candidates by cosine, by BM25 where it shares a word with the question, and by each further search
        that found it; and what the reranker gave. A question without a word gives nothing; one that is too long for
        the embedder is searched by its beginning in the vectors, whole in BM25.
        """
        return self.search_all((question,), k).passages

    def search_all(self, queries: Mapping[str, float] | Sequence[str], k: int) -> Found:
        """Return the k best passages for several wordings of one question, and notes.

        Args:
            queries: The wordings, with their weights where they differ. A passage's score is the weighted mean of
                those that it has for each; `Hit.arms` shows those of the last one that an arm found it by.
            k: Passages wanted.
        """
        asked = _weighted(queries)
        if not asked or k < 1 or self.index.manifest.chunks == 0:
            return Found([])
        if self._within is not None and not self._within:
            return Found([], (f"No document matches {' and '.join(self.config.where)}.",))
        notes: list[str] = []
        others = [self._others(query, max(self.config.candidates, k), notes) for query in asked]
        candidates = self._candidates(asked, max(self.config.candidates, k), others)
        scores, arms = self._scores(candidates, others, list(asked.values()))
        best = self._passages(_best(scores, self._reads(k)), scores, arms, others)
        if self._reranker is not None:
            question = max(reversed(asked), key=asked.__getitem__)
            best = reranked(question, best, self._reranker, self.config.rerank_seconds, notes)
        return Found(_by_score(map(_trusted, best))[:k], tuple(dict.fromkeys(notes)))

    def _reads(self, k: int) -> int:
        """Return how many passages are read before k of them are given out."""
        return max(_READ * k, k, self.config.rerank_candidates) if self._reranker is None else self._reranked(k)

    def _reranked(self, k: int) -> int:
        return max(k, self.config.rerank_candidates)
