"""A round's training rows; what is held out is the exam, and nothing of it stands among the rows."""

from __future__ import annotations

from collections.abc import Sequence

from data.dataset import Dataset, build_dataset
from data.dataset_card import dataset_card
from data.jsonl import read_json, write_json, write_jsonl, write_text
from data.leaks import leaks
from data.manifest import file_sha256
from data.store import CHUNKS, DATASET, PAIRS, Run
from doceo.app.loop.exam import Exam
from doceo.app.loop.materials import Materials
from doceo.app.stages.dataset import held_out_rows, row_of
from doceo.core.config import DatasetConfig
from doceo.core.errors import RunError
from doceo.core.loop import Leaks
from doceo.core.records import Pair

LEAKS = "leaks.json"


def make_round_dataset(
    materials: Materials, exam: Exam, run: Run, pairs: Sequence[Pair], config: DatasetConfig
) -> Leaks:
    """Write a round's rows beside the exam's questions, and return what the leak check did.

    Raises RunError where a leak is left, which would be a fault of the program.
    """
    files = (run.file(PAIRS, "pairs.jsonl"), run.file(CHUNKS, "chunks.jsonl"))
    inputs = {file.relative_to(run.path).as_posix(): file_sha256(file) for file in files} | exam.hashes()
    stage = run.stage(DATASET, config=[config], inputs=inputs, packages=("doceo",), seed=config.seed)
    if not stage.finished:
        with stage.making() as work:
            dataset = _build(materials, exam, pairs, config)
            taught = [question for question in exam.questions if question.set.startswith("taught")]
            write_jsonl(work / "train.jsonl", map(row_of, dataset.train))
            write_jsonl(work / "validation.jsonl", map(row_of, dataset.validation))
            write_jsonl(work / "taught.jsonl", held_out_rows(taught))
            write_jsonl(
                work / "unseen.jsonl", held_out_rows(q for q in exam.questions if not q.set.startswith("taught"))
            )
            write_text(work / "README.md", dataset_card(dataset))
            write_json(work / LEAKS, _checked(materials, exam, dataset).model_dump())
    return Leaks.model_validate(read_json(run.file(DATASET, LEAKS)))


def _build(materials: Materials, exam: Exam, pairs: Sequence[Pair], config: DatasetConfig) -> Dataset:
    """Return the rows of the pairs; the exam is given as questions that stand already."""
    documents, chunks = materials.ingested.documents, materials.ingested.chunks
    return build_dataset(documents, chunks, pairs, materials.unseen, exam.questions, config)


def _checked(materials: Materials, exam: Exam, dataset: Dataset) -> Leaks:
    """Check the rows once more, as they are trained on."""
    rows = [*dataset.train, *dataset.validation]
    kept_out = [chunk for chunk in materials.ingested.chunks if chunk.id in materials.unseen]
    given = [chunk for chunk in materials.ingested.chunks if chunk.id not in materials.unseen]
    left = leaks(rows, exam.questions, kept_out, given)
    if left:
        raise RunError(
            f"{len(left)} rows hold a question of the exam or kept-out text, such as {min(left)}.",
            hint="This is a bug in Doceo: report it with the round's folder.",
        )
    removed = {str(reason): n for reason, n in sorted(dataset.check.removed.items())}
    return Leaks(questions=len(exam.questions), rows=dataset.check.rows, removed=removed, left=len(left))
