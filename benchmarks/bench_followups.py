"""Follow-up questions of CANARD, on the half of its conversations that nothing was fitted on (`fit_followups.py`).

    python benchmarks/bench_followups.py [--retrieval N]

Words: of the content words that a person's rewrite adds to a question, the share that our expanded query holds too;
with no history (the question alone), with the whole of the last question added where the question leans on it by a
plain pattern (what this program did before), and with the rules of `rag.follow_ups`; beside it all words that were
said, which no rule that adds earlier words can pass. Every conversation is read as it was asked (its writers saw the
title of an article, and often never say it) and with its subject named first, as people begin with a program.

Gate: how often rules add words to questions that need them, to rewrites, which need none, and to rewrites that begin
another subject.

Retrieval, of N questions: passages are the answers of all conversations, each under its title and section; found is
the one that answers. The question alone, with its words added (alone, and fused with the bare question at equal
weights and at the weights of the gate), and the person's rewrite.

Intervals are 95 % bootstraps over conversations. Writes benchmarks/results/followups.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import record
from fit_followups import SETTINGS, Row, half, read

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Message, Passage, Span
from doceo.text.words import content_words
from rag import history
from rag.follow_ups import STANDS_ALONE, understand

DATA = record.ROOT.parent / "shared" / "data" / "conversation" / "canard_dev.json.gz"
RESAMPLES = 1000
K = 10
_LEANS = re.compile(
    r"^\s*(?:and|but|or|so|then|also|what about|how about|what else|really|why|when|where|who|how)\b[^.!?]{0,25}\?*\s*$"
    r"|\b(?:it|its|he|she|him|his|her|they|them|their|theirs|this|that|these|those|there|the same|the other|the former"
    r"|the latter|one|ones|such|else|instead|more|another)\b",
    re.I,
)

Expand = Callable[[str, Sequence[Message]], str]


def alone(question: str, turns: Sequence[Message]) -> str:
    """The question as it stands."""
    return question


def last_question(question: str, turns: Sequence[Message]) -> str:
    """The last question before it, where a pattern says that it leans on one."""
    asked = [turn.content for turn in turns if turn.role == "user"]
    leans = bool(_LEANS.search(question)) or len(content_words(question)) < 4
    return f"{asked[-1]} {question}" if leans else question


def rules(question: str, turns: Sequence[Message]) -> str:
    """The rules of this program."""
    return list(history.weighted_queries(question, turns))[-1]


def everything(question: str, turns: Sequence[Message]) -> str:
    """All that was said."""
    return " ".join([question, *(turn.content for turn in turns)])


WAYS: dict[str, Expand] = {"alone": alone, "last question": last_question, "rules": rules, "all turns": everything}


def words(rows: Sequence[Row], expand: Expand) -> dict[str, object]:
    """Return shares of the words that people add, and of the words that we add."""
    counts: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for row in rows:
        ours = set(content_words(expand(row.question, row.turns))) - set(content_words(row.question))
        counts[row.conversation].append((len(ours & row.added), len(row.added), len(ours)))
    sums = np.array([np.sum(some, axis=0) for some in counts.values()])
    held, added, ours_n = sums.sum(axis=0)
    low, high = interval(sums, lambda total: total[:, 0] / total[:, 1])
    return {
        "share_of_added_words": round(float(held / added), 4),
        "interval": [low, high],
        "share_of_ours_that_people_add": round(float(held / ours_n), 4) if ours_n else None,
        "our_words_per_question": round(float(ours_n / len(rows)), 2),
        "questions": len(rows),
    }


def interval(sums: np.ndarray, value: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Return the bootstrap interval of a ratio of sums over conversations."""
    drawn = np.random.default_rng(0).integers(len(sums), size=(RESAMPLES, len(sums)))
    values = value(sums[drawn].sum(axis=1))
    low, high = np.percentile(values, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def by_turn(rows: Sequence[Row]) -> dict[str, float]:
    """Return the share of added words that the rules hold, by the number of questions before."""
    shares = {}
    for number in sorted({min(row.number, 6) for row in rows}):
        some = [row for row in rows if min(row.number, 6) == number and row.added]
        if some:
            shares[f"{number}{'+' if number == 6 else ''}"] = words(some, rules)["share_of_added_words"]
    return shares  # type: ignore[return-value]


def gate(rows: Sequence[Row]) -> dict[str, float]:
    """Return how often words are added to what needs them and to what does not."""
    kinds = {
        "follow-ups": [(row.question, row.turns) for row in rows if row.added],
        "rewrites": [(row.rewrite, row.turns) for row in rows],
        "rewrites in another conversation": [
            (row.rewrite, rows[(at + len(rows) // 2) % len(rows)].turns) for at, row in enumerate(rows)
        ],
    }
    return {
        kind: round(sum(understand(*one).chance >= STANDS_ALONE for one in some) / len(some), 4)
        for kind, some in kinds.items()
    }


def retrieval(rows: Sequence[Row], limit: int) -> dict[str, object]:
    """Return how well the passage with the answer is found, by way of asking."""
    from doceo.core.config import RetrieveConfig
    from doceo.providers.embedders import open_embedder
    from rag.index import Index
    from rag.indexing import update
    from rag.retriever import HybridRetriever

    documents, chunks, gold = corpus(DATA)
    asked = [row for row in rows if (row.conversation, row.number) in gold][:limit]
    embedder = open_embedder("all-MiniLM-L6-v2")
    with tempfile.TemporaryDirectory() as folder:
        update(Path(folder) / "index", documents, chunks, embedder)
        retriever = HybridRetriever(Index.open(Path(folder) / "index", embedder), RetrieveConfig())

        def weighted(row: Row) -> list[Passage]:
            return retriever.search_all(history.weighted_queries(row.question, row.turns), K).passages

        def equal(row: Row) -> list[Passage]:
            return retriever.search_all(list(history.weighted_queries(row.question, row.turns)), K).passages

        ways: dict[str, Callable[[Row], list[Passage]]] = {
            "question alone": lambda row: retriever.search(row.question, K),
            "last question": lambda row: retriever.search(last_question(row.question, row.turns), K),
            "rules": lambda row: retriever.search(rules(row.question, row.turns), K),
            "rules, fused equally": equal,
            "rules, fused by the gate": weighted,
            "a person's rewrite": lambda row: retriever.search(row.rewrite, K),
        }
        found: dict[str, object] = {"questions": len(asked), "passages": len(chunks)}
        for name, search in ways.items():
            found[name] = ranks([place(search(row), gold[row.conversation, row.number]) for row in asked])
    return found


def corpus(path: Path) -> tuple[list[Document], list[Chunk], dict[tuple[str, int], str]]:
    """Return a document for every conversation, a passage for every answer, and which passage answers which turn."""
    said: dict[str, dict[int, str]] = defaultdict(dict)
    about: dict[str, tuple[str, str]] = {}
    for line in json.loads(gzip.decompress(path.read_bytes())):
        title, section, *turns = line["History"]
        about[line["QuAC_dialog_id"]] = (title, section)
        for at in range(1, len(turns), 2):
            if turns[at] != "I don't know.":
                said[line["QuAC_dialog_id"]][at // 2] = turns[at]
    documents, chunks, gold = [], [], {}
    for conversation, answers in said.items():
        title, section = about[conversation]
        text = "\n\n".join(answers.values())
        source = f"canard/{conversation}.txt"
        key = Document.identify(text)
        documents.append(
            Document(id=key, source=source, media_type="text/plain", title=title, text=text, sha256=sha256(text))
        )
        at = 0
        for number, answer in answers.items():
            span = Span(document_id=key, start=at, end=at + len(answer))
            chunk = Chunk(
                id=Chunk.identify(span),
                document_id=key,
                span=span,
                text=answer,
                heading_path=(section,),
                tokens=1,
                text_sha256=sha256(answer),
            )
            chunks.append(chunk)
            gold[conversation, number] = chunk.id
            at += len(answer) + 2
    return documents, chunks, gold


def place(passages: Sequence[Passage], wanted: str) -> int:
    """Return the rank of a passage, 0 where it was not found."""
    return next((rank for rank, passage in enumerate(passages, 1) if passage.hit.chunk_id == wanted), 0)


def ranks(places: Sequence[int]) -> dict[str, float]:
    """Return shares found at rank 1 and 4 and the mean reciprocal rank within 10, with the interval of rank 4."""
    array = np.array(places)
    at_4 = (array > 0) & (array <= 4)
    low, high = interval(np.stack([at_4, np.ones(len(array))], axis=1), lambda total: total[:, 0] / total[:, 1])
    reciprocal = [1 / rank if rank else 0.0 for rank in places]
    return {
        "rank_1": round(float((array == 1).mean()), 4),
        "rank_4": round(float(at_4.mean()), 4),
        "rank_4_low": low,
        "rank_4_high": high,
        "mrr_10": round(float(np.mean(reciprocal)), 4),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retrieval", type=int, default=0, metavar="N", help="Questions to search for; 0: none.")
    limit = parser.parse_args().retrieval
    results: dict[str, object] = {}
    for setting in SETTINGS:
        rows = [row for row in read(DATA, setting) if half(row) == 1]
        results[f"words, {setting}"] = {name: words(rows, expand) for name, expand in WAYS.items()}
        results[f"words by questions before, {setting}"] = by_turn(rows)
        results[f"gate, {setting}"] = gate(rows)
        if limit:
            results[f"retrieval, {setting}"] = retrieval(rows, limit)
    for name, result in results.items():
        print(name, json.dumps(result, indent=1))
    record.save("followups", results, ("doceo", "numpy"))


if __name__ == "__main__":
    main()
