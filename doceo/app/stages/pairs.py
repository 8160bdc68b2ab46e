"""Stage 3: chunks to pairs, with ledger, coverage and card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from data import manifest as manifests
from data.jsonl import read_json, read_jsonl, write_json, write_jsonl, write_text
from data.splits import unseen_chunks
from data.store import CHUNKS, DOCUMENTS, PAIRS, Run
from doceo.app.stages.documents import Ingested
from doceo.core.config import GenerateConfig
from doceo.core.protocols import Progress, Teacher
from doceo.core.records import Ledger, Pair
from generator.card import card
from generator.coverage import coverage
from generator.pipeline import Corpus, generate

PACKAGES = ("doceo", "openai", "rapidfuzz", "datasketch")


@dataclass(frozen=True)
class Made:
    """The accepted pairs of a run and what became of the others."""

    pairs: list[Pair]
    ledger: Ledger


def held_out(ingested: Ingested, config: GenerateConfig) -> frozenset[str]:
    """Return the ids of the chunks that training must not see: a function of the documents and the config alone."""
    return unseen_chunks(ingested.documents, ingested.chunks, config.unseen_share, config.seed, config.held_out)


def make_pairs(
    run: Run,
    ingested: Ingested,
    open_teacher: Callable[[], Teacher],
    identity: dict[str, str],
    config: GenerateConfig,
    progress: Progress,
    spent: Callable[[], str],
) -> Made:
    """Make the pairs of a run.

    Args:
        run: The run.
        ingested: Its documents and chunks.
        open_teacher: Opens the teacher; not called where the stage is finished.
        identity: Name of the teacher and hashes of its prompts: a change makes the stage anew.
        config: How many, and how.
        progress: Where to show it.
        spent: Says in words what the teacher cost.

    Raises:
        ProviderError: where the teacher cannot be used; its replies until then stay in the journal.
    """
    inputs = [run.file(DOCUMENTS, "documents.jsonl"), run.file(CHUNKS, "chunks.jsonl")]
    stage = run.stage(PAIRS, config=[config], inputs=inputs, prompts=identity, packages=PACKAGES, seed=config.seed)
    if not stage.finished:
        with stage.making() as work:
            corpus = Corpus(ingested.documents, ingested.chunks, held_out(ingested, config))
            made = generate(corpus, open_teacher(), config, progress)
            touched = coverage(ingested.documents, ingested.chunks, made.pairs)
            unseen = sum(bool(corpus.unseen.intersection(pair.chunk_ids)) for pair in made.pairs)
            sets = {"pairs.jsonl": len(made.pairs), "of these from kept-out text": unseen}
            write_jsonl(work / "pairs.jsonl", made.pairs)
            write_jsonl(work / "rejected.jsonl", made.rejected)
            write_json(work / "ledger.json", made.ledger.model_dump())
            write_json(work / "coverage.json", touched)
            write_text(work / "card.md", card(run.name, made.pairs, made.ledger, touched, sets, spent()))
    return load_pairs(run)


def split_of(run: Run) -> GenerateConfig:
    """Return the config by which a run's pairs, and with them its kept-out text, were made. Raises StageMissing."""
    made = manifests.read(run.file(PAIRS, "pairs.jsonl").parent)
    assert made is not None
    return GenerateConfig.model_validate(made.config["GenerateConfig"])


def load_pairs(run: Run) -> Made:
    """Return the pairs of a run. Raises StageMissing where there are none."""
    ledger = read_json(run.file(PAIRS, "ledger.json"))
    return Made(pairs=read_jsonl(run.file(PAIRS, "pairs.jsonl"), Pair), ledger=Ledger.model_validate(ledger))
