"""One round of a series, as an ordinary run folder: pairs, rows, adapter, answers, scores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.jsonl import write_jsonl
from data.store import ADAPTER, CHUNKS, DATASET, DOCUMENTS, INDEX, Run, swap
from doceo.app.loop.dataset import make_round_dataset
from doceo.app.loop.exam import Exam
from doceo.app.loop.materials import Materials
from doceo.app.loop.pairs import RoundConfig, make_round_pairs
from doceo.app.settings import Settings
from doceo.app.stages.adapter import Manner, train_adapter
from doceo.app.stages.answers import answer_held_out
from doceo.app.stages.dataset import held_out_rows
from doceo.app.stages.pairs import load_pairs
from doceo.app.stages.scores import make_scores
from doceo.app.system_names import RAG
from doceo.core.config import FinetuneConfig
from doceo.core.loop import Arm
from doceo.core.protocols import Progress

ROUNDS = "rounds"
START = "base"


def _train(run: Run, base: str, config: FinetuneConfig, progress: Progress) -> None:
    train_adapter(run, base, config, progress, Manner(force=True))


def _answer(run: Run, base: str, systems: Sequence[str], settings: Settings, progress: Progress) -> None:
    """Ask a run's held-out questions; where it has no adapter yet, the base."""
    answer_held_out(run, systems, settings, progress, base="" if run.has(ADAPTER) else base)


@dataclass(frozen=True)
class Steps:
    """Who trains a run's adapter on a base, and who answers its held-out questions, of the base before any training."""

    train: Callable[[Run, str, FinetuneConfig, Progress], None] = _train
    answer: Callable[[Run, str, Sequence[str], Settings, Progress], None] = _answer


@dataclass(frozen=True)
class Place:
    """A series of rounds: how its budget is divided, and its seed."""

    arm: Arm
    seed: int

    def run(self, loop: Run, number: int) -> Run:
        """Return the run of a round; what it asks is kept, and paid for, with the loop."""
        return Run(loop.path / ROUNDS / f"{self.arm}-{self.seed}" / str(number), loop.redo, loop)


def seeded(settings: Settings, seed: int) -> Settings:
    """Return settings with the seed of a series: of its training rows and of its weights."""
    return settings.model_copy(
        update={
            "dataset": settings.dataset.model_copy(update={"seed": seed}),
            "finetune": settings.finetune.model_copy(update={"seed": seed}),
        }
    )


def make_start(materials: Materials, exam: Exam, systems: Sequence[str], steps: Steps) -> Run:
    """Ask the base the exam, before the first round, and score it. Raises ProviderError."""
    run, settings = Run(materials.run.path / ROUNDS / START, materials.run.redo, materials.run), materials.settings
    with run.locked():
        _share(materials.run, run)
        stage = run.stage(DATASET, config=[], inputs=exam.hashes())
        if not stage.finished:
            with stage.making() as work:
                taught = [question for question in exam.questions if question.set.startswith("taught")]
                write_jsonl(work / "train.jsonl", ())
                write_jsonl(work / "validation.jsonl", ())
                write_jsonl(work / "taught.jsonl", held_out_rows(taught))
                write_jsonl(work / "unseen.jsonl", held_out_rows(exam.questions[len(taught) :]))
        names = list(dict.fromkeys(start_name(name) for name in systems))
        steps.answer(run, materials.base, names, settings, materials.progress)
        _score(run, settings, materials.progress)
    return run


def make_pairs_of_round(materials: Materials, exam: Exam, place: Place, recipe: RoundConfig, before: Run | None) -> int:
    """Make the pairs of a round and return how many of them are new. Raises ProviderError."""
    run = place.run(materials.run, recipe.round)
    with run.locked():
        _share(materials.run, run)
        pairs = make_round_pairs(materials, exam, run, recipe, before)
    return sum(pair.round == recipe.round for pair in pairs)


def finish_round(
    materials: Materials, exam: Exam, place: Place, number: int, systems: Sequence[str], steps: Steps
) -> Run:
    """Train on the pairs of a round, ask the exam and score the answers. Raises TrainingError, ProviderError."""
    run, settings = place.run(materials.run, number), seeded(materials.settings, place.seed)
    with run.locked():
        make_round_dataset(materials, exam, run, load_pairs(run).pairs, settings.dataset)
        steps.train(run, materials.base, settings.finetune, materials.progress)
        steps.answer(run, materials.base, systems, settings, materials.progress)
        _score(run, settings, materials.progress)
    return run


def _score(run: Run, settings: Settings, progress: Progress) -> None:
    make_scores(run, settings.evaluate, progress, settings.judging, settings.embedder)


def start_name(system: str) -> str:
    """Return the system that stands for one before anything is tuned."""
    return f"base{RAG}" if system == f"tuned{RAG}" else "base" if system == "tuned" else system


def _share(loop: Run, run: Run) -> None:
    """Give a round the loop's documents, passages and index: the same files under a second name, where that goes."""
    for stage in (DOCUMENTS, CHUNKS):
        made, mine = loop.path / stage / "manifest.json", run.path / stage / "manifest.json"
        if mine.exists() and mine.read_bytes() == made.read_bytes():
            continue
        work = run.path / f".{stage}.work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(loop.path / stage, work, copy_function=_linked)
        swap(work, run.path / stage)
    if loop.index.is_dir() and not run.index.exists():
        try:
            run.index.symlink_to(Path(os.path.relpath(loop.index, run.path)), target_is_directory=True)
        except OSError:
            shutil.copytree(loop.index, run.path / INDEX)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
