"""Fit the quote answerer's weights on SQuAD, and measure it on articles that the fit never saw.

    python benchmarks/fit_quote.py --data ../shared/data [--write] [--questions 3000]

Sets: SQuAD v1.1's shared half, whose questions were written beside the paragraph, and NQ (by QED), whose questions were
typed into a search engine. Articles (by title, in order) alternate between fitting and testing. Short answers: softmax
over the runs of words of the sentence that holds a gold answer, weighted by the square of their token F1. Sentences:
softmax over those of the four best passages that are read closely, target = those of the right paragraph that hold a
gold answer; what the short answers say of them comes from weights that were fitted on other articles. Refusal: logistic
regression on the best sentence; positive = it holds a gold answer, negative = the question's article was kept out of
the search. Whether a short answer is right (token F1 of at least a half): logistic regression, again with weights of
other articles. Sentences are chosen to be read closely by the weights that ship: run it twice after a change of
features.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fits import Array, Features, Row, chances, logistic_fit, names_of, scores, softmax_fit
from squad import Asked, Bench, best, exact, f1

from doceo.providers.embedders import open_embedder
from doceo.text.sentences import sentences
from rag import reading
from rag.clues import Asking, Scene
from rag.reading import lead
from rag.short import Short, chosen, signs
from rag.spans import runs
from rag.weights import QuoteWeights, fitted

CHANCE = ("coverage", "context", "cosine", "passage_cosine", "has_kind", "lacks_kind", "lacks_number")
# where the fits begin and what they are drawn to: set by hand, so that few questions cannot lead far astray
SENTENCE = {
    "coverage": 4.0, "pairs": 1.0, "context": 1.5, "earlier": 1.0, "lacks_number": -1.0, "passage_cosine": 1.0,
    "passage_score": 2.0, "has_kind": 0.5, "lacks_kind": -1.0, "short": -1.0, "long": -0.2, "not_prose": -1.0,
    "fragment": -3.0, "reference": -3.0, "is_question": -2.0, "reason_words": 0.5, "cosine": 5.0, "answer": 0.4,
}  # fmt: skip
SHORT = {
    "reason: before 'because'": 2.0, "reason: first 'because'": 2.0, "reason: time": -2.0, "reason: amount": -2.0,
    "reason: name": -1.0, "before colon": 1.0,
    "manner: time": -2.0, "definition: time": -2.0, "definition: amount": -2.0, "person: time": -2.0,
    "person: amount": -2.0, "place: time": -2.0, "place: amount": -2.0, "time: name": -1.0, "amount: name": -1.0,
}  # fmt: skip
_SELDOM, _SMALL = 12, 0.2
"""Clues of fewer runs are not fitted; those that are worth less are left out."""
Judged = tuple[dict[str, float], str, Sequence[str]]
"""What speaks for a short answer, its words, the gold answers."""


@dataclass(frozen=True)
class Reading:
    """A question, the sentences read closely for it: their features, short answers, and which hold a gold answer."""

    asked: Asked
    texts: Sequence[str]
    features: Sequence[Features]
    shorts: Sequence[Short | None]
    gold: Array

    def order(self, sentence: Features) -> tuple[list[int], float]:
        """Return the numbers of the sentences, best first, and the lead of the best."""
        found = scores(self.features, sentence)
        order = np.argsort(-found, kind="stable")
        return order.tolist(), lead(found[order].tolist(), [self.texts[at] for at in order])


def runs_of(asking: Asking, sentence: str) -> list[tuple[str, Features]]:
    """Return the runs of words of a sentence with their clues, none where no short answer is sought."""
    scene = Scene(asking, sentence)
    return [(scene.text(p), scene.clues(p)) for p in runs(scene.tokens)] if asking.understood.word else []


def short_rows(bench: Bench, titles: set[str]) -> list[Row]:
    """Return the runs of the sentences that hold gold answers and share most words with their questions."""
    rows = []
    for asked in bench.questions:
        if asked.title not in titles:
            continue
        spans = sentences(asked.paragraph)
        held = [s for s in (asked.paragraph[s.start : s.end] for s in spans) if any(g in s for g in asked.golds)]
        stems = set(bench.index.lexical.terms(asked.question))
        if held:
            sentence = max(held, key=lambda text: len(stems & set(bench.index.lexical.stems(text))))
            found = runs_of(Asking(asked.question, bench.index.lexical), sentence)
            gains = np.array([best(f1, text, asked.golds) for text, _ in found])
            if len(gains) and gains.max() >= 0.4:
                rows.append(Row([clues for _, clues in found], gains**2))
    return rows


def fit_short(rows: Sequence[Row]) -> Features:
    """Return what clues are worth, those that matter little left out."""
    names = sorted({*names_of(rows, _SELDOM), *SHORT})
    weights = softmax_fit(rows, names, 6e-4, SHORT)
    return {name: round(weight, 2) for name, weight in weights.items() if abs(weight) >= _SMALL}


def read(bench: Bench, asked: Asked, short: Features, *, without_article: bool = False) -> Reading:
    """Read for one question, short answers by these weights."""
    passages, candidates = bench.read(asked, without_article=without_article)
    asking = Asking(asked.question, bench.index.lexical)
    found = [runs_of(asking, candidate.text) for candidate in candidates]
    shorts = [chosen(some, short, asking) if some else None for some in found]
    features = [
        dict(zip(reading.FEATURES, candidate.features, strict=True)) | {"answer": one.evidence if one else 0.0}
        for candidate, one in zip(candidates, shorts, strict=True)
    ]
    gold = [
        not without_article and passages[c.passage].text in asked.paragraph and any(g in c.text for g in asked.golds)
        for c in candidates
    ]
    return Reading(asked, [c.text for c in candidates], features, shorts, np.array(gold, dtype=float))


def fit_chance(present: Sequence[Reading], absent: Sequence[Reading], sentence: Features) -> Array:
    """Return the regression behind refusals."""
    tops = [(one, one.order(sentence)[0][0]) for one in present if one.texts]
    positive = [_values(one.features[at], CHANCE) for one, at in tops if one.gold[at]]
    negative = [_values(one.features[one.order(sentence)[0][0]], CHANCE) for one in absent if one.texts]
    labels = np.array([1.0] * len(positive) + [0.0] * len(negative))
    weight = np.where(labels == 1, 0.5 / len(positive), 0.5 / len(negative))
    return logistic_fit(np.array(positive + negative), labels, weight)


def judged(found: Sequence[Reading], sentence: Features, chance: Array) -> list[Judged]:
    """Return the short answers with what speaks for each."""
    rows = []
    for one in found:
        if one.texts:
            (at, *_), ahead = one.order(sentence)
            short = one.shorts[at]
            sure = float(chances(np.array([_values(one.features[at], CHANCE)]), chance)[0])
            if short is not None:
                rows.append((signs(short, sure, ahead), short.text, one.asked.golds))
    return rows


def _values(features: Features, names: Sequence[str]) -> list[float]:
    return [features[name] for name in names]


def show_sentences(name: str, found: Sequence[Reading], sentence: Features) -> None:
    """Print how often the best sentence holds a gold answer, and how good the short answers are."""
    tops = [(one, one.order(sentence)[0][0]) for one in found if one.texts]
    texts = [(short.text if (short := one.shorts[at]) else one.texts[at], one.asked.golds) for one, at in tops]
    f, em = (np.mean([best(metric, text, golds) for text, golds in texts]) for metric in (f1, exact))
    hit = np.mean([one.gold[at] for one, at in tops])
    print(f"{name}: {len(tops)} questions, sentence {hit:.3f}, short F1 {f:.3f} EM {em:.3f}", flush=True)


def show_right(name: str, rows: Sequence[Judged], right: Array, questions: int) -> None:
    """Print for thresholds how many short answers are given and how many of those are right."""
    sure = chances(np.array([list(found.values()) for found, _, _ in rows]), right)
    f1s = np.array([best(f1, text, golds) for _, text, golds in rows])
    ems = np.array([best(exact, text, golds) for _, text, golds in rows])
    for at in np.arange(0.0, 0.85, 0.05):
        kept = sure >= at
        if kept.any():
            half = (f1s[kept] >= 0.5).mean()
            print(f"{name}, shown from {at:.2f}: {kept.sum() / questions:.3f} of questions, EM {ems[kept].mean():.3f}, "
                  f"F1 {f1s[kept].mean():.3f}, at least half right {half:.3f}")  # fmt: skip


def fit(benches: Sequence[Bench], questions: int, threshold: float, short_threshold: float) -> QuoteWeights:
    """Return all weights, having printed what they do on articles that they were not fitted on."""
    halves = {title for bench in benches for title in sorted(bench.fitting)[::2]}
    rows = {
        part: [
            row for bench in benches for row in short_rows(bench, {t for t in bench.fitting if (t in halves) == part})
        ]
        for part in (True, False)
    }
    crossed = {part: fit_short(rows[not part]) for part in (True, False)}
    short = fit_short(rows[True] + rows[False])
    seen, absent, unseen = list[Reading](), list[Reading](), list[list[Reading]]()
    for bench in benches:
        ours = [one for one in bench.sample(len(bench.questions), answerable=True) if one.title in bench.fitting]
        ours = ours[:questions]
        seen += [read(bench, one, crossed[one.title in halves]) for one in ours]
        absent += [read(bench, one, crossed[one.title in halves], without_article=True) for one in ours[::2]]
        others = bench.unseen()
        unseen.append([read(bench, one, short) for one in others[:: max(1, len(others) // questions)]])
    fitted_rows = [Row(one.features, one.gold) for one in seen]
    sentence = {n: round(w, 3) for n, w in softmax_fit(fitted_rows, reading.FEATURES, 2e-3, SENTENCE).items()}
    chance = fit_chance(seen, absent, sentence)
    told = judged(seen, sentence, chance)
    labels = np.array([float(best(f1, text, golds) >= 0.5) for _, text, golds in told])
    right = logistic_fit(np.array([list(found.values()) for found, _, _ in told]), labels)
    for name, some in (
        ("fitted articles", seen),
        *((f"other articles of {bench.name}", r) for bench, r in zip(benches, unseen, strict=True)),
    ):
        show_sentences(name, some, sentence)
        show_right(name, judged(some, sentence, chance), right, len(some))
    return QuoteWeights(
        sentence=sentence, chance=dict(zip(CHANCE, chance[:-1].round(3).tolist(), strict=True)),
        chance_bias=round(float(chance[-1]), 3), threshold=threshold, short=dict(short),
        right=dict(zip(told[0][0], right[:-1].round(3).tolist(), strict=True)), right_bias=round(float(right[-1]), 3),
        short_threshold=short_threshold,
    )  # fmt: skip


def main() -> None:
    """Fit, print what was measured, and with --write replace the weights that ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--questions", type=int, default=2000, help="of the fitted articles, and of the others")
    parser.add_argument("--threshold", type=float, default=fitted().threshold, help="of refusals")
    parser.add_argument("--short-threshold", type=float, default=0.65, help="chosen from the table that is printed")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as home:
        embedder = open_embedder()
        squad = Bench(options.data / "squad" / "squad-v1.1-dev.first24.json.gz", embedder, Path(home))
        asked = Bench(options.data / "docqa" / "nq_qed_dev.jsonl.gz", embedder, Path(home))
        weights = fit((squad, asked), options.questions, options.threshold, options.short_threshold)
    if options.write:
        place = Path(__file__).resolve().parents[1] / "rag" / "quote_weights.json"
        place.write_text(json.dumps(weights.model_dump(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
