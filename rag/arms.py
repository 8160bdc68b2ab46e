"""The two arms of an index: the candidates of each, and every candidate's score by both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.records import Arm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.filters import Selection
    from rag.index import Index

DENSE, LEXICAL = "dense", "lexical"
_SAMPLE = 200
"""Passages that are compared with each other to learn how near any two are."""
_NEAREST = 0.8
"""Nearer than this no two passages are taken to be by chance: an index of nothing but near copies has no scale."""


@dataclass(frozen=True)
class Question:
    """A wording as it is searched for: its words, and its vector."""

    text: str
    vector: NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """What the arms give each candidate for one wording: cosines, and BM25 scores where it shares a word with it."""

    dense: dict[str, float]
    lexical: dict[str, float]

    def arms(self, keys: Collection[str]) -> dict[str, dict[str, Arm]]:
        """Return {candidate: {arm: rank among all candidates and score}} of these candidates."""
        found: dict[str, dict[str, Arm]] = {key: {} for key in keys}
        for name, scores in ((DENSE, self.dense), (LEXICAL, self.lexical)):
            order = sorted(scores, key=lambda key: (-scores[key], key))
            for rank, key in enumerate(order, 1):
                if key in found:
                    found[key][name] = Arm(rank=rank, score=round(scores[key], 6))
        return found


class Arms:
    """Both arms of an open index. Safe for threads.

    Args:
        index: The index, its embedder with it.
        selected: The passages that may be found; None: all.
    """

    def __init__(self, index: Index, selected: Selection | None = None) -> None:
        self._index, self._selected = index, selected

    def questions(self, wordings: Sequence[tuple[str, str]]) -> list[Question]:
        """Return wordings, given as (words, what the embedder reads of them), with their vectors."""
        vectors = self._index.embedder.embed_queries([read for _, read in wordings])
        return [Question(text, vector) for (text, _), vector in zip(wordings, vectors, strict=True)]

    @cached_property
    def spread(self) -> float:
        """How far cosines reach above what any two passages of this index have: 1 minus the median of those.

        Some embedders give hardly less than 0.7, and all passages on one subject are near each other; what a cosine
        says is measured by this.
        """
        rows = self._index.texts.query("SELECT vector FROM vectors ORDER BY text_sha256 LIMIT ?", [_SAMPLE])
        vectors = np.array([np.frombuffer(blob, dtype="<f4") for (blob,) in rows if isinstance(blob, bytes)])
        if len(vectors) < 2:
            return 1.0
        between = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
        return 1.0 - min(max(float(np.median(between)), 0.0), _NEAREST)

    def mixed(self, scores: Scores, weight: float) -> dict[str, float]:
        """Return the candidates' scores by both arms together, `weight` being that of the vectors.

        BM25 scores, which have no scale, are shares of the best one. Cosines have one: where even the best is low, the
        words count for more.
        """
        lexical = scaled(scores.lexical)
        return {
            key: weight * max(cosine, 0.0) / self.spread + (1 - weight) * lexical.get(key, 0.0)
            for key, cosine in scores.dense.items()
        }

    def search(self, questions: Sequence[Question], wide: int, more: Iterable[str] = ()) -> list[Scores]:
        """Return the scores of all candidates for each wording: those that an arm has among its `wide` best, and more.

        `more` are further ids; those that the index does not have are left out.
        """
        found = [Scores(dict(self._dense(one, wide)), dict(self._lexical(one, wide))) for one in questions]
        keys = dict.fromkeys(key for scores in found for key in [*scores.dense, *scores.lexical])
        keys |= dict.fromkeys(more)
        unseen = [key for key in keys if any(key not in scores.dense for scores in found)]
        vectors = self._index.vectors.known(unseen)
        if vectors is None:
            vectors = self._index.texts.vectors_of(unseen)
        completed = []
        for one, scores in zip(questions, found, strict=True):
            missing = [key for key in keys if key not in scores.dense and key in vectors]
            dense = scores.dense | {key: float(vectors[key] @ one.vector) for key in missing}
            lexical = scores.lexical
            # where it has fewer than it might, no other passage shares a word with the question
            if len(lexical) >= wide and (unseen := [key for key in dense if key not in lexical]):
                lexical = lexical | dict(self._index.lexical.search(one.text, len(unseen), within=unseen))
            completed.append(Scores(dense, lexical))
        return completed

    def _dense(self, question: Question, wide: int) -> list[tuple[str, float]]:
        searched = self._index.vectors if self._selected is None else self._selected
        return searched.search(question.vector, wide)

    def _lexical(self, question: Question, wide: int) -> list[tuple[str, float]]:
        within = None if self._selected is None else self._selected.ids
        return self._index.lexical.search(question.text, wide, within)


def scaled(scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores divided by the best one, with 0 as the least."""
    best = max(scores.values(), default=0.0)
    return {key: max(score, 0.0) / best if best > 0 else 0.0 for key, score in scores.items()}
