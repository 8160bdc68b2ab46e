"""Fit the chance of passages holding an answer, which decides before a model is asked; measure it on unseen articles.

    python benchmarks/fit_chance.py --squad ../shared/data/squad [--write] [--questions 1200]

Articles alternate between fitting and testing, as in fit_quote.py. A logistic regression on the signs of `rag.signs`;
positive: questions of SQuAD 1.1 and 2.0 that can be answered; negative, half each: SQuAD 1.1's questions with their
article kept out of the search, and SQuAD 2.0's that their paragraph does not answer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fits import auroc, logistic_fit
from squad import Asked, Bench

from doceo.core.records import Passage
from doceo.providers.embedders import open_embedder
from rag.risk import Array
from rag.signs import SIGNS, signs

_PRIOR = 1e-4


def found(bench: Bench, asked: Asked, *, without_article: bool) -> list[Passage]:
    """Return the four best passages; `without_article` keeps the question's own article out."""
    if not without_article:
        return bench.retriever.search(asked.question, 4)
    wide = bench.retriever.search(asked.question, 60)
    return [passage for passage in wide if passage.hit.span.document_id != asked.document_id][:4]


def rows(bench: Bench, questions: Sequence[Asked], *, without_article: bool = False) -> tuple[Array, Array]:
    """Return the signs of questions, and which of them belong to the articles of the fit."""
    table = []
    for asked in questions:
        values = signs(asked.question, found(bench, asked, without_article=without_article), bench.index)
        table.append([*(values[name] for name in SIGNS), float(asked.title in bench.fitting)])
    whole = np.array(table)
    return whole[:, :-1], whole[:, -1] == 1


def main() -> None:
    """Fit, print what was measured, and with --write replace the weights that ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, default=Path("../shared/data/squad"))
    parser.add_argument("--questions", type=int, default=1200)
    parser.add_argument("--threshold", type=float, default=0.15, help="chosen from the table that is printed")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as home:
        first = Bench(options.squad / "squad-v1.1-dev.first24.json.gz", open_embedder(), Path(home))
        second = Bench(options.squad / "squad-v2.0-dev.first24.json.gz", open_embedder(), Path(home))
        number = options.questions
        sets = {
            "right": rows(first, first.sample(number, answerable=True)),
            "right, 2.0": rows(second, second.sample(number, answerable=True, seed=3)),
            "absent": rows(first, first.sample(number, answerable=True, seed=1), without_article=True),
            "trap": rows(second, second.sample(number, answerable=False, seed=2)),
        }
    features = np.vstack([values[fit] for values, fit in sets.values()])
    labels = np.hstack([np.full(int(fit.sum()), float("right" in name)) for name, (_, fit) in sets.items()])
    weights = np.hstack([np.full(int(fit.sum()), 1 / fit.sum()) for _, fit in sets.values()])
    fitted = logistic_fit(features, labels, weights, _PRIOR)
    scores = {
        name: 1 / (1 + np.exp(-(values[~fit] @ fitted[:-1] + fitted[-1]))) for name, (values, fit) in sets.items()
    }
    for good, bad in (("right", "absent"), ("right, 2.0", "trap")):
        plain = auroc(sets[good][0][~sets[good][1]][:, 0], sets[bad][0][~sets[bad][1]][:, 0])
        print(f"AUROC {good} against {bad}: {auroc(scores[good], scores[bad]):.3f}, top cosine {plain:.3f}")
    for at in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        print(
            f"refused below {at}: " + ", ".join(f"{name} {np.mean(values < at):.3f}" for name, values in scores.items())
        )
    made = {
        "signs": dict(zip(SIGNS, fitted[:-1].round(3).tolist(), strict=True)),
        "bias": round(float(fitted[-1]), 3),
        "threshold": options.threshold,
    }
    print(json.dumps(made))
    if options.write:
        place = Path(__file__).resolve().parents[1] / "rag" / "chance_weights.json"
        place.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
