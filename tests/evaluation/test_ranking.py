from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from evaluation.ranking import Ranking

IDS = [f"d{n}" for n in range(12)]
qrels = st.dictionaries(st.sampled_from(IDS), st.integers(0, 3), max_size=9)
found = st.lists(st.sampled_from(IDS), unique=True, max_size=12)


@settings(max_examples=150, deadline=None)
@given(qrels, found, st.integers(1, 12))
def test_ndcg_and_map_equal_sklearns(grades: dict[str, int], order: list[str], k: int) -> None:
    ranking = Ranking.of_qrels(order, grades)
    if not any(grades.values()):
        assert ranking.ndcg(k) is ranking.average_precision() is ranking.hit() is ranking.recall() is None
        return
    truth = np.array([grades.get(name, 0) for name in IDS])
    # what was not found stands behind all that was, and adds nothing
    score = np.array([len(order) - order.index(name) if name in order else -1.0 - n for n, name in enumerate(IDS)])
    kept = np.where(score > 0, truth, 0)
    gain = ndcg_score([kept], [score], k=k) if kept.any() else 0.0
    best = ndcg_score([truth], [truth], k=k, ignore_ties=True)
    assert best == pytest.approx(1)
    ideal = np.sort(truth)[::-1][:k] / np.log2(np.arange(2, len(truth[:k]) + 2))
    own = np.sort(kept)[::-1][:k] / np.log2(np.arange(2, len(kept[:k]) + 2))
    assert ranking.ndcg(k) == pytest.approx(gain * own.sum() / ideal.sum(), abs=1e-9)
    share = (kept > 0).sum() / (truth > 0).sum()
    precision = average_precision_score(kept > 0, score) if kept.any() else 0.0
    assert ranking.average_precision() == pytest.approx(precision * share, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(qrels, found), min_size=1, max_size=5))
def test_all_measures_equal_trec_evals(drawn: list[tuple[dict[str, int], list[str]]]) -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="trec_eval is not installed")
    asked = {f"q{n}": grades for n, (grades, _) in enumerate(drawn) if any(grades.values())}
    run = {
        f"q{n}": {name: float(len(order) - at) for at, name in enumerate(order)}
        for n, (grades, order) in enumerate(drawn)
        if any(grades.values()) and order
    }
    cuts = "1,3,5,10"
    measures = {f"ndcg_cut.{cuts}", f"P.{cuts}", f"recall.{cuts}", f"map_cut.{cuts}", f"success.{cuts}"}
    theirs = pytrec_eval.RelevanceEvaluator(asked, measures | {"map", "ndcg", "recip_rank"}).evaluate(run)
    for query, values in theirs.items():
        ranking = Ranking.of_qrels(list(run[query]), asked[query])
        ours = {"map": ranking.average_precision(), "ndcg": ranking.ndcg(), "recip_rank": ranking.reciprocal_rank()}
        for k in (1, 3, 5, 10):
            ours |= {f"ndcg_cut_{k}": ranking.ndcg(k), f"P_{k}": ranking.precision(k), f"recall_{k}": ranking.recall(k)}
            ours |= {f"map_cut_{k}": ranking.average_precision(k), f"success_{k}": ranking.hit(k)}
        assert ours == pytest.approx(values, abs=1e-9)


def test_an_id_counts_where_it_stands_first_and_negative_grades_do_not() -> None:
    ranking = Ranking.of_qrels(["a", "b", "a", "c"], {"a": -1, "c": 2})
    assert ranking == Ranking(gains=(0, 0, 2), relevant=(2,))
    assert ranking.precision() == pytest.approx(1 / 3)
    assert ranking.reciprocal_rank() == pytest.approx(1 / 3)
    assert ranking.reciprocal_rank(2) == ranking.hit(2) == 0
    assert Ranking.of_qrels([], {"c": 2}).precision() is None
    assert Ranking.of_qrels([], {"c": 2}).ndcg() == 0
