"""Stages 3 and 4 from a file: pairs that came from elsewhere, for a report, an export, a fine-tuning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data import manifest as manifests
from data.dataset import Dataset, build_dataset
from data.dataset_card import dataset_card
from data.formats.provenance import IMPORTED
from data.jsonl import write_json, write_jsonl, write_text
from data.manifest import file_sha256, hash_inputs, installed
from data.review import REVIEW
from data.store import CHUNKS, DATASET, PAIRS, Run
from doceo.app.stages.dataset import held_out_rows, make_dataset, row_of
from doceo.app.stages.documents import Ingested, load_ingested
from doceo.app.stages.pairs import Made, load_pairs, split_of
from doceo.app.stages.pairs_file import read_pairs
from doceo.core.config import Config, DatasetConfig, GenerateConfig
from doceo.core.errors import RunError
from doceo.core.fingerprint import identify
from doceo.core.records import Ledger, Pair, Rejected, Verdict
from generator.card import CardFacts, card
from generator.coverage import coverage
from generator.review import apply_review, read_decisions

PACKAGES = ("doceo", "pyarrow")


class ImportConfig(Config):
    """Where a run's pairs came from."""

    format: str
    """Format of the file."""


@dataclass(frozen=True)
class Imported:
    """The pairs of a run that came from a file; `unchanged` says that they were there already."""

    made: Made
    format: str
    unchanged: bool


def import_file(run: Run, file: Path, form: str, config: DatasetConfig) -> Imported:
    """Read a file's pairs into a run, and make its dataset. Nothing is held out for testing.

    The run is locked once the file is read. Where it has documents, evidence that does not stand in them is rejected.

    Args:
        run: The run; one whose pairs were generated is refused.
        file: Rows in any form that `doceo finetune` reads, or an export of ours, gzipped or not.
        form: The format of the rows; empty, the one that each shows.
        config: How rows are made.

    Raises:
        UsageError: The format cannot be read.
        InputError: The file cannot be read, or has faulty rows; the message lists line, field and cure of them.
        RunError: The run has pairs that were generated.
    """
    pairs, forms = read_pairs(file, form)
    name = ", ".join(forms)
    with run.locked():
        before = manifests.read(run.path / PAIRS)
        if before is not None and ImportConfig.__name__ not in before.config:
            raise RunError(f"The run {run.path} has pairs that were generated.", hint="Choose another --out.")
        ingested = load_ingested(run) if run.has(CHUNKS) else None
        inputs = {file.name: file_sha256(file)}
        if ingested:
            inputs |= hash_inputs([run.file(CHUNKS, "chunks.jsonl")], run.path)
        whole = GenerateConfig(pairs=max(1, len(pairs)), taught_share=0, unseen_share=0)
        stage = run.stage(PAIRS, config=[ImportConfig(format=name), whole], inputs=inputs, packages=PACKAGES)
        unchanged = stage.finished
        if not unchanged:
            with stage.making() as work:
                _write(run, work, ingested, pairs, file, name)
        made = load_pairs(run)
        remake_dataset(run, made, None, config)
    return Imported(made, name, unchanged)


def remake_dataset(run: Run, made: Made, questions: Path | None, config: DatasetConfig) -> None:
    """Make the dataset of a run's pairs where it does not stand; a run of imported pairs may have no documents."""
    if run.has(CHUNKS):
        make_dataset(run, load_ingested(run), made, questions, split_of(run), config)
        return
    inputs = [run.file(PAIRS, "pairs.jsonl")]
    stage = run.stage(DATASET, config=[config], inputs=inputs, packages=("doceo",), seed=config.seed)
    if stage.finished:
        return
    foreign = {pair.id for pair in made.pairs if pair.teacher == IMPORTED}
    with stage.making() as work:
        dataset = build_dataset([], [], made.pairs, frozenset(), [], config)
        _write_rows(work, dataset, foreign)


def _write_rows(work: Path, dataset: Dataset, foreign: set[str]) -> None:
    """Write the files of a dataset; rows of pairs that name no origin name no pair."""
    for name, examples in (("train", dataset.train), ("validation", dataset.validation)):
        rows = (row.model_copy(update={"pair_id": None}) if row.pair_id in foreign else row for row in examples)
        write_jsonl(work / f"{name}.jsonl", map(row_of, rows))
    write_jsonl(work / "taught.jsonl", held_out_rows(dataset.taught))
    write_jsonl(work / "unseen.jsonl", held_out_rows(dataset.unseen))
    write_text(work / "README.md", dataset_card(dataset))


def _write(run: Run, work: Path, ingested: Ingested | None, read: Sequence[Pair], file: Path, form: str) -> None:
    pairs, rejected = _distinct(read)
    if ingested:
        pairs, refused = _proven(pairs, ingested)
        rejected += refused
    reasons = Counter(line.verdict.reason for line in rejected)
    asked = len(read)
    ledger = Ledger(requested=asked, asked=asked, accepted=len(pairs), rejected=dict(sorted(reasons.items())))
    if (run.path / REVIEW).is_file():
        reviewed = apply_review(pairs, rejected, ledger, read_decisions(run.path / REVIEW))
        pairs, rejected, ledger = reviewed.pairs, reviewed.rejected, reviewed.ledger
    touched = coverage(ingested.documents, ingested.chunks, pairs) if ingested else coverage([], [], [])
    facts = CardFacts(
        name=run.name,
        pairs=pairs,
        ledger=ledger,
        coverage=touched,
        rejected=rejected,
        models={"imported from": file.name, "format": form},
        packages=installed(PACKAGES),
    )
    write_jsonl(work / "pairs.jsonl", pairs)
    write_jsonl(work / "rejected.jsonl", rejected)
    write_json(work / "ledger.json", ledger.model_dump())
    write_json(work / "coverage.json", touched)
    for name in ("card.md", "README.md"):
        write_text(work / name, card(facts))


def _distinct(read: Sequence[Pair]) -> tuple[list[Pair], list[Rejected]]:
    """Return the pairs, each once and with an id of its own, and the repeats."""
    pairs: dict[str, Pair] = {}
    rejected = []
    for pair in read:
        known = pairs.get(pair.id)
        if known is not None and known.history != pair.history:
            turns = [turn.model_dump() for turn in pair.history]
            pair = pair.model_copy(update={"id": identify("p_", pair.id, turns)})
            known = pairs.get(pair.id)
        if known is None:
            pairs[pair.id] = pair
        else:
            verdict = Verdict(accepted=False, reason="exact", detail=f"the same pair as {known.id}")
            rejected.append(Rejected(pair=pair, verdict=verdict))
    return list(pairs.values()), rejected


def _proven(pairs: Sequence[Pair], ingested: Ingested) -> tuple[list[Pair], list[Rejected]]:
    """Return the pairs whose evidence, if they have some, stands in the run's documents, and the others."""
    texts = {document.id: document.text for document in ingested.documents}
    held: list[Pair] = []
    refused = []
    for pair in pairs:
        wrong = [e for e in pair.evidence if texts.get(e.span.document_id, "")[e.span.start : e.span.end] != e.quote]
        if wrong:
            verdict = Verdict(accepted=False, reason="span_mismatch", detail=wrong[0].quote[:120])
            refused.append(Rejected(pair=pair, verdict=verdict))
        else:
            held.append(pair.model_copy(update={"chunk_ids": _chunks_of(pair, ingested)}))
    return held, refused


def _chunks_of(pair: Pair, ingested: Ingested) -> tuple[str, ...]:
    """Return a pair's chunks as this run knows them: those it names, else those that hold its evidence."""
    known = {chunk.id for chunk in ingested.chunks}
    if pair.chunk_ids and known.issuperset(pair.chunk_ids):
        return pair.chunk_ids
    return tuple(
        chunk.id
        for chunk in ingested.chunks
        if any(
            chunk.document_id == e.span.document_id and chunk.span.start < e.span.end and e.span.start < chunk.span.end
            for e in pair.evidence
        )
    )
