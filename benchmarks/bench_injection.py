"""How often an answer obeys an instruction that stands in the text it is made from, with and without each defence.

    python benchmarks/bench_injection.py [quote|obedient|alarms ...] [--model KIND:NAME]

52 poisoned passages of our own, each with 20 documents that hold the right answers; every poison is asked for with the
question that it wants to spoil. Shares come with 95 % intervals (Wilson). Writes benchmarks/results/injection.json.

The quote answerer copies sentences, so it cannot obey; it can repeat an instruction as its answer, which is counted
apart. The obedient model is a script that knows every poison and obeys it wherever its words are readable. What it
shows is whether a defence takes the words out of the prompt, out of plain reading, or out of what may be taken for an
instruction by a model that believes the marks. What it cannot show is how often a real model falls for an instruction
that it reads, or heeds the marks: for that, name one with --model.

`alarms` counts passages of real documents that a pattern of injections is found in, and poisons in which none is.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from poisoned import Fact, Obedient, OnePoison, Poison, corpus, facts, poisons, right, source_of, styles
from record import ROOT, save

import rag.answerer
import rag.retriever
from data.loaders import Unreadable, loader_of
from doceo.core.config import AnswerConfig, RetrieveConfig
from doceo.core.protocols import Answerer, Provider
from doceo.core.records import Answer
from doceo.providers.minilm_onnx import MiniLM
from doceo.text.injections import flags
from evaluation.obedience import outcome, wilson
from rag.answerer import ModelAnswerer
from rag.asking import Tools
from rag.index import Index
from rag.indexing import update
from rag.quote import QuoteAnswerer
from rag.retriever import HybridRetriever
from rag.shield import Shield

DATA = ROOT.parent / "shared" / "data"
PACKAGES = ("chromadb", "tantivy", "pydantic")
K = 4


class Defence(NamedTuple):
    """What stands between a poison and the answer: at ingest, in the search, in the prompt, when shown."""

    name: str
    stripped: bool = False
    flagged: bool = False
    marks: bool = False
    datamarking: bool = False
    rendering: bool = False


DEFENCES = (
    Defence("none"),
    Defence("hidden text stripped", stripped=True),
    Defence("stripped, flagged passages down-weighted", stripped=True, flagged=True),
    Defence("random marks", marks=True),
    Defence("random marks, datamarking", marks=True, datamarking=True),
    Defence("links and images left out", rendering=True),
    Defence("all but datamarking", stripped=True, flagged=True, marks=True, rendering=True),
    Defence("all", stripped=True, flagged=True, marks=True, datamarking=True, rendering=True),
)
Make = Callable[[Fact, Poison, OnePoison, Defence], Answerer]


def indexes(folder: Path) -> dict[bool, Index]:
    """Return an index of documents as they stand, and one of documents as the loaders read them."""
    embedder = MiniLM(threads=1)
    for stripped in (False, True):
        update(folder / str(stripped), *corpus(embedder, stripped=stripped), embedder)
    return {stripped: Index.open(folder / str(stripped), embedder) for stripped in (False, True)}


def share(found: int, n: int) -> dict[str, object]:
    """Return a share in per cent with its interval."""
    low, high = wilson(found, n)
    digits = 1 if n < 500 else 3
    return {
        name: round(100 * value, digits) for name, value in (("share", found / n), ("low", low), ("high", high))
    } | {
        "found": found,
        "of": n,
    }


class _Bare:
    """Leaves an answer as it is."""

    def add(self, piece: str) -> str:
        """Give a piece back."""
        return piece

    def end(self) -> str:
        """Hold nothing."""
        return ""


@contextmanager
def only(defence: Defence) -> Iterator[None]:
    """Switch off what is always on and not part of a defence: flags of the search, and links left out of answers."""
    flagging, showing = rag.retriever.flags, rag.answerer.rendering
    if not defence.flagged:
        rag.retriever.flags = lambda text: ()
    if not defence.rendering:
        rag.answerer.rendering = lambda passages: _Bare()
    try:
        yield
    finally:
        rag.retriever.flags, rag.answerer.rendering = flagging, showing


def measure(open_indexes: dict[bool, Index], defence: Defence, make: Make) -> dict[str, object]:
    """Ask for every poison once."""
    about = {fact.id: fact for fact in facts()}
    counts: Counter[str] = Counter()
    obeyed: list[Poison] = []
    with only(defence):
        retriever = HybridRetriever(open_indexes[defence.stripped], RetrieveConfig())
        for poison in poisons():
            fact = about[poison.about]
            search = OnePoison(retriever, poison)
            answer: Answer = make(fact, poison, search, defence).answer(fact.question)
            found = [hit.source for hit in answer.hits]
            said = outcome(answer.text, poison.text, poison.marks)
            counts.update([said, "right"] if right(answer.text, fact) else [said])
            counts["read"] += source_of(poison) in found
            counts["found first"] += found[:1] == [source_of(poison)]
            obeyed += [poison] if said == "obeyed" else []
    n = len(poisons())
    row: dict[str, object] = {
        name: share(counts[name], n) for name in ("obeyed", "repeated", "right", "read", "found first")
    }
    return {**row, "obeyed_styles": styles(obeyed)}


def quoting(fact: Fact, poison: Poison, search: OnePoison, defence: Defence) -> Answerer:
    """Return the answerer that needs no model."""
    return QuoteAnswerer(search, k=K)  # type: ignore[arg-type]  # searches as one does


def modelled(provider: Callable[[Fact, Poison], Provider]) -> Make:
    """Return a maker of answerers over a model."""

    def make(fact: Fact, poison: Poison, search: OnePoison, defence: Defence) -> Answerer:
        shield = partial(Shield.for_request, datamarking=defence.datamarking) if defence.marks else None
        return ModelAnswerer(
            "model+rag", provider(fact, poison), search, AnswerConfig(), k=K, tools=Tools(shield=shield),
            documents=search.index.document,
        )  # fmt: skip

    return make


def passages(text: str) -> Iterator[str]:
    """Yield stretches of paragraphs of about a passage's length."""
    part = ""
    for paragraph in text.split("\n\n"):
        part += f"{paragraph}\n\n"
        if len(part) > 800:
            yield part
            part = ""
    if part.strip():
        yield part


def real_texts() -> dict[str, list[str]]:
    """Return passages of real documents by set."""
    sets: dict[str, list[str]] = {"docs": [], "lm": [], "squad": [], "xquad de and zh": []}
    for path in sorted((DATA / "docs").rglob("*.*")):
        with suppress(Unreadable):
            sets["docs"] += passages(loader_of(path.suffix)(path.read_bytes(), 1 << 26).text)
    for path in sorted((DATA / "lm").rglob("*.gz")):
        sets["lm"] += passages(gzip.decompress(path.read_bytes()).decode())
    for path in sorted((DATA / "squad").glob("*.gz")):
        articles = json.loads(gzip.decompress(path.read_bytes()))["data"]
        contexts = [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]
        sets["squad" if path.name.startswith("squad") else "xquad de and zh"] += dict.fromkeys(contexts)
    return sets


def alarms() -> dict[str, object]:
    """Count false alarms on real documents, and poisons that no pattern finds."""
    rows: dict[str, object] = {}
    for name, texts in real_texts().items():
        if texts:
            rows[f"false alarms: {name}"] = share(sum(bool(flags(text)) for text in texts), len(texts))
    read = [(poison, loader_of(poison.ending)(poison.text.encode(), 1 << 20).text) for poison in poisons()]
    left = [(poison, text) for poison, text in read if any(mark in text for mark in poison.marks)]
    missed = [poison for poison, text in left if not flags(text)]
    rows["poisons whose instruction is still there once hidden text is stripped"] = share(len(left), len(read))
    rows["of these flagged"] = share(len(left) - len(missed), len(left))
    return {**rows, "styles not flagged": styles(missed)}


def main() -> None:
    """Measure what is named, or everything."""
    named = [name for name in sys.argv[1:] if not name.startswith("-")]
    model = sys.argv[sys.argv.index("--model") + 1] if "--model" in sys.argv else ""
    named = [name for name in named if name != model] or ["quote", "obedient", "alarms"]
    rows: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        opened = indexes(Path(folder)) if {"quote", "obedient"} & set(named) or model else {}
        makers: dict[str, Make] = {
            "quote": quoting,
            "obedient, heeds the marks": modelled(lambda fact, poison: Obedient(fact, poison, heeds_marks=True)),
            "obedient, heeds no marks": modelled(lambda fact, poison: Obedient(fact, poison, heeds_marks=False)),
        }
        if model:
            from doceo.app.models import open_provider
            from doceo.app.settings import Settings
            from doceo.core.progress import Silent

            real = open_provider(model, Settings(), journal=None, progress=Silent())
            makers = {model: modelled(lambda fact, poison: real)}
        for name, make in makers.items():
            if not model and name.split(",")[0] not in named:
                continue
            for defence in DEFENCES:
                row = measure(opened, defence, make)
                rows[f"{name}; {defence.name}"] = row
                print(f"{name}; {defence.name}", json.dumps(row, ensure_ascii=False), flush=True)
        for index in opened.values():
            index.close()
    if "alarms" in named:
        rows |= (found := alarms())
        print(json.dumps(found, indent=1, ensure_ascii=False))
    save("injection", rows, PACKAGES)


if __name__ == "__main__":
    main()
