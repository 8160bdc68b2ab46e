"""How well refusals are decided, on the shared half of SQuAD's development set and articles that no fit has seen.

    python benchmarks/bench_refusal.py --squad ../shared/data/squad [--questions 1000] [--save]

Sets, each half answerable: *traps*: SQuAD 2.0's unanswerable questions, written about a paragraph so that it seems to
answer them; *absent*: answerable questions with their article kept out of the search; *both*. Scores: the chance that
models are asked by (`rag.refusal.chance`: retrieval only), the quote answerer's (`sentence_chance`), and the cosine of
the nearest passage, the usual one. A question counts as rightly answered where it can be answered; in the rows *right*
only where what was found holds a gold answer (model), or the sentence that is quoted does (quote): there a failed
search is a mistake too. Differences are paired: the same resamples of questions for both scores.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import record
from fit_chance import found
from squad import Asked, Bench

from doceo.core.records import Passage
from doceo.providers.embedders import open_embedder
from rag.reading import read
from rag.refusal import chance, sentence_chance
from rag.risk import Array, Labels, auroc, curve, interval, resampled, risk_at

SCORES = ("model", "quote", "cosine")
COVERAGE = 0.8
Row = tuple[float, float, float, bool, bool, bool]
"""The three scores; whether the question can be answered, the passages hold an answer, the quoted sentence does."""


def ask(bench: Bench, asked: Asked, *, without_article: bool) -> Row:
    """Return what is known of one question."""
    passages = found(bench, asked, without_article=without_article)
    candidates = read(asked.question, passages, bench.index)
    can = bool(asked.golds) and not without_article
    held = can and any(_right(passage.text, passage, asked) for passage in passages)
    best = candidates[0] if candidates else None
    said = can and best is not None and _right(best.text, passages[best.passage], asked)
    cosine = max((p.hit.arms["dense"].score for p in passages if "dense" in p.hit.arms), default=0.0)
    quoted = sentence_chance(best) if best is not None else 0.0
    return chance(asked.question, passages, bench.index), quoted, cosine, can, held, said


def _right(text: str, passage: Passage, asked: Asked) -> bool:
    return passage.text in asked.paragraph and any(gold in text for gold in asked.golds)


def measured(rows: Sequence[Row], names: Sequence[str], label: int, seed: int = 0) -> dict[str, object]:
    """Return AUROC and risk of each score with intervals, and the paired differences to top cosine."""
    scores = {name: np.array([row[SCORES.index(name)] for row in rows]) for name in names}
    labels = np.array([row[3 + label] for row in rows])
    draws = resampled(len(rows), seed)
    found: dict[str, object] = {"n": len(rows), "answerable": round(float(labels.mean()), 4)}
    for measure, of in (("auroc", auroc), (f"risk at {COVERAGE:.0%} coverage", _risk)):
        samples = {name: [of(values[draw], labels[draw]) for draw in draws] for name, values in scores.items()}
        found[measure] = {name: _said(of(values, labels), samples[name]) for name, values in scores.items()}
        found[f"{measure}, minus top cosine"] = {
            name: _said(
                of(scores[name], labels) - of(scores["cosine"], labels),
                (np.array(samples[name]) - np.array(samples["cosine"])).tolist(),
            )
            for name in names
            if name != "cosine"
        }
    return found


def _risk(scores: Array, labels: Labels) -> float:
    return risk_at(curve(scores, labels), COVERAGE)


def _said(value: float, samples: list[float]) -> dict[str, float]:
    low, high = interval(samples)
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def main() -> None:
    """Measure, print, and with --save keep the figures in results/refusal.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, default=Path("../shared/data/squad"))
    parser.add_argument("--questions", type=int, default=1000, help="of each kind")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    rows: dict[str, list[Row]] = {}
    with TemporaryDirectory() as home:
        first = Bench(options.squad / "squad-v1.1-dev.first24.json.gz", open_embedder(), Path(home))
        second = Bench(options.squad / "squad-v2.0-dev.first24.json.gz", open_embedder(), Path(home))
        for name, bench, answerable, without in (
            ("answerable, 1.1", first, True, False),
            ("absent", first, True, True),
            ("answerable, 2.0", second, True, False),
            ("traps", second, False, False),
        ):
            rows[name] = [
                ask(bench, asked, without_article=without)
                for asked in _unseen(bench, answerable=answerable, seed=11 + without)[: options.questions]
            ]
            print(f"{name}: {len(rows[name])} questions", flush=True)
    sets = {
        "traps": rows["answerable, 2.0"] + rows["traps"],
        "absent": rows["answerable, 1.1"] + rows["absent"],
        "both": [row for some in rows.values() for row in some],
    }
    results: dict[str, object] = {}
    for name, some in sets.items():
        results[name] = measured(some, SCORES, 0)
        results[f"{name}, right (model)"] = measured(some, ("model", "cosine"), 1)
        results[f"{name}, right (quote)"] = measured(some, ("quote", "cosine"), 2)
    for name, result in results.items():
        _show(name, result)
    if options.save:
        record.save("refusal", results, ("doceo", "onnxruntime", "tantivy", "chromadb"))


def _unseen(bench: Bench, *, answerable: bool, seed: int) -> list[Asked]:
    """Return the questions of the articles that no weights were fitted on, in an order by chance."""
    everything = bench.sample(len(bench.questions), answerable=answerable, seed=seed)
    return [asked for asked in everything if asked.title not in bench.fitting]


def _show(name: str, result: object) -> None:
    assert isinstance(result, dict)
    print(f"\n{name}: n {result['n']}, rightly answered at most {result['answerable']:.1%}")
    for measure, values in result.items():
        if isinstance(values, dict):
            cells = [f"{who} {v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for who, v in values.items()]
            print(f"  {measure}: {', '.join(cells)}")


if __name__ == "__main__":
    main()
