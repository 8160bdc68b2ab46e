"""Stage 4: pairs to training rows and held-out questions."""

from __future__ import annotations

from pathlib import Path

from data.dataset import Dataset, build_dataset
from data.dataset_card import dataset_card
from data.held_out import FILES, read_held_out
from data.held_out import held_out_rows as held_out_rows
from data.jsonl import write_jsonl, write_text
from data.questions import read_questions
from data.store import CHUNKS, DATASET, PAIRS, Run
from doceo.app.stages.documents import Ingested
from doceo.app.stages.pairs import Made, held_out
from doceo.core.config import DatasetConfig, GenerateConfig
from doceo.core.errors import InputError
from doceo.core.records import Example, Question


def make_dataset(
    run: Run, ingested: Ingested, made: Made, questions: Path | None, generate: GenerateConfig, config: DatasetConfig
) -> Dataset | None:
    """Write the four files of the dataset and its card.

    Returns the dataset with its leak check, or None where the stage was finished before. Raises InputError where the
    written questions cannot be used.
    """
    if questions and not questions.is_file():
        raise InputError(f"There is no file {questions}.", hint="Check the path given with --questions.")
    inputs = [run.file(PAIRS, "pairs.jsonl"), run.file(CHUNKS, "chunks.jsonl"), *([questions] if questions else [])]
    stage = run.stage(DATASET, config=[config, generate], inputs=inputs, packages=("doceo",), seed=config.seed)
    if stage.finished:
        return None
    with stage.making() as work:
        unseen = held_out(ingested, generate)
        written = read_questions(questions, ingested.documents, ingested.chunks, unseen) if questions else []
        dataset = build_dataset(ingested.documents, ingested.chunks, made.pairs, unseen, written, config)
        write_jsonl(work / "train.jsonl", map(row_of, dataset.train))
        write_jsonl(work / "validation.jsonl", map(row_of, dataset.validation))
        write_jsonl(work / "taught.jsonl", held_out_rows(dataset.taught))
        write_jsonl(work / "unseen.jsonl", held_out_rows(dataset.unseen))
        write_text(work / "README.md", dataset_card(dataset))
    return dataset


def load_held_out(run: Run, stage: str = DATASET) -> list[Question]:
    """Return the held-out questions of a run, taught ones first. Raises StageMissing."""
    return read_held_out(run.file(stage, FILES[0]).parent)


def row_of(example: Example) -> dict[str, object]:
    """Return the line of a training row."""
    return {
        "messages": [message.model_dump() for message in example.messages],
        "metadata": {
            "id": example.id,
            "pair_id": example.pair_id,
            "style": example.style,
            "chunk_ids": list(example.chunk_ids),
        },
    }
