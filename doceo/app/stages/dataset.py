"""Stage 4: pairs to training rows and held-out questions."""

from __future__ import annotations

from pathlib import Path

from data.dataset import build_dataset
from data.dataset_card import dataset_card
from data.held_out import FILES, read_held_out
from data.held_out import held_out_rows as held_out_rows
from data.jsonl import write_jsonl, write_text
from data.questions import read_questions
from data.store import CHUNKS, DATASET, PAIRS, Run
from doceo.app.stages.documents import Ingested
from doceo.app.stages.pairs import Made, held_out
from doceo.app.stages.replaced import questions_replaced
from doceo.core.config import DatasetConfig, GenerateConfig
from doceo.core.errors import InputError
from doceo.core.progress import Silent
from doceo.core.protocols import Progress
from doceo.core.records import Example, Question


def make_dataset(
    run: Run,
    ingested: Ingested,
    made: Made,
    questions: Path | None,
    generate: GenerateConfig,
    config: DatasetConfig,
    progress: Progress | None = None,
) -> None:
    """Write the four files of the dataset and its card, unless they stand; tell what was checked and changes.

    Raises InputError where the written questions cannot be used.
    """
    if questions and not questions.is_file():
        raise InputError(f"There is no file {questions}.", hint="Check the path given with --questions.")
    inputs = [run.file(PAIRS, "pairs.jsonl"), run.file(CHUNKS, "chunks.jsonl"), *([questions] if questions else [])]
    stage = run.stage(DATASET, config=[config, generate], inputs=inputs, packages=("doceo",), seed=config.seed)
    if stage.finished:
        return
    stood = [q.pair_id for q in load_held_out(run)] if run.has(DATASET) and not stage.redo else []
    with stage.making() as work:
        unseen = held_out(ingested, generate)
        written = read_questions(questions, ingested.documents, ingested.chunks, unseen) if questions else []
        dataset = build_dataset(ingested.documents, ingested.chunks, made.pairs, unseen, written, config)
        write_jsonl(work / "train.jsonl", map(row_of, dataset.train))
        write_jsonl(work / "validation.jsonl", map(row_of, dataset.validation))
        write_jsonl(work / "taught.jsonl", held_out_rows(dataset.taught))
        write_jsonl(work / "unseen.jsonl", held_out_rows(dataset.unseen))
        write_text(work / "README.md", dataset_card(dataset))
    asked = [question.pair_id for question in (*dataset.taught, *dataset.unseen)]
    for words in filter(None, (str(dataset.check), questions_replaced(stood, asked))):
        (progress or Silent()).say(words)


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
