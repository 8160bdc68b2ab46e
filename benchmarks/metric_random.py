"""Our metrics beside those of sacrebleu, rouge_score and trec_eval on random texts, rankings and judgements."""

from __future__ import annotations

import random

from metric_truth import EXACT, ROUGE, Row, corpus, row
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from evaluation.metrics import load
from evaluation.ranking import Ranking

_WORDS = "the a dog cat bit man had no one it was him she ran far Bob, end. well-known 12 3,000".split()  # noqa: SIM905


def random_texts(seed: int, times: int) -> list[Row]:
    """Compare with sacrebleu and rouge_score on random texts, with one to four references each."""
    chance = random.Random(seed)

    def text(least: int) -> str:
        return " ".join(chance.choices(_WORDS, k=chance.randint(least, 14)))

    made: dict[str, list[tuple[float, float]]] = {name: [] for name in ("bleu", "chrf", "ter", *ROUGE)}
    theirs = {"bleu": BLEU(effective_order=True), "chrf": CHRF(), "ter": TER()}
    for _ in range(times):
        pairs = [(text(0), [text(1) for _ in range(chance.randint(1, 4))]) for _ in range(chance.randint(1, 8))]
        most = max(len(wanted) for _, wanted in pairs)
        streams = [[wanted[at] if at < len(wanted) else None for _, wanted in pairs] for at in range(most)]
        for name, scorer in theirs.items():
            made[name].append(
                (corpus(load(name), pairs), scorer.corpus_score([said for said, _ in pairs], streams).score)
            )
        # two lines and more: rouge_score takes lines for sentences, ours cuts a text of one line
        said, wanted = f"{text(1)}\n{text(1)}\n{text(0)}", [f"{text(1)}\n{text(1)}" for _ in range(2)]
        scores = RougeScorer(list(ROUGE)).score_multi(wanted, said)
        for name, metric in ROUGE.items():
            made[name].append((corpus(metric(), [(said, wanted)]), 100 * scores[name].fmeasure))
    return [
        row(f"{load(name).label}, random texts", "rouge_score" if name in ROUGE else "sacrebleu", pairs, EXACT)
        for name, pairs in made.items()
    ]


def random_rankings(seed: int, times: int) -> list[Row]:
    """Compare with trec_eval (pytrec_eval-terrier) on random rankings and judgements. Raises ImportError without it."""
    import pytrec_eval  # type: ignore[import-not-found]

    chance = random.Random(seed)
    qrels, run = {}, {}
    for n in range(times):
        ids = [f"d{at}" for at in range(chance.randint(2, 40))]
        grades = {one: chance.randint(0, 3) for one in chance.sample(ids, chance.randint(1, len(ids)))}
        if any(grades.values()):
            found = chance.sample(ids, chance.randint(1, len(ids)))
            qrels[f"q{n}"] = grades
            run[f"q{n}"] = {one: float(len(found) - at) for at, one in enumerate(found)}
    wanted = {"map", "ndcg", "recip_rank", "ndcg_cut.5,10", "P.5,10", "recall.5,10", "map_cut.5,10", "success.5,10"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    made: dict[str, list[tuple[float, float]]] = {}
    for query, values in theirs.items():
        ranking = Ranking.of_qrels(list(run[query]), qrels[query])
        for name, value in values.items():
            made.setdefault(name.partition("_cut")[0].split("_")[0], []).append((_trec(ranking, name), value))
    return [
        row(f"{name}, random rankings", "trec_eval", [(100 * a, 100 * b) for a, b in pairs], EXACT)
        for name, pairs in made.items()
    ]


def _trec(ranking: Ranking, name: str) -> float:
    family, _, cut = name.replace("_cut", "").replace("recip_rank", "rr").partition("_")
    ways = {
        "map": ranking.average_precision, "ndcg": ranking.ndcg, "rr": ranking.reciprocal_rank, "P": ranking.precision,
        "recall": ranking.recall, "success": ranking.hit,
    }  # fmt: skip
    return float(ways[family](int(cut) if cut else None) or 0.0)
