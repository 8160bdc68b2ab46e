"""Everything a run's finished stages hold that the page may show."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from data.jsonl import read_jsonl, read_rows
from data.manifest import Manifest
from data.manifest import read as read_manifest
from data.review import REVIEW, Decision, read_review
from data.store import ADAPTER, ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, STAGES, Run
from doceo.core.errors import InputError
from doceo.core.records import (
    Answered,
    Chunk,
    Document,
    Evidence,
    Item,
    Ledger,
    Pair,
    Rejected,
    Score,
    Skipped,
)

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")
_SCORES = TypeAdapter(tuple[Score, ...])
_EVIDENCE = TypeAdapter(tuple[Evidence, ...])


@dataclass(frozen=True)
class RunRecords:
    """The records of a run; what no finished stage holds is empty."""

    name: str
    documents: Mapping[str, Document]
    skipped: tuple[Skipped, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    pairs: tuple[Pair, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    ledger: Ledger | None = None
    coverage: Mapping[str, object] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    """`train`, `validation` and every held-out set -> its number of rows; empty where there is no dataset."""
    evidence: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    """Pair id -> the evidence that stands beside a held-out question."""
    sets: Mapping[str, str] = field(default_factory=dict)
    """Pair id -> train, validation or the held-out set that it stands in."""
    review: tuple[Decision, ...] = ()
    """What a person decided on the pairs."""
    authors: tuple[str, ...] = ()
    """Who wrote the written questions."""
    training: tuple[Mapping[str, float], ...] = ()
    finetuning: Mapping[str, object] = field(default_factory=dict)
    """What the fine-tuning says of itself: base, parameters, trainable and so on."""
    answers: Mapping[str, tuple[Answered, ...]] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    items: tuple[Item, ...] = ()
    manifests: Mapping[str, Manifest] = field(default_factory=dict)


def read_run(run: Run) -> RunRecords:
    """Read what the finished stages of a run hold. Raises InputError naming a damaged file."""
    manifests = {name: made for name in STAGES if (made := read_manifest(run.path / name)) is not None}
    folder = {name: run.path / name for name in manifests}
    documents = _lines(folder.get(DOCUMENTS), "documents.jsonl", Document)
    ledger = _file(folder.get(PAIRS), "ledger.json")
    scores = _file(folder.get(SCORES), "scores.json")
    finetuning = _file(folder.get(ADAPTER), "finetuning.json")
    coverage = _file(folder.get(PAIRS), "coverage.json")
    return RunRecords(
        name=run.name,
        documents={document.id: document for document in documents},
        skipped=tuple(_lines(folder.get(DOCUMENTS), "skipped.jsonl", Skipped)),
        chunks=tuple(_lines(folder.get(CHUNKS), "chunks.jsonl", Chunk)),
        pairs=tuple(_lines(folder.get(PAIRS), "pairs.jsonl", Pair)),
        rejected=tuple(_lines(folder.get(PAIRS), "rejected.jsonl", Rejected)),
        ledger=_whole(ledger, TypeAdapter(Ledger)) if ledger else None,
        coverage=_whole(coverage, TypeAdapter(dict[str, object])) if coverage else {},
        rows=_row_counts(folder.get(DATASET)),
        evidence=_held_out_evidence(folder.get(DATASET)),
        sets=_sets(folder.get(DATASET)),
        review=read_review(run.path / REVIEW).decisions if (run.path / REVIEW).is_file() else (),
        authors=_authors(folder.get(DATASET)),
        finetuning=_whole(finetuning, TypeAdapter(dict[str, object])) if finetuning else {},
        training=_training(_file(folder.get(ADAPTER), "training.jsonl")),
        answers=_answers(folder.get(ANSWERS)),
        scores=_whole(scores, _SCORES) if scores else (),
        items=tuple(_lines(folder.get(SCORES), "items.jsonl", Item)),
        manifests=manifests,
    )


def _file(folder: Path | None, name: str) -> Path | None:
    path = folder / name if folder else None
    return path if path and path.is_file() else None


def _lines(folder: Path | None, name: str, kind: type[R]) -> list[R]:
    path = _file(folder, name)
    return read_jsonl(path, kind) if path else []


def _whole(path: Path, kind: TypeAdapter[T]) -> T:
    try:
        return kind.validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(
            f"{path}: {error.errors()[0]['msg']}.",
            hint="The file was changed or cut off; make its stage again with --fresh.",
        ) from error


def _row_counts(folder: Path | None) -> dict[str, int]:
    if not folder:
        return {}
    counts: Counter[str] = Counter(dict.fromkeys(("train", "validation", "taught", "unseen"), 0))
    for path in sorted(folder.glob("*.jsonl")):
        for _, row in read_rows(path):
            metadata = row.get("metadata")
            counts[str(metadata.get("set", path.stem)) if isinstance(metadata, dict) else path.stem] += 1
    return dict(counts)


def _sets(folder: Path | None) -> dict[str, str]:
    found: dict[str, str] = {}
    files = folder.glob("*.jsonl") if folder else ()
    for path in sorted(files, key=lambda file: (file.stem not in {"train", "validation"}, file.stem)):
        for _, row in read_rows(path):
            metadata = row.get("metadata")
            if isinstance(metadata, dict) and isinstance(metadata.get("pair_id"), str):
                found[str(metadata["pair_id"])] = str(metadata.get("set", path.stem))
    return found


def _held_out_evidence(folder: Path | None) -> dict[str, tuple[Evidence, ...]]:
    """Return pair id -> evidence, of the held-out rows that carry some in the row or in its metadata."""
    found: dict[str, tuple[Evidence, ...]] = {}
    if not folder:
        return found
    for path in sorted(folder.glob("*.jsonl")):
        if path.stem in {"train", "validation"}:
            continue
        for number, row in read_rows(path):
            metadata = row.get("metadata")
            known = {**row, **metadata} if isinstance(metadata, dict) else row
            if known.get("evidence") and isinstance(known.get("pair_id"), str):
                try:
                    evidence = _EVIDENCE.validate_python(known["evidence"])
                except ValidationError as error:
                    raise InputError(
                        f"{path}, line {number}: evidence: {error.errors()[0]['msg']}.",
                        hint="The file was changed; make its stage again with --fresh.",
                    ) from error
                found[str(known["pair_id"])] = evidence
    return found


def _authors(folder: Path | None) -> tuple[str, ...]:
    """Return the authors that the held-out rows name, each once."""
    files = [folder / "taught.jsonl", folder / "unseen.jsonl"] if folder else []
    rows = [row.get("metadata") for file in files if file.is_file() for _, row in read_rows(file)]
    return tuple(dict.fromkeys(str(m["author"]) for m in rows if isinstance(m, dict) and m.get("author")))


def _training(path: Path | None) -> tuple[Mapping[str, float], ...]:
    if not path:
        return ()
    return tuple(
        {
            key: float(value)
            for key, value in row.items()
            if isinstance(value, int | float) and not isinstance(value, bool) and value == value
        }
        for _, row in read_rows(path)
    )


def _answers(folder: Path | None) -> dict[str, tuple[Answered, ...]]:
    if not folder:
        return {}
    found = {path.stem: tuple(read_jsonl(path, Answered)) for path in folder.glob("*.jsonl")}
    usual = ["base", "tuned", "base+rag", "tuned+rag", "quote+rag"]
    return dict(sorted(found.items(), key=lambda kv: (usual.index(kv[0]) if kv[0] in usual else len(usual), kv[0])))


def as_text(value: object) -> str:
    """Return a config value as the page prints it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
