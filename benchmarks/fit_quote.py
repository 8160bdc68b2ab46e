"""Fit the quote answerer's weights on SQuAD, and measure it on articles that the fit never saw.

    python benchmarks/fit_quote.py --squad ../shared/data/squad [--write] [--questions 3000]

Articles (by title, in order) alternate between fitting and testing. Sentences: softmax over the sentences of the four
best passages, target = those of the right paragraph that hold a gold answer. Short answers: softmax over the
candidates of the sentence, weighted by token F1, drawn towards the hand-set starting weights. Refusal: logistic
regression on the best sentence; positive = it holds a gold answer, negative = the question's article was kept out of
the search, or SQuAD 2.0 says that the paragraph does not answer it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from doceo.core.fingerprint import sha256
from doceo.core.protocols import Embedder
from doceo.core.records import Chunk, Document, Passage, Span
from doceo.providers.embedders import open_embedder
from rag import reading, short
from rag.index import Index
from rag.indexing import update
from rag.question import understand
from rag.reading import Candidate
from rag.retriever import HybridRetriever
from rag.weights import QuoteWeights, fitted

CHANCE = ("coverage", "context", "cosine", "passage_cosine", "has_kind", "lacks_kind")
GROUPS = ("time", "amount", "person", "place", "reason", "manner", "definition", "thing", "boolean")
FORMS = ("time", "amount", "name", "noun", "clause")
# where the fits begin and what they are drawn to: set by hand, so that few questions cannot lead far astray
SENTENCE = {
    "coverage": 4.0, "context": 1.5, "cosine": 5.0, "passage_cosine": 1.0, "passage_score": 2.0, "has_kind": 0.5,
    "lacks_kind": -1.0, "short": -1.0, "long": -0.2, "not_prose": -1.0, "is_question": -2.0, "reason_words": 0.5,
}  # fmt: skip
SHORT = {
    "in_question": -4.0, "partly_in_question": -1.5, "near": 3.0, "nearest": 1.0, "words": 0.2, "long": -0.5,
    "first": -0.2, "after_preposition": 0.2, "head_inside": 0.5, "head_beside": 0.5, "after_verb": 0.4, "quoted": 0.5,
    "year_only": 0.1, "whole_name": 0.3, "of_phrase": -0.2, "amount_of_head": 2.0,
}  # fmt: skip
SHORT_KINDS = {
    "time": (4.0, 1.0, 0.0, 0.0, -1.0), "amount": (0.0, 4.0, 0.0, 0.0, -1.0), "person": (-2.0, -2.0, 3.0, 0.0, -1.0),
    "place": (-2.0, -2.0, 2.0, 0.5, -1.0), "reason": (-2.0, -2.0, 0.0, 0.0, 2.0), "manner": (-2.0, -1.0, 0.0, 0.0, 2.0),
    "definition": (-2.0, -1.0, 0.0, 0.0, 2.0), "thing": (-1.5, -1.0, 1.0, 0.5, 0.0), "boolean": (0.0,) * 5,
}  # fmt: skip
Array = NDArray[np.float64]


@dataclass
class Asked:
    """A question, its gold answers (none where it cannot be answered), and where it stands."""

    title: str
    document_id: str
    paragraph: str
    question: str
    golds: tuple[str, ...]


def corpus(path: Path, embedder: Embedder) -> tuple[list[Document], list[Chunk], list[Asked]]:
    """Return one document an article, its paragraphs as chunks, and all questions."""
    documents, chunks, questions = [], [], []
    for article in json.loads(gzip.decompress(path.read_bytes()))["data"]:
        text = "\n\n".join(paragraph["context"] for paragraph in article["paragraphs"])
        title, key = article["title"].replace("_", " "), Document.identify(text)
        documents.append(
            Document(
                id=key,
                source=f"{path.name}/{title}",
                media_type="text/plain",
                title=title,
                text=text,
                sha256=sha256(text),
            )
        )
        at = 0
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            starts = [start for start, _ in embedder.offsets(context)]
            cuts = [0, *starts[200:-20:200], len(context)]
            for start, end in pairwise(cuts):
                span = Span(document_id=key, start=at + start, end=at + end)
                piece = context[start:end]
                chunks.append(
                    Chunk(
                        id=Chunk.identify(span),
                        document_id=key,
                        span=span,
                        text=piece,
                        tokens=len(embedder.offsets(piece)),
                        text_sha256=sha256(piece),
                    )
                )
            at += len(context) + 2
            for asked in paragraph["qas"]:
                golds = tuple(sorted({answer["text"] for answer in asked["answers"]}))
                questions.append(Asked(title, key, context, asked["question"], golds))
    return documents, chunks, questions


def f1(guess: str, gold: str) -> float:
    """Return SQuAD's token F1."""
    left, right = _normal(guess), _normal(gold)
    shared = sum((Counter(left) & Counter(right)).values())
    return 2 * shared / (len(left) + len(right)) if shared else 0.0


def exact(guess: str, gold: str) -> float:
    """Return SQuAD's exact match."""
    return float(_normal(guess) == _normal(gold))


def _normal(text: str) -> list[str]:
    bare = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def best(metric: Any, guess: str, golds: Sequence[str]) -> float:  # noqa: ANN401
    """Return a metric against the gold answer that fits best."""
    return max((metric(guess, gold) for gold in golds), default=0.0)


def softmax_fit(rows: Sequence[tuple[Array, Array]], start: Array, prior: float) -> Array:
    """Return weights that put most softmax mass where the targets are, drawn to the start by `prior`."""

    def loss(weights: Array) -> tuple[float, Array]:
        total, gradient = 0.0, np.zeros_like(weights)
        for features, target in rows:
            scores = features @ weights
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            mass = shares @ target
            total -= np.log(mass)
            gradient += features.T @ (shares - shares * target / mass)
        off = weights - start
        return total / len(rows) + prior * float(off @ off), gradient / len(rows) + 2 * prior * off

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def logistic_fit(features: Array, labels: Array, weight: Array, prior: float = 1e-3) -> Array:
    """Return the weights of a logistic regression, the bias last."""
    rows = np.hstack([features, np.ones((len(features), 1))])

    def loss(weights: Array) -> tuple[float, Array]:
        scores = rows @ weights
        chance = 1 / (1 + np.exp(-scores))
        error = -(weight * (labels * np.log(chance + 1e-12) + (1 - labels) * np.log(1 - chance + 1e-12))).sum()
        total = weight.sum()
        return error / total + prior * float(weights @ weights), rows.T @ (
            weight * (chance - labels)
        ) / total + 2 * prior * weights

    return np.asarray(minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x)


def auroc(positive: Array, negative: Array) -> float:
    """Return the chance that a positive scores above a negative."""
    return float(np.mean([(negative < score).mean() + 0.5 * (negative == score).mean() for score in positive]))


def short_rows(question: str, sentence: str, index: Index) -> tuple[list[short.Span], Array]:
    """Return the candidates of a sentence and their features, the kind table unrolled."""
    understood = understand(question)
    weighed = short._Weighed(question, understood, sentence, index.lexical)
    spans = short.candidates(sentence)
    rows = np.zeros((len(spans), len(short.FEATURES) + len(GROUPS) * len(FORMS)))
    for row, span in zip(rows, spans, strict=True):
        row[: len(short.FEATURES)] = weighed.features(span)
        group = GROUPS.index(short._group(understood.asked))
        row[len(short.FEATURES) + group * len(FORMS) + FORMS.index(span.form)] = 1
    return spans, rows


class Bench:
    """An index over one SQuAD file and its questions, split by article."""

    def __init__(self, path: Path, embedder: Embedder, home: Path) -> None:
        documents, chunks, self.questions = corpus(path, embedder)
        update(home / path.stem, documents, chunks, embedder)
        self.index = Index.open(home / path.stem, embedder)
        self.retriever = HybridRetriever(self.index)
        titles = sorted({question.title for question in self.questions})
        self.fitting = set(titles[::2])

    def sample(self, number: int, *, answerable: bool, seed: int = 0) -> list[Asked]:
        """Return questions at random."""
        kept = [question for question in self.questions if bool(question.golds) == answerable]
        order = np.random.default_rng(seed).permutation(len(kept))
        return [kept[at] for at in order[:number]]

    def read(self, asked: Asked, *, without_article: bool = False) -> tuple[list[Passage], list[Candidate]]:
        """Return passages and candidates; `without_article` keeps the question's own article out."""
        if not without_article:
            passages = self.retriever.search(asked.question, 4)
        else:
            found = self.retriever.search(asked.question, 60)
            passages = [p for p in found if p.hit.span.document_id != asked.document_id][:4]
        return passages, reading.read(asked.question, passages, self.index)


def fit_sentences(bench: Bench, questions: Sequence[Asked]) -> tuple[dict[str, float], list[Any]]:
    """Return sentence weights and what was read: (asked, candidates, holds gold)."""
    read = []
    for asked in questions:
        passages, candidates = bench.read(asked)
        gold = [
            passages[c.passage].text in asked.paragraph and any(answer in c.text for answer in asked.golds)
            for c in candidates
        ]
        read.append((asked, candidates, np.array(gold, dtype=float)))
    rows = [
        (np.array([c.features for c in candidates]), gold)
        for asked, candidates, gold in read
        if asked.title in bench.fitting and gold.any()
    ]
    start = np.array([SENTENCE[name] for name in reading.FEATURES])
    weights = softmax_fit(rows, start, 2e-3)
    for name, used in (("by hand", start), ("fitted", weights)):
        for part in (True, False):
            hits = [
                gold[int(np.argmax(np.array([c.features for c in candidates]) @ used))] if candidates else 0.0
                for asked, candidates, gold in read
                if (asked.title in bench.fitting) == part
            ]
            print(f"sentence {name}, {'fit' if part else 'test'} articles: {np.mean(hits):.3f} of {len(hits)}")
    return dict(zip(reading.FEATURES, weights.round(3).tolist(), strict=True)), read


def fit_short(bench: Bench, read: Sequence[Any], weights: dict[str, float]) -> tuple[dict[str, float], dict[str, Any]]:
    """Return weights of the short answers' features and of their kinds."""
    vector = np.array([weights[name] for name in reading.FEATURES])
    rows, tests = [], []
    for asked in bench.questions:
        # the sentence that holds a gold answer and shares most words with the question: no search needed
        if asked.title not in bench.fitting or not asked.golds:
            continue
        held = [c for c in re.split(r"(?<=[.!?])\s+(?=[A-Z])", asked.paragraph) if any(g in c for g in asked.golds)]
        stems = set(bench.index.lexical.terms(asked.question))
        if not held:
            continue
        sentence = max(held, key=lambda text: len(stems & set(bench.index.lexical.stems(text))))
        spans, features = short_rows(asked.question, sentence, bench.index)
        gains = np.array([best(f1, sentence[s.start : s.end], asked.golds) for s in spans])
        if len(gains) and gains.max() >= 0.5:
            rows.append((features, gains**2))
    start = np.array([SHORT.get(name, 0.0) for name in short.FEATURES] + [x for g in GROUPS for x in SHORT_KINDS[g]])
    fit = softmax_fit(rows, start, 1e-3)
    for asked, candidates, _ in read:
        if asked.title in bench.fitting or not candidates:
            continue
        top = candidates[int(np.argmax(np.array([c.features for c in candidates]) @ vector))]
        spans, features = short_rows(asked.question, top.text, bench.index)
        texts = [top.text[span.start : span.end] for span in spans]
        tests.append((asked, texts, features, understand(asked.question).asked))
    print(f"short answers: fitted on {len(rows)} sentences")
    for name, used in (("by hand", start), ("fitted", fit)):
        picks = [(a, t[int(np.argmax(f @ used))] if t else "", k) for a, t, f, k in tests]
        ems, f1s = [best(exact, t, a.golds) for a, t, _ in picks], [best(f1, t, a.golds) for a, t, _ in picks]
        print(f"short {name}, test articles, best sentence of the search: EM {np.mean(ems):.3f} F1 {np.mean(f1s):.3f}")
        for kind in sorted({k for _, _, k in picks}):
            some = [(e, f) for (_, _, k), e, f in zip(picks, ems, f1s, strict=True) if k == kind]
            em, f = np.mean(some, axis=0)
            print(f"    {kind:11s} {len(some):4d}  EM {em:.3f} F1 {f:.3f}")
    table = fit[len(short.FEATURES) :].reshape(len(GROUPS), len(FORMS)).round(3)
    kinds = {group: dict(zip(FORMS, row.tolist(), strict=True)) for group, row in zip(GROUPS, table, strict=True)}
    return dict(zip(short.FEATURES, fit[: len(short.FEATURES)].round(3).tolist(), strict=True)), kinds


def fit_chance(
    bench: Bench, second: Bench, read: Sequence[Any], weights: dict[str, float], number: int
) -> tuple[dict[str, float], float]:
    """Return the weights and the bias of the refusal, and print what each threshold would refuse."""
    vector = np.array([weights[name] for name in reading.FEATURES])

    def top(candidates: Sequence[Candidate]) -> Candidate:
        return candidates[int(np.argmax(np.array([c.features for c in candidates]) @ vector))]

    kinds: dict[str, list[tuple[bool, list[float]]]] = {"right": [], "wrong": [], "absent": [], "trap": []}
    for asked, candidates, gold in read:
        if candidates:
            chosen = int(np.argmax(np.array([c.features for c in candidates]) @ vector))
            kind = "right" if gold[chosen] else "wrong"
            kinds[kind].append((asked.title in bench.fitting, [candidates[chosen].feature(n) for n in CHANCE]))
    for kind, source, questions, without in (
        ("absent", bench, bench.sample(number, answerable=True, seed=1), True),
        ("trap", second, second.sample(number, answerable=False, seed=2), False),
    ):
        for asked in questions:
            _, candidates = source.read(asked, without_article=without)
            if candidates:
                chosen_one = top(candidates)
                kinds[kind].append((asked.title in source.fitting, [chosen_one.feature(n) for n in CHANCE]))
    parts = {(k, p): np.array([f for fit, f in v if fit == p]) for k, v in kinds.items() for p in (True, False)}
    right, absent = parts["right", True], parts["absent", True]
    features = np.vstack([right, absent])
    labels = np.array([1.0] * len(right) + [0.0] * len(absent))
    fit = logistic_fit(features, labels, np.where(labels == 1, 0.5 / len(right), 0.5 / len(absent)))

    def chance(rows: Array) -> Array:
        return 1 / (1 + np.exp(-(rows @ fit[:-1] + fit[-1])))

    scores = {kind: chance(parts[kind, False]) for kind in kinds}
    cosine = CHANCE.index("cosine")
    for kind in ("wrong", "absent", "trap"):
        plain = auroc(parts["right", False][:, cosine], parts[kind, False][:, cosine])
        fitted_now = auroc(scores["right"], scores[kind])
        print(f"refusal: AUROC right sentence against {kind} {fitted_now:.3f}, cosine alone {plain:.3f}")
    for at in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        shares = ", ".join(f"{kind} {np.mean(scores[kind] < at):.2f}" for kind in kinds)
        print(f"refused below {at}: {shares}")
    return dict(zip(CHANCE, fit[:-1].round(3).tolist(), strict=True)), round(float(fit[-1]), 3)


def main() -> None:
    """Fit, print what was measured, and with --write replace the weights that ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, default=Path("../shared/data/squad"))
    parser.add_argument("--questions", type=int, default=1200)
    parser.add_argument("--threshold", type=float, default=0.4, help="chosen from the table that is printed")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    embedder = open_embedder()
    with TemporaryDirectory() as home:
        bench = Bench(options.squad / "squad-v1.1-dev.first24.json.gz", embedder, Path(home))
        second = Bench(options.squad / "squad-v2.0-dev.first24.json.gz", embedder, Path(home))
        sentence, read = fit_sentences(bench, bench.sample(options.questions, answerable=True))
        shorts, kinds = fit_short(bench, read, sentence)
        chance, bias = fit_chance(bench, second, read, sentence, options.questions // 2)
    weights = QuoteWeights(
        sentence=sentence, chance=chance, chance_bias=bias, threshold=options.threshold,
        short=shorts, short_kinds=kinds, short_margin=fitted().short_margin,
    )  # fmt: skip
    if options.write:
        place = Path(__file__).resolve().parents[1] / "rag" / "quote_weights.json"
        place.write_text(json.dumps(weights.model_dump(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
