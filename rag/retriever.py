"""Hybrid search: vectors and BM25, their scores fused; further searches, a reranker and a filter where they are wanted.

Each arm gives its best candidates; every candidate is then scored by both arms, so that a passage is not punished for
being just outside one arm's list. The scores are brought to one scale (`rag.arms`) and mixed by a weight (Bruch, Gai
and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"). That finds more at rank 1 than reciprocal rank
fusion, which forgets the margins. How scale and weight were chosen: `benchmarks/fit_retrieval.py`; what is found:
`benchmarks/bench_retrieval.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doceo.core.config import RetrieveConfig
from doceo.core.protocols import Embedder, Reranker, Retriever
from doceo.core.records import Arm, Passage
from rag.arms import Arms, Scores, scaled
from rag.filters import Selection, Sources, Where
from rag.rerank import reranked

if TYPE_CHECKING:
    from rag.index import Index

LONGEST_QUERY = 2000
"""Characters of a question that are searched with: more say no more, and cost seconds."""
FLAGGED = 0.5
"""What the score of a passage is multiplied with where something in it reads like an instruction to a model."""
_SPARE = 3
"""So many times the wanted passages are looked through for such ones."""


@dataclass(frozen=True)
class Found:
    """Passages, best first, and notes on what did not go as asked, such as a reranker that was too slow."""

    passages: list[Passage]
    notes: tuple[str, ...] = ()


class HybridRetriever:
    """A `Retriever` over one open index. Searches may run in several threads, where the reranker's may.

    Args:
        index: The open index, its embedder with it.
        config: Candidates of each arm, their weights, which documents are searched.
        further: Other searches whose passages join the candidates; each counts half as much as the index's own two
            arms together. What they raise passes through.
        reranker: Reads the best passages together with the question and puts them in order.
        only: Documents to search, in place of the conditions of `config.where`.

    Raises UsageError for a condition of `config.where` that cannot be understood.
    """

    def __init__(
        self,
        index: Index,
        config: RetrieveConfig | None = None,
        *,
        further: Sequence[Retriever] = (),
        reranker: Reranker | None = None,
        only: Sources | None = None,
    ) -> None:
        self.index = index
        self.config = config or RetrieveConfig()
        self._further, self._reranker = tuple(further), reranker
        self._only = only
        where = only or Where.parse(self.config.where)
        self._selected = Selection(index.texts, index.vectors, where) if where else None
        self._arms = Arms(index, self._selected)

    def limited(self, sources: Sequence[str]) -> HybridRetriever:
        """Return the same search over the documents of these sources only, in place of `config.where`."""
        only = Sources(tuple(sources))
        return HybridRetriever(self.index, self.config, further=self._further, reranker=self._reranker, only=only)

    def search(self, question: str, k: int) -> list[Passage]:
        """Return the k best passages, best first, equal ones by id.

        `Hit.score` is between 0 and 1 and relative to the best candidates of this question. `Hit.arms` holds the
        cosine and the rank by it; the BM25 score and its rank, where the passage shares a word with the question; the
        score and rank from each further search that found it, and those from the reranker. Ranks are among all
        candidates. A question without a word gives nothing; one that is too long for the embedder is searched by its
        beginning in the vectors, whole in BM25.
        """
        return self.search_all((question,), k).passages

    def search_all(self, queries: Mapping[str, float] | Sequence[str], k: int) -> Found:
        """Return the k best passages for several wordings of one question, and notes.

        Args:
            queries: The wordings, the fullest last, with their weights where they differ. The score of a passage is
                the weighted mean of those for each wording; `Hit.arms` shows those of the last one.
            k: Passages wanted.
        """
        asked = _weighted(queries)
        if not asked or k < 1 or self.index.manifest.chunks == 0:
            return Found([])
        if self._selected is not None and not self._selected.ids:
            return Found([], (f"No document has {' and '.join(self.config.where) or 'one of these sources'}.",))
        others = [self._others(query, max(self.config.candidates, k)) for query in asked]
        texts = self._arms.questions([(query, shortened(self.index.embedder, query)) for query in asked])
        found = self._arms.search(texts, max(self.config.candidates, k), [key for some in others for key in some])
        fused = self._fused(found, others, list(asked.values()))
        if self._reranker is None:
            fused = self._trusted(_best(fused, _SPARE * k), fused, others)
            return Found(self._passages(_best(fused, k), fused, found[-1], others))
        read = self._passages(_best(fused, max(k, self.config.rerank_candidates)), fused, found[-1], others)
        question = max(reversed(asked), key=asked.__getitem__)
        passages, note = reranked(question, read, self._reranker, self.config.rerank_seconds)
        fused = {one.hit.chunk_id: one.hit.score * (FLAGGED if one.hit.flags else 1.0) for one in passages}
        by_id = {one.hit.chunk_id: one for one in passages}
        chosen = [_scored(by_id[key], fused[key], by_id[key].hit.arms) for key in _best(fused, k)]
        return Found(chosen, (note,) if note else ())

    def _trusted(
        self, keys: Sequence[str], fused: Mapping[str, float], others: Sequence[Mapping[str, Passage]]
    ) -> dict[str, float]:
        """Return the scores that passages are trusted with: lower where something in them reads like an order."""
        flagged = self.index.texts.flagged(keys)
        flagged |= {key for some in others for key, passage in some.items() if passage.hit.flags}
        return {key: fused[key] * (FLAGGED if key in flagged else 1.0) for key in keys}

    def _others(self, query: str, wide: int) -> dict[str, Passage]:
        """Return what further searches find, by id, each passage with the arms of all that found it."""
        found: dict[str, Passage] = {}
        for arm in self._further:
            for passage in arm.search(query, wide):
                known = found.setdefault(passage.hit.chunk_id, passage)
                found[passage.hit.chunk_id] = _with_arms(known, passage.hit.arms)
        if self._selected is not None:
            allowed = set(self._selected.ids)
            found = {key: passage for key, passage in found.items() if key in allowed}
        return found

    def _fused(
        self, found: Sequence[Scores], others: Sequence[Mapping[str, Passage]], weights: Sequence[float]
    ) -> dict[str, float]:
        """Return the score of every candidate: the mean over the wordings of the mean over the arms."""
        total: dict[str, float] = {}
        for scores, beside, weight in zip(found, others, weights, strict=True):
            for key, score in self._mixed(scores, beside).items():
                total[key] = total.get(key, 0.0) + weight * score
        return scaled(total)

    def _mixed(self, scores: Scores, beside: Mapping[str, Passage]) -> dict[str, float]:
        own = self._arms.mixed(scores, self.config.dense_weight)
        if not self._further:
            return own
        mixed = {key: 2 * own.get(key, 0.0) for key in [*own, *beside]}
        for name in sorted({name for passage in beside.values() for name in passage.hit.arms}):
            given = {key: one.hit.arms[name].score for key, one in beside.items() if name in one.hit.arms}
            for key, score in scaled(given).items():
                mixed[key] += score
        return {key: score / (2 + len(self._further)) for key, score in mixed.items()}

    def _passages(
        self, keys: Sequence[str], fused: Mapping[str, float], last: Scores, others: Sequence[Mapping[str, Passage]]
    ) -> list[Passage]:
        stored = self.index.chunks(keys)
        beside = {key: passage for some in others for key, passage in some.items()}
        arms = last.arms(keys)
        passages = []
        for key in keys:
            passage = stored[key].passage() if key in stored else beside.get(key)
            if passage is not None:
                shown = arms[key] | (beside[key].hit.arms if key in beside else {})
                passages.append(_scored(passage, fused[key], shown))
        return passages if self._only is None else self._renamed(passages, frozenset(self._only.names))

    def _renamed(self, passages: Sequence[Passage], allowed: Collection[str]) -> list[Passage]:
        """Return passages under the first of their document's sources that may be found: one text may have several."""
        sources = self.index.texts.sources_of({passage.hit.span.document_id for passage in passages})
        renamed = []
        for passage in passages:
            hit = passage.hit
            names = (name for name in sources.get(hit.span.document_id, ()) if name in allowed)
            found = hit.model_copy(update={"source": next(names, hit.source)})
            renamed.append(passage.model_copy(update={"hit": found}))
        return renamed


def _best(scores: Mapping[str, float], k: int) -> list[str]:
    """Return the ids with the k highest scores, best first, equal ones by id."""
    return sorted(scores, key=lambda key: (-scores[key], key))[:k]


def shortened(embedder: Embedder, text: str) -> str:
    """Return the beginning of a text that the embedder can read: all of it where it is short enough."""
    if text.isascii() and len(text) < embedder.max_tokens:
        return text  # no token of plain text holds less than a character
    while len(offsets := embedder.offsets(text)) > embedder.max_tokens:
        text = text[: offsets[embedder.max_tokens][0]].rstrip()
    return text


def _weighted(queries: Mapping[str, float] | Sequence[str]) -> dict[str, float]:
    """Return what is searched for, cut to a length that can be, with weights that sum to 1; in the order given."""
    given = queries if isinstance(queries, Mapping) else dict.fromkeys(queries, 1.0)
    asked: dict[str, float] = {}
    for query, weight in given.items():
        if weight > 0 and query[:LONGEST_QUERY].strip():
            asked[query[:LONGEST_QUERY]] = asked.get(query[:LONGEST_QUERY], 0.0) + weight
    total = sum(asked.values())
    return {query: weight / total for query, weight in asked.items()}


def _with_arms(passage: Passage, arms: Mapping[str, Arm]) -> Passage:
    return passage.model_copy(update={"hit": passage.hit.model_copy(update={"arms": {**passage.hit.arms, **arms}})})


def _scored(passage: Passage, score: float, arms: Mapping[str, Arm]) -> Passage:
    hit = passage.hit.model_copy(update={"score": round(score, 6), "arms": dict(arms)})
    return passage.model_copy(update={"hit": hit})
