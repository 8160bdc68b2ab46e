"""Stored chats to a run: their questions as held-out ones, their answers as the system `recorded`.

The run has the documents and the index that the chats were over, so that other systems can be asked the same questions
and be compared with what was answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data import manifest as manifests
from data.held_out import FILES, RATINGS, held_out_rows
from data.jsonl import write_jsonl
from data.manifest import file_sha256, hash_inputs
from data.remarks import by_trace, read_remarks
from data.replay import Replayed, checked, replayed, standing
from data.store import CHUNKS, DATASET, DOCUMENTS, PAIRS, Run
from data.traces import read_traces
from doceo.app.contexts import FILE as CONTEXTS
from doceo.app.settings import Settings
from doceo.app.stages.answers import put_recorded
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.documents import Ingested, load_ingested
from doceo.app.stages.pairs import held_out, split_of
from doceo.app.system_names import RECORDED
from doceo.core.config import Config
from doceo.core.errors import RunError
from doceo.core.fingerprint import canonical, sha256
from doceo.core.records import Chunk, Span
from rag import versions
from rag.calibration import FILE as CALIBRATION
from rag.copying import copy_index
from rag.index import Index

_PACKAGES = ("doceo",)


class ReplayConfig(Config):
    """Where a run's questions came from."""

    traces: str
    """Name of the file."""
    trained: str = ""
    """Hash of the places of the documents that were trained on."""


class IndexConfig(Config):
    """Where a run's documents came from."""

    index: str
    """SHA-256 of the texts of the index."""


@dataclass(frozen=True)
class Outcome:
    """What was imported: questions by set, how many have a reference or a rating, citations and those that stand."""

    sets: dict[str, int]
    referenced: int
    rated: int
    cited: int
    standing: int
    documents: int
    unchanged: bool


def import_traces(
    run: Run, traces: Path, remarks: Path | None, source: Run | None, index: Path | None, settings: Settings
) -> Outcome:
    """Make a run of stored chats, or renew one.

    Args:
        run: The run; one that has pairs of its own is refused.
        traces: The chats, as `data.traces` reads them.
        remarks: Right answers and ratings, as `data.remarks` reads them.
        source: The run that they were had with; its kept-out text tells which questions it was trained for. Left out,
            known questions stay in the set that they are in.
        index: The index that they were had over; left out, the documents that the run has, if any.
        settings: The embedder.

    Raises:
        InputError: A file cannot be used.
        RunError: The run has pairs, or a dataset, of another origin.
        IndexUnusable, StorageError: The index cannot be copied.
    """
    read = read_traces(traces)
    said = by_trace(read_remarks(remarks), read) if remarks else {}
    with run.locked():
        _check(run)
        if index is not None:
            _copy_documents(run, index, settings.embedder)
        ingested = load_ingested(run) if run.has(CHUNKS) else Ingested([], [], [])
        trained = _trained(source, ingested.chunks)
        by_source = {document.source: document for document in ingested.documents}
        by_id = {document.id: document for document in ingested.documents}
        proven = [trace.model_copy(update={"answer": checked(trace.answer, by_id)}) for trace in read]
        cases = [replayed(trace, said.get(trace.key, ()), by_source, trained) for trace in proven]
        _check_kept(run, cases, remarks)
        if source is None:
            cases = _as_they_were(run, cases)
        unchanged = _write(run, cases, traces, remarks, _places(run, source, trained))
    cited, there = standing([trace.answer for trace in read], by_id)
    return Outcome(
        sets=dict(sorted(Counter(str(case.question.set) for case in cases).items())),
        referenced=sum(bool(case.question.references) for case in cases),
        rated=sum(case.rating is not None for case in cases),
        cited=cited,
        standing=there,
        documents=len(ingested.documents),
        unchanged=unchanged,
    )


def _check(run: Run) -> None:
    made = manifests.read(run.path / DATASET)
    if run.has(PAIRS) or (made is not None and ReplayConfig.__name__ not in made.config):
        raise RunError(
            f"The run {run.path} has questions of its own.",
            hint="Choose another --out; --run names the run that the chats were had with.",
        )


def _check_kept(run: Run, cases: Sequence[Replayed], remarks: Path | None) -> None:
    """Raise RunError where a run that is renewed would lose questions, or what was said of them."""
    if not run.has(DATASET):
        return
    now = {case.question.pair_id for case in cases}
    lost = sum(question.pair_id not in now for question in load_held_out(run))
    if lost:
        raise RunError(
            f"{run.path} holds {lost} questions that this file has not; importing it would drop them.",
            hint="Name another --out, or put all chats into one file: cat OLD NEW > ALL.",
        )
    made = manifests.read(run.path / DATASET)
    if remarks is None and made is not None and "references" in made.inputs:
        raise RunError(
            f"{run.path} was imported with references or ratings, which would be dropped.",
            hint="Name their file again with --references.",
        )


def _copy_documents(run: Run, index: Path, embedder: str) -> None:
    """Give a run the documents, passages and index that chats were over, unless it has them."""
    from doceo.providers.embedders import shared_embedder

    opened = Index.open(index, shared_embedder(embedder))
    try:
        made_from = [IndexConfig(index=file_sha256(index / opened.version / "texts.sqlite"))]
        documents = run.stage(DOCUMENTS, config=made_from, packages=_PACKAGES)
        chunks = run.stage(CHUNKS, config=made_from, packages=_PACKAGES)
        if documents.finished and chunks.finished and versions.current(run.index) is not None:
            return
        found = [one for name in set(opened.texts.sources().values()) if (one := opened.document(name))]
        stored = opened.texts.chunks(opened.texts.chunk_ids()).values()
        with documents.making() as work:
            found.sort(key=lambda one: one.source)
            write_jsonl(work / "documents.jsonl", found)
            write_jsonl(work / "skipped.jsonl", ())
        with chunks.making() as work:
            passages = sorted(stored, key=lambda one: (one.source, one.chunk.span.start))
            write_jsonl(work / "chunks.jsonl", (one.chunk for one in passages))
        copy_index(index, run.index, (CALIBRATION, CONTEXTS))
    finally:
        opened.close()


def _trained(source: Run | None, chunks: Sequence[Chunk]) -> list[Span]:
    """Return the places that a run with pairs of its own trains on: all that it does not keep out."""
    if source is None or not source.has(PAIRS):
        return []
    ingested = load_ingested(source)
    kept_out = held_out(ingested, split_of(source))
    return [chunk.span for chunk in ingested.chunks if chunk.id not in kept_out]


def _as_they_were(run: Run, cases: Sequence[Replayed]) -> list[Replayed]:
    """Return cases in the sets that they have been in before."""
    sets = {q.pair_id: q.set for q in load_held_out(run)} if run.has(DATASET) else {}
    questions = [
        case.question.model_copy(update={"set": sets.get(case.question.pair_id, case.question.set)}) for case in cases
    ]
    return [replace(case, question=question) for case, question in zip(cases, questions, strict=True)]


def _places(run: Run, source: Run | None, trained: Sequence[Span]) -> str:
    """Return a hash of the places that were trained on, or where no run is named that of before."""
    made = manifests.read(run.path / DATASET)
    if source is None and made is not None:
        return ReplayConfig.model_validate(made.config[ReplayConfig.__name__]).trained
    return sha256(canonical([span.model_dump() for span in trained]))[:16] if trained else ""


def _write(run: Run, cases: Sequence[Replayed], traces: Path, remarks: Path | None, places: str) -> bool:
    """Write dataset and answers, and return whether both stood there already."""
    inputs = {"traces": file_sha256(traces)} | ({"references": file_sha256(remarks)} if remarks else {})
    if run.has(DOCUMENTS):
        inputs |= hash_inputs([run.file(DOCUMENTS, "documents.jsonl")], run.path)
    config = ReplayConfig(traces=traces.name, trained=places)
    dataset = run.stage(DATASET, config=[config], inputs=inputs, packages=_PACKAGES)
    unchanged = dataset.finished
    if not unchanged:
        with dataset.making() as work:
            _write_questions(work, cases)
    questions, answers = load_held_out(run), {case.question.pair_id: case.answer for case in cases}
    return put_recorded(run, questions, [answers[question.pair_id] for question in questions]) and unchanged


def _write_questions(work: Path, cases: Sequence[Replayed]) -> None:
    for name in ("train.jsonl", "validation.jsonl"):
        write_jsonl(work / name, ())
    for name in FILES:
        kind = name.removesuffix(".jsonl")
        write_jsonl(work / name, held_out_rows(c.question for c in cases if c.question.set.startswith(kind)))
    ratings: list[dict[str, object]] = [
        {"pair_id": case.question.pair_id, "system": RECORDED, "set": case.question.set, "rating": case.rating}
        for case in cases
        if case.rating is not None
    ]
    if ratings:
        write_jsonl(work / RATINGS, ratings)
