"""How often `doceo gate` calls a false alarm, and how often it finds a loss of the size that it says it would see.

    python benchmarks/bench_gate.py [--data ../shared/data] [--repetitions 1000] [--save]

On real answers to real questions: of `quote+rag` to SQuAD 2.0 (with and without an answer) with two searches, under the
metrics of `doceo evaluate`; and of eight translation systems to WMT17 (English to German), as four systems before and
after. n questions are drawn.

*False alarms*: for every question a coin decides which of its two answers, under all metrics alike, is of before and
which of now, so that nothing has changed; an alarm is a gate with any check that is worse. Bar: 5 % at most.

*Power*: the same, and a share of the answers of now is those to other questions instead. The share is such that the
true loss of one check (F1, chrF) is what the gate states that it would find four times in five. Bar: 80 % at least.
Intervals of the rates: Wilson 1927.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import record
from numpy.typing import NDArray
from squad import Asked, articles, corpus

from doceo.core.config import RetrieveConfig
from doceo.core.records import Answer, Document, Evidence, Question, Span
from doceo.providers.embedders import open_embedder
from evaluation.case import Case
from evaluation.gate import Check, Measured, checks
from evaluation.metric import Metric, Rows
from evaluation.metrics import load_all
from rag.index import Index
from rag.indexing import update
from rag.quote import QuoteAnswerer
from rag.retriever import HybridRetriever

SQUAD_METRICS = (
    "bleu", "chrf", "rougeL", "em", "f1", "grounded", "verified", "citation_precision", "citation_recall", "hit@k",
    "ndcg", "decided", "auroc",
)  # fmt: skip
WMT_METRICS = ("chrf", "bleu", "rougeL")
SIZES = (10, 30, 100, 300)
RESAMPLES = 500
Flags = NDArray[np.bool_]


@dataclass
class Column:
    """One system's statistics under one metric: of two ways to answer, and of answers to other questions.

    Each is of shape (questions, k), with flags that say where it is defined.
    """

    system: str
    metric: Metric
    ways: tuple[Rows, Rows, Rows]
    known: tuple[Flags, Flags, Flags]


def column(system: str, metric: Metric, ways: Sequence[Sequence[Case]]) -> Column:
    """Return the statistics of two ways to answer, and of the first one's answers each to the question before."""
    one, other = ways
    wrong = [Case(case.question, one[at - 1].answer) for at, case in enumerate(one)]
    made = [metric.statistics(cases) for cases in (one, other, wrong)]
    k = next(len(row) for rows in made for row in rows if row is not None)
    tables = [np.stack([np.zeros(k) if row is None else row for row in rows]) for rows in made]
    flags = [np.array([row is not None for row in rows]) for rows in made]
    return Column(system, metric, (tables[0], tables[1], tables[2]), (flags[0], flags[1], flags[2]))


def squad_columns(data: Path, number: int) -> list[Column]:
    """Return the columns of `quote+rag` on SQuAD 2.0: as it ships, and with two passages found by meaning alone."""
    embedder = open_embedder()
    documents, chunks, asked = corpus(articles(data / "squad" / "squad-v2.0-dev.first24.json.gz"), "SQuAD", embedder)
    order = np.random.default_rng(0).permutation(len(asked))[:number]
    with TemporaryDirectory() as home:
        update(Path(home) / "index", documents, chunks, embedder)
        index = Index.open(Path(home) / "index", embedder)
        texts = {document.id: document for document in documents}
        questions = [_question(asked[at], texts[asked[at].document_id], str(at)) for at in order]
        whole = QuoteAnswerer(HybridRetriever(index))
        less = QuoteAnswerer(HybridRetriever(index, RetrieveConfig(dense_weight=1)), k=2)
        ways = [[Case(one, answerer.answer(one.question)) for one in questions] for answerer in (whole, less)]
        index.close()
    return [column("quote+rag", metric, ways) for metric in load_all(SQUAD_METRICS)]


def _question(asked: Asked, document: Document, key: str) -> Question:
    evidence = []
    for gold in asked.golds[:1]:
        start = document.text.index(asked.paragraph) + asked.paragraph.index(gold)
        span = Span(document_id=document.id, start=start, end=start + len(gold))
        evidence.append(Evidence(span=span, quote=gold))
    return Question(
        pair_id=key, set="unseen", question=asked.question, references=asked.golds, evidence=tuple(evidence),
        answerable=bool(asked.golds),
    )  # fmt: skip


def wmt_columns(data: Path) -> list[Column]:
    """Return the columns of eight systems of WMT17, two and two as one system before and after."""
    found = json.loads(gzip.decompress((data / "metrics" / "wmt17_en_de.json.gz").read_bytes()))
    questions = [
        Question(pair_id=str(at), set="unseen", question="", references=(text,))
        for at, text in enumerate(found["reference"])
    ]
    made = [
        [Case(question, Answer(text=text)) for question, text in zip(questions, system["outputs"], strict=True)]
        for system in found["systems"]
    ]
    metrics = load_all(WMT_METRICS)
    return [column(f"system {at}", metric, made[2 * at : 2 * at + 2]) for at in range(4) for metric in metrics]


def gate(columns: Sequence[Column], n: int, lost: float, seed: int) -> list[Check]:
    """Return the checks of a gate of n questions, of which a share has lost its right answer now."""
    random = np.random.default_rng([seed, n])
    picked = random.choice(len(columns[0].known[0]), n, replace=False)
    swap, wrong = random.random(n) < 0.5, random.random(n) < lost
    measured = []
    for one in columns:
        (a, b, c), (at, bt, ct) = ([side[picked] for side in sides] for sides in (one.ways, one.known))
        now = np.where(wrong[:, None], c, np.where(swap[:, None], b, a))
        before = np.where(swap[:, None], a, b)
        known = np.where(wrong, ct, np.where(swap, bt, at)) & np.where(swap, at, bt)
        now, before = now * known[:, None], before * known[:, None]
        measured.append(Measured(one.system, "unseen", one.metric, 0.0, now, before, known))
    return checks(measured, resamples=RESAMPLES, seed=seed)


def false_alarms(columns: Sequence[Column], n: int, repetitions: int) -> dict[str, object]:
    """Return how many gates alarm where nothing has changed."""
    alarms = sum(any(check.outcome == "worse" for check in gate(columns, n, 0.0, seed)) for seed in range(repetitions))
    return {"checks": len(columns), "gates": repetitions, "alarms": alarms, **wilson(alarms, repetitions)}


def power(columns: Sequence[Column], target: int, n: int, repetitions: int) -> dict[str, object]:
    """Return how often a loss of the stated size is found; nothing of that where it is more than there is to lose."""
    most = whole_loss(columns[target])
    lost, stated = 0.0, 0.0
    for _ in range(4):
        found = [gate(columns, n, lost, 10_000 + seed)[target].detectable for seed in range(200)]
        if sum(one is None for one in found) > len(found) / 2:
            return {"stated loss": None}
        stated = float(np.mean([one for one in found if one is not None]))
        lost = min(1.0, stated / most)
    size: dict[str, object] = {"stated loss": round(stated, 2)}
    if lost >= 1:
        return {**size, "there is to lose": round(most, 2)}
    seen = sum(gate(columns, n, lost, 50_000 + seed)[target].outcome == "worse" for seed in range(repetitions))
    return {
        **size,
        "share of answers lost": round(lost, 4),
        "gates": repetitions,
        "found": seen,
        **wilson(seen, repetitions),
    }


def whole_loss(one: Column) -> float:
    """Return what a metric loses where all answers are those to other questions."""
    a, b, wrong = (float(one.metric.corpus(way.sum(axis=0, keepdims=True))[0]) for way in one.ways)
    return (a + b) / 2 - wrong


def wilson(hits: int, n: int) -> dict[str, float]:
    """Return a rate with its 95 % interval."""
    z, share = 1.959964, hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return {"rate": round(share, 4), "low": round(middle - half, 4), "high": round(middle + half, 4)}


def main() -> None:
    """Measure, print, and with --save keep the figures in results/gate.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--questions", type=int, default=1500, help="of SQuAD, that are drawn from")
    parser.add_argument("--sets", default="SQuAD 2.0,WMT17")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    made: dict[str, tuple[Callable[[], list[Column]], int]] = {
        "SQuAD 2.0": (lambda: squad_columns(options.data, options.questions), SQUAD_METRICS.index("f1")),
        "WMT17": (lambda: wmt_columns(options.data), WMT_METRICS.index("chrf")),
    }
    results: dict[str, object] = {}
    for name in options.sets.split(","):
        load, target = made[name]
        columns = load()
        rows: dict[str, object] = {}
        for n in SIZES:
            began = time.process_time()
            alarms = false_alarms(columns, n, options.repetitions)
            found = power(columns, target, n, max(1, options.repetitions // 2))
            rows[f"{n} questions"] = {"false alarms": alarms, f"power, {columns[target].metric.label}": found}
            print(name, n, alarms, found, f"{time.process_time() - began:.0f} s", flush=True)
        results[name] = rows
    if options.save:
        record.save("gate", results, ("doceo", "numpy", "scipy", "sacrebleu"))


if __name__ == "__main__":
    main()
