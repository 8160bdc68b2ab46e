"""The exam of a loop: both held-out sets and the areas, fixed before the first round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from data.dataset import build_dataset
from data.jsonl import read_json, read_jsonl, write_json, write_jsonl
from data.manifest import file_sha256
from data.questions import read_questions
from data.store import CHUNKS, DOCUMENTS, EXAM, Stage
from data.wordings import read_questions_of
from doceo.app.crew import identity
from doceo.app.event_loop import run_to_end
from doceo.app.loop.materials import AREAS, Materials
from doceo.app.stages.dataset import held_out_rows, load_held_out
from doceo.core.config.base import Config
from doceo.core.errors import InputError, UsageError
from doceo.core.fingerprint import sha256
from doceo.core.records import Pair, Question
from generator.corpus import Corpus

BANK, STEERING, LEDGER = "bank.jsonl", "steering.json", "ledger.json"
ASKED_AGAIN = 0.45
"""Share of the pairs that ask a trained fact again: as many as there are facts to ask about twice."""
PACKAGES = ("doceo", "openai", "rapidfuzz", "scikit-learn")


class ExamConfig(Config):
    """What the exam depends on, of the loop's settings."""

    questions: int
    axis: str
    steering: float


@dataclass(frozen=True)
class Exam:
    """The questions that every round is tested with.

    Attributes:
        questions: Taught ones first; none of them is ever trained.
        bank: Pairs that ask the facts of taught questions in other words, and may be trained.
        steering: Ids of the taught questions whose answers decide where the budget goes.
        folder: Where they are kept.
    """

    questions: Sequence[Question]
    bank: Sequence[Pair]
    steering: frozenset[str]
    folder: Path

    def hashes(self) -> dict[str, str]:
        """Return {name: sha256} of the files that the rounds depend on."""
        names = ("taught.jsonl", "unseen.jsonl", BANK, AREAS, STEERING)
        return {f"{EXAM}/{name}": file_sha256(self.folder / name) for name in names}

    @property
    def chosen_from(self) -> int:
        """How many pairs were made that the questions were chosen from; 0 where none was to be made."""
        ledger = read_json(self.folder / LEDGER)
        assert isinstance(ledger, dict)
        return int(ledger.get("accepted", 0))


def make_exam(materials: Materials, questions: Path | None) -> Exam:
    """Make the exam, or load it where nothing that it depends on has changed.

    Args:
        materials: Of the loop.
        questions: Questions that people wrote, as JSONL.

    Raises:
        InputError: The written questions cannot be used.
        UsageError: There is no question that training can be tested with.
        ProviderError: The teacher cannot be used.
    """
    stage = _stage(materials, questions)
    if not stage.finished:
        with stage.making() as work:
            _write(materials, questions, work)
    folder = stage.folder
    steering = read_json(folder / STEERING)
    assert isinstance(steering, list)
    exam = Exam(
        load_held_out(materials.run, EXAM), read_jsonl(folder / BANK, Pair), frozenset(map(str, steering)), folder
    )
    if not exam.steering:
        raise UsageError(
            "No question could be made that tells where the model is weak.",
            hint="Give more documents, a larger --exam, or questions of your own with --questions FILE.",
        )
    return exam


def _stage(materials: Materials, questions: Path | None) -> Stage:
    if questions and not questions.is_file():
        raise InputError(f"There is no file {questions}.", hint="Check the path given with --questions.")
    run, settings, loop = materials.run, materials.settings, materials.settings.loop
    files = (run.file(DOCUMENTS, "documents.jsonl"), run.file(CHUNKS, "chunks.jsonl"))
    inputs = {file.relative_to(run.path).as_posix(): file_sha256(file) for file in files}
    if questions:
        inputs["questions"] = file_sha256(questions)
    recipe = ExamConfig(questions=loop.exam, axis=loop.axis, steering=loop.steering)
    generate = settings.generate.model_copy(update={"pairs": 1, "topic_shares": {}})
    return run.stage(
        EXAM,
        config=[recipe, generate, settings.gate, settings.dataset],
        inputs=inputs,
        prompts=identity(settings) | {"areas": settings.embedder if loop.axis == "topic" else "documents"},
        packages=PACKAGES,
        seed=generate.seed,
    )


def _write(materials: Materials, questions: Path | None, work: Path) -> None:
    corpus, settings = materials.whole, materials.settings
    documents, chunks, unseen = materials.ingested.documents, materials.ingested.chunks, materials.unseen
    written = read_questions(questions, documents, chunks, unseen) if questions else []
    written = [_with_area(question, corpus) for question in written]
    pairs, ledger = _pairs(materials, corpus, written)
    dataset = build_dataset(documents, chunks, pairs, unseen, written, settings.dataset)
    made = [question for question in (*dataset.taught, *dataset.unseen) if not question.set.endswith("-written")]
    made = _fewer(made, settings.loop.exam)
    asked = [*made, *written]
    taught = [question for question in asked if question.set.startswith("taught")]
    rows = {row.pair_id for row in (*dataset.train, *dataset.validation)}
    write_jsonl(work / "taught.jsonl", held_out_rows(taught))
    write_jsonl(work / "unseen.jsonl", held_out_rows(q for q in asked if not q.set.startswith("taught")))
    write_jsonl(work / BANK, _bank([pair for pair in pairs if pair.id in rows], taught))
    write_json(work / AREAS, dict(corpus.topics))
    write_json(work / STEERING, steering(taught, settings.loop.steering, settings.generate.seed))
    write_json(work / LEDGER, ledger)


def _pairs(materials: Materials, corpus: Corpus, written: Sequence[Question]) -> tuple[list[Pair], object]:
    """Return the pairs that the exam's own questions are chosen from: every fact, and most of them asked twice."""
    config = materials.settings.generate
    wanted = materials.settings.loop.exam
    if not wanted:
        return [], {}
    hidden = len(materials.unseen) / max(1, len(corpus.chunks))
    asked = ceil(wanted / (ASKED_AGAIN + (1 - ASKED_AGAIN) * hidden))
    config = config.model_copy(update={"pairs": asked, "taught_share": ASKED_AGAIN, "topic_shares": {}})
    settings = materials.settings.model_copy(update={"generate": config})
    against = [question for name in config.against for question in read_questions_of(Path(name))]
    against += [question.question for question in written]
    made = run_to_end(materials.generated(corpus, settings, against))
    return made.pairs, made.ledger.model_dump()


def _fewer(questions: Sequence[Question], most: int) -> list[Question]:
    """Return at most so many questions, in their order: the sets keep their shares, chance decides which."""
    order = sorted(questions, key=lambda question: sha256(f"exam {question.pair_id}"))
    kept = {question.pair_id for question in order[:most]}
    return [question for question in questions if question.pair_id in kept]


def _bank(pairs: Iterable[Pair], taught: Sequence[Question]) -> list[Pair]:
    """Return the pairs whose fact, a piece of evidence with its answer, a taught question asks."""
    asked = {(question.evidence, answer) for question in taught for answer in question.references}
    return [pair for pair in pairs if (pair.evidence, pair.answer) in asked]


def _with_area(question: Question, corpus: Corpus) -> Question:
    """Return a written question with the area of the passage in which its answer stands."""
    for chunk in corpus.of_document[question.evidence[0].span.document_id]:
        if chunk.span.start <= question.evidence[0].span.start < chunk.span.end:
            return question.model_copy(update={"topic": corpus.topics[chunk.id]})
    return question


def steering(taught: Sequence[Question], share: float, seed: int) -> list[str]:
    """Return the ids of the questions that decide where the budget goes: that share of every area, chosen by chance.

    Those that were made from the documents, or where there are none, those that people wrote.
    """
    made = [question for question in taught if question.set == "taught"] or taught
    order = sorted(made, key=lambda q: (q.topic, sha256(f"steering {seed} {q.pair_id}")))
    return sorted(q.pair_id for i, q in enumerate(order) if int((i + 1) * share + 1e-9) > int(i * share + 1e-9))
