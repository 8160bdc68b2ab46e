"""How good the quote answerer's short answers are, in SQuAD's two metrics, and how often one that is shown is right.

    python benchmarks/bench_short_answers.py --data ../shared/data [--questions 1000] [--save]

Reported on the articles that no weights were fitted on (every second one by title) of SQuAD v1.1's shared half and of
questions typed into a search engine (NQ, by QED), and on sets that nothing was fitted on: questions of experts about
whole scientific articles (COVID-QA), and SQuAD's in German and Chinese (XQuAD), in which no short answers are sought.

*Gold*: the paragraph that answers is given (COVID-QA: the chunk). *Search*: the whole pipeline, among all paragraphs of
the set, refusals as shipped; a refusal scores nothing. *Guess*: the best short answer of the best sentence, however
unsure, or the sentence where it has none. *Shown*: what a user gets: the short answer where it is sure enough, else the
sentences quoted. *Right when shown*: of the short answers that are shown, how many are word for word a gold one (EM),
and how many share half their words with one (F1 of at least 0.5), or stand within one (gold answers of COVID-QA are
whole sentences). Intervals: bootstrap over articles.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import record
from squad import Asked, alone, articles, best, corpus, exact, f1, made

from data.chunking import chunk_document
from doceo.core.config import ChunkConfig
from doceo.core.protocols import Embedder
from doceo.core.records import Chunk, Document, Passage
from doceo.providers.embedders import open_embedder
from rag.index import Index
from rag.indexing import update
from rag.quote import given
from rag.reading import read
from rag.refusal import sentence_chance
from rag.retriever import HybridRetriever
from rag.risk import RESAMPLES, Array, interval
from rag.weights import fitted

COLUMNS = ("guess F1", "guess EM", "as shown F1", "as shown EM", "sentence", "refused", "short shown")
RIGHT = ("right when shown, EM", "right when shown, F1", "right when shown, half", "right when shown, half or within")
FITTED = ("SQuAD", "NQ")
"""Sets of which every second article was fitted on: only the others are reported on."""
Set = tuple[list[Document], list[Chunk], list[Asked]]


def covidqa(path: Path, embedder: Embedder) -> Set:
    """Return whole articles, cut as `doceo index` cuts them; a question's paragraph is the chunk with its answer."""
    documents, chunks, questions = [], [], []
    for article in json.loads(gzip.decompress(path.read_bytes()))["data"]:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            document = made("COVID-QA", text.strip().split("\n", 1)[0][:100], text)
            cut = list(chunk_document(document, embedder, ChunkConfig()))
            documents.append(document)
            chunks += cut
            for asked in paragraph["qas"]:
                gold = asked["answers"][0]
                start, end = gold["answer_start"], gold["answer_start"] + len(gold["text"])
                held = max(cut, key=lambda chunk: min(end, chunk.span.end) - max(start, chunk.span.start))
                golds = (gold["text"].strip(),)
                questions.append(Asked(document.title, document.id, held.text, asked["question"], golds))
    return documents, chunks, questions


def answered(asked: Asked, passages: Sequence[Passage], index: Index, *, refuses: bool) -> list[float]:
    """Return COLUMNS and RIGHT for one question; the latter are NaN where no short answer is shown."""
    candidates = read(asked.question, passages, index)
    top = candidates[0] if candidates else None
    chance = sentence_chance(top) if top else 0.0
    refused = top is None or (refuses and chance < fitted().threshold)
    guess = top.short.text if top and top.short else top.text if top else ""
    shown = given(candidates, chance) if not refused else None
    quoted = "" if refused or top is None else top.text
    held = top is not None and any(gold in top.text for gold in asked.golds) and top.text in asked.paragraph
    scores = [best(metric, text, asked.golds) for text in (guess, shown or quoted) for metric in (f1, exact)]
    row = [*scores, float(held), float(refused), float(shown is not None)]
    if not shown:
        return [*row, *[float("nan")] * len(RIGHT)]
    f, within = best(f1, shown, asked.golds), any(shown.lower() in gold.lower() for gold in asked.golds)
    return [*row, best(exact, shown, asked.golds), f, float(f >= 0.5), float(f >= 0.5 or within)]


def summary(rows: Array, clusters: Sequence[str], seed: int = 0) -> dict[str, dict[str, float]]:
    """Return the mean of each column with its interval: articles are drawn, with all their questions.

    A column without any value is left out.
    """
    names = sorted(set(clusters))
    places = [np.flatnonzero(np.array(clusters) == name) for name in names]
    sums, counts = (np.array([part(rows[at]) for at in places]) for part in (_sums, _counts))
    draws = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    found = {}
    for at, name in enumerate((*COLUMNS, *RIGHT)):
        means = sums[draws, at].sum(axis=1) / np.maximum(counts[draws, at].sum(axis=1), 1)
        low, high = interval(means.tolist())
        total = counts[:, at].sum()
        if not total:
            continue  # undefined: no short answer is shown
        value = sums[:, at].sum() / total
        found[name] = {"value": round(float(value), 4), "low": round(low, 4), "high": round(high, 4)}
    return found


def _sums(rows: Array) -> Array:
    return np.asarray(np.nansum(rows, axis=0))


def _counts(rows: Array) -> Array:
    return np.asarray((~np.isnan(rows)).sum(axis=0))


def measured(found: Set, asked: Sequence[Asked], embedder: Embedder, home: Path) -> dict[str, object]:
    """Return the two rows of a set."""
    documents, chunks, _ = found
    update(home, documents, chunks, embedder)
    index = Index.open(home, embedder)
    retriever = HybridRetriever(index)
    clusters = [one.document_id for one in asked]
    results: dict[str, object] = {"n": len(asked), "documents": len(documents), "passages": len(chunks)}
    gold = [answered(one, [alone(one.paragraph, one.title)], index, refuses=False) for one in asked]
    results["gold"] = summary(np.array(gold), clusters)
    rows, seconds = [], 0.0
    for one in asked:
        passages = retriever.search(one.question, 4)
        began = time.process_time()
        rows.append(answered(one, passages, index, refuses=True))
        seconds += time.process_time() - began
    results["search"] = summary(np.array(rows), clusters)
    results["CPU ms a question beside the search"] = round(seconds / len(asked) * 1000, 1)
    index.close()
    return results


def main() -> None:
    """Measure, print, and with --save keep the figures in results/short_answers.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--questions", type=int, default=10_000, help="of each set, at most")
    parser.add_argument("--sets", default="SQuAD,NQ,COVID-QA,XQuAD de,XQuAD zh")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    embedder, results = open_embedder(), {}
    for name in options.sets.split(","):
        found = _loaded(name, options.data, embedder)
        titles = sorted({one.title for one in found[2]})
        unseen = set(titles[1::2] if name in FITTED else titles)
        asked = [one for one in found[2] if one.title in unseen]
        order = np.random.default_rng(0).permutation(len(asked))[: options.questions]
        with TemporaryDirectory() as home:
            results[name] = measured(found, [asked[at] for at in order], embedder, Path(home) / "index")
        _show(name, results[name])
    if options.save:
        record.save("short_answers", results, ("doceo", "onnxruntime", "tantivy", "chromadb"))


def _loaded(name: str, data: Path, embedder: Embedder) -> Set:
    if name == "COVID-QA":
        return covidqa(data / "docqa" / "covidqa.json.gz", embedder)
    if name == "NQ":
        return corpus(articles(data / "docqa" / "nq_qed_dev.jsonl.gz"), name, embedder)
    file = "squad-v1.1-dev.first24.json.gz" if name == "SQuAD" else f"xquad.{name[-2:]}.json.gz"
    return corpus(articles(data / "squad" / file), name, embedder)


def _show(name: str, result: dict[str, object]) -> None:
    print(f"\n{name}: {', '.join(f'{value} {key}' for key, value in result.items() if not isinstance(value, dict))}")
    for row, values in result.items():
        if isinstance(values, dict):
            cells = [f"{what} {v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for what, v in values.items()]
            print(f"  {row}: " + "\n    ".join(["", *cells]), flush=True)


if __name__ == "__main__":
    main()
