"""On which scale the scores of the two arms are mixed and with which weight, chosen on other sets than are reported on.

    python benchmarks/fit_retrieval.py [SET ...]

Scales of a cosine: its share of the question's best one; as it is; above the least of the question's candidates; above
what any two passages of the index have (`rag.arms`). BM25 scores are shares of the best one, having no scale. The
measure is nDCG@10, the mean over the sets. The scales' best weights are hardly told apart by it. The last scale is
taken since it alone gives the same order with an embedder whose cosines are crowded, such as E5's; that scales were
compared at all came from COVID-QA, which is reported on, as `bench_retrieval.py` says. Of its weights the one nearest
to a half that is within a standard error of the best one is taken (Breiman et al. 1984): what the data do not tell
apart is not chosen by noise. Writes
benchmarks/results/retrieval_weights.json.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import record
from numpy.typing import NDArray
from ranked import measures
from retrieval_sets import CHOSEN_ON, RetrievalSet

from doceo.core.config import RetrieveConfig
from doceo.providers.embedders import open_embedder
from rag.arms import Arms, Scores, scaled
from rag.index import Index
from rag.indexing import update
from rag.retriever import LONGEST_QUERY, shortened

WEIGHTS = [round(0.3 + 0.05 * step, 2) for step in range(13)]
Scale = Callable[[dict[str, float], float], dict[str, float]]
SCALES: dict[str, Scale] = {
    "share of the best": lambda cosines, _: scaled(cosines),
    "as it is": lambda cosines, _: cosines,
    "above the least": lambda cosines, _: scaled({key: one - min(cosines.values()) for key, one in cosines.items()}),
    "above what passages have": lambda cosines, spread: {key: max(one, 0.0) / spread for key, one in cosines.items()},
}
CHOSEN = "above what passages have"


def arms_of(asked: RetrievalSet, home: Path) -> tuple[list[Scores], float]:
    """Return the candidates' scores for every question, and the index's spread."""
    embedder = open_embedder()
    asked.cut(embedder)
    update(home, asked.documents, asked.chunks, embedder)
    index = Index.open(home, embedder)
    arms, found = Arms(index), []
    for question, _ in asked.questions:
        words = question[:LONGEST_QUERY]
        one = arms.questions([(words, shortened(embedder, words))])
        found += arms.search(one, RetrieveConfig().candidates)
    spread = arms.spread
    index.close()
    return found, spread


def ndcg(asked: RetrievalSet, found: list[Scores], spread: float, scale: Scale, weight: float) -> NDArray[np.float64]:
    """Return nDCG@10 of every question."""
    values = []
    for scores, (_, gold) in zip(found, asked.questions, strict=True):
        dense, lexical = scale(scores.dense, spread), scaled(scores.lexical)
        mixed = {key: weight * one + (1 - weight) * lexical.get(key, 0.0) for key, one in dense.items()}
        values.append(measures(sorted(mixed, key=lambda key: (-mixed[key], key)), asked.unit, gold)[-1])
    return np.array(values)


def chosen(by_weight: dict[float, list[NDArray[np.float64]]]) -> tuple[float, float, list[float]]:
    """Return the weight that is taken, the best one, and all within a standard error of that."""
    best = max(by_weight, key=lambda weight: np.mean([values.mean() for values in by_weight[weight]]))
    within = []
    for weight, sets in by_weight.items():
        lost = [top - values for top, values in zip(by_weight[best], sets, strict=True)]
        error = np.sqrt(sum(one.var() / len(one) for one in lost)) / len(lost)
        if np.mean([one.mean() for one in lost]) <= error:
            within.append(weight)
    return min(within, key=lambda weight: abs(weight - 0.5)), best, within


def main() -> None:
    """Fit, print, and write the result."""
    names = sys.argv[1:] or list(CHOSEN_ON)
    sets = [CHOSEN_ON[name]() for name in names]
    with tempfile.TemporaryDirectory() as home:
        found = [arms_of(asked, Path(home) / name) for name, asked in zip(names, sets, strict=True)]
    rows: dict[str, object] = {}
    for name, scale in SCALES.items():
        by_weight = {
            weight: [
                ndcg(asked, scores, spread, scale, weight) for asked, (scores, spread) in zip(sets, found, strict=True)
            ]
            for weight in WEIGHTS
        }
        taken, best, within = chosen(by_weight)
        means = {weight: round(float(np.mean([one.mean() for one in by_weight[weight]])), 4) for weight in WEIGHTS}
        by_set = {one.name: round(float(values.mean()), 4) for one, values in zip(sets, by_weight[taken], strict=True)}
        print(f"{name:26s} best {best} {means[best]}  within {within}  taken {taken} {means[taken]}", by_set)
        rows[name] = {
            "best_weight": best, "within_a_standard_error": within, "taken": taken, "ndcg_by_weight": means,
            "ndcg_by_set": by_set,
        }  # fmt: skip
    rows["chosen"] = {"scale": CHOSEN, "weight": rows[CHOSEN]["taken"]}  # type: ignore[index]
    record.save("retrieval_weights", rows, ("tantivy", "chromadb", "onnxruntime"))


if __name__ == "__main__":
    main()
