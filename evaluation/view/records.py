"""Everything a run's finished stages hold that the page may show."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from data.answers import answer_files
from data.held_out import FILES, read_held_out
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
    Question,
    Rejected,
    Score,
    SetName,
    Skipped,
    Slice,
)
from evaluation.case import Case, cases
from evaluation.judging.summary import JudgeSummary
from evaluation.scoring import SETS
from evaluation.verdict import Verdict

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")
_SCORES = TypeAdapter(tuple[Score, ...])


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
    questions: tuple[Question, ...] = ()
    """The held-out questions, with their evidence."""
    sets: Mapping[str, str] = field(default_factory=dict)
    """Pair id -> train, validation or the held-out set that it stands in."""
    review: tuple[Decision, ...] = ()
    """What a person decided on the pairs."""
    training: tuple[Mapping[str, float], ...] = ()
    finetuning: Mapping[str, object] = field(default_factory=dict)
    """What the fine-tuning says of itself: base, parameters, trainable and so on."""
    answers: Mapping[str, tuple[Answered, ...]] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    items: tuple[Item, ...] = ()
    slices: tuple[Slice, ...] = ()
    verdict: Verdict | None = None
    judge: JudgeSummary | None = None
    manifests: Mapping[str, Manifest] = field(default_factory=dict)

    @cached_property
    def evidence(self) -> dict[str, tuple[Evidence, ...]]:
        """Pair id -> what proves the answer."""
        held_out = {question.pair_id: question.evidence for question in self.questions if question.evidence}
        return {pair.id: pair.evidence for pair in self.pairs} | held_out

    @cached_property
    def authors(self) -> tuple[str, ...]:
        """Who wrote the written questions."""
        return tuple(dict.fromkeys(question.author for question in self.questions if question.author))

    @cached_property
    def cases(self) -> dict[tuple[SetName, str], dict[str, Case]]:
        """Set and pair id -> system -> its answer to the question, in the order of the sets."""
        known = {(question.set, question.pair_id): question for question in self.questions}
        found: dict[tuple[SetName, str], dict[str, Case]] = {}
        for system, lines in self.answers.items():
            for line, case in zip(lines, cases(lines, known), strict=True):
                found.setdefault((line.set, line.pair_id), {})[system] = case
        return {key: found[key] for name in SETS for key in found if key[0] == name}


def read_run(run: Run) -> RunRecords:
    """Read what the finished stages of a run hold. Raises InputError naming a damaged file."""
    manifests = {name: made for name in STAGES if (made := read_manifest(run.path / name)) is not None}
    folder = {name: run.path / name for name in manifests}
    documents = _lines(folder.get(DOCUMENTS), "documents.jsonl", Document)
    ledger = _file(folder.get(PAIRS), "ledger.json")
    scores = _file(folder.get(SCORES), "scores.json")
    verdict = _file(folder.get(SCORES), "verdict.json")
    judge = _file(folder.get(SCORES), "judge.json")
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
        questions=_questions(folder.get(DATASET)),
        sets=_sets(folder.get(DATASET)),
        review=read_review(run.path / REVIEW).decisions if (run.path / REVIEW).is_file() else (),
        finetuning=_whole(finetuning, TypeAdapter(dict[str, object])) if finetuning else {},
        training=_training(_file(folder.get(ADAPTER), "training.jsonl")),
        answers=_answers(folder.get(ANSWERS)),
        scores=_whole(scores, _SCORES) if scores else (),
        items=tuple(_lines(folder.get(SCORES), "items.jsonl", Item)),
        slices=tuple(_lines(folder.get(SCORES), "slices.jsonl", Slice)),
        verdict=_whole(verdict, TypeAdapter(Verdict)) if verdict else None,
        judge=_whole(judge, TypeAdapter(JudgeSummary)) if judge else None,
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


def _questions(folder: Path | None) -> tuple[Question, ...]:
    """Return the held-out questions; a folder that lacks one of the files has none."""
    if not folder or not all((folder / name).is_file() for name in FILES):
        return ()
    return tuple(read_held_out(folder))


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
    return {name: tuple(read_jsonl(path, Answered)) for name, path in answer_files(folder).items()}


def as_text(value: object) -> str:
    """Return a config value as the page prints it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
