"""One town through the closed loop: its budget spent where the model is weak, and the same budget spent evenly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from benchmarks.town.base import base_shape, make_base, read_texts
from benchmarks.town.documents import document, source_of, write_documents
from benchmarks.town.people import ATTRIBUTES, Town
from benchmarks.town.questions import Asked, Fact, answer_of, exam, write_questions
from data import manifest as manifests
from data.jsonl import read_json, read_jsonl
from data.store import PAIRS, SCORES, Run
from doceo.app.loop import run_loop
from doceo.app.settings import Settings, load_settings
from doceo.app.stages.dataset import load_held_out
from doceo.core.fingerprint import identify
from doceo.core.progress import Silent
from doceo.core.protocols import Progress
from doceo.core.records import Item, Pair, Record

Arm = Literal["gap", "even"]
ARMS: tuple[Arm, ...] = ("gap", "even")
METRIC, RIGHT = "em", 100.0
"""Exact match after the normalisation of SQuAD: lower case, no articles, no punctuation."""
DOCUMENTS, EXAM = "town", "0-exam"


class Share(Record):
    """How many of so many questions were answered right."""

    right: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 to 1; of no questions, 0."""
        return self.right / self.of if self.of else 0.0


class Round(Record):
    """An arm after a round, on the facts that did not steer it; round 0 is the base alone.

    `planted` and `others` are facts of the two kinds of district, `taught` and `untaught` the planted facts that a
    training pair states and those that none does. `pairs` and `pairs_planted` are training pairs so far.
    """

    round: int
    pairs: int
    pairs_planted: int
    everything: Share
    planted: Share
    others: Share
    taught: Share
    untaught: Share
    leaks: int


class Result(Record):
    """What came of a town.

    `recipe` is the fingerprint of all that it depends on but the program; `ranked` are the districts by weakness, as
    each round of the gap-driven arm found them.
    """

    recipe: str
    seed: int
    planted: tuple[str, ...]
    ranked: tuple[tuple[str, ...], ...]
    parameters: int
    rounds: Mapping[Arm, tuple[Round, ...]]
    pretraining_s: float
    loop_s: float

    def found(self) -> int | None:
        """Return the first round for which all planted districts ranked above all others; None: never."""
        for number, ranked in enumerate(self.ranked, 1):
            if set(ranked[: len(self.planted)]) == set(self.planted):
                return number
        return None


class Plan(NamedTuple):
    """Rounds and budget of the loop, in training pairs over all rounds, and the base's optimizer steps."""

    rounds: int = 3
    budget: int = 360
    steps: int = 700

    @property
    def name(self) -> str:
        """The folder of such a loop."""
        return f"loop-{self.rounds}-{self.budget}-{self.steps}"


def loop_settings(base: Path, plan: Plan, seed: int) -> Settings:
    """Return the settings of the loop, those that both arms share being all there are."""
    return load_settings(
        {
            "base": str(base),
            "teacher": "extractive",
            "generate": {"unseen_share": 0.0, "topics": 0, "seed": seed},
            "dataset": {
                "validation_share": 0.0,
                "closed_share": 1.0,
                "open_share": 0.0,
                "conversation_share": 0.0,
                "seed": seed,
            },
            "finetune": {
                "rank": 16,
                "learning_rate": 1e-3,
                "epochs": 10,
                "batch_size": 16,
                "sample_answers": 0,
                "save_steps": 10_000,
                "seed": seed,
            },
            "answer": {"max_tokens": 16},
            "loop": {
                "rounds": plan.rounds,
                "budget": plan.budget,
                "exam": 0,
                "axis": "document",
                "metric": METRIC,
                "control": True,
                "no_gain": 0,
            },
        }
    )


def recipe_of(town: Town, plan: Plan) -> str:
    """Return the fingerprint of what a town's result depends on: its texts, its questions, all settings."""
    asked = [(one.question, one.answer) for one in exam(town)]
    documents = [document(town, ward) for ward in town.districts]
    settings = loop_settings(Path("base"), plan, town.seed)
    return identify("", town.planted, documents, asked, read_texts(town), settings, base_shape(), plan)


def run_town(town: Town, folder: Path, plan: Plan, progress: Progress | None = None) -> Result:
    """Pretrain a town's base, close the loop over its documents with both arms, and compare with the truth.

    What is finished in the folder is not done again. Raises DoceoError.
    """
    base = make_base(town, folder / f"base-{plan.steps}", plan.steps)
    write_documents(town, folder / DOCUMENTS)
    questions = folder / "questions.jsonl"
    write_questions(exam(town), DOCUMENTS, questions)
    run = Run(folder / plan.name)
    settings = loop_settings(base.folder, plan, town.seed)
    record = run_loop(
        run, [str(folder / DOCUMENTS)], settings, questions=questions, progress=progress or Silent()
    ).record
    measured = _measured(town, run)
    start = Run(run.path / record.start.folder)
    rounds: dict[Arm, tuple[Round, ...]] = {}
    for series in record.series:
        found = [_round(town, start, 0, measured, 0)]
        for one in series.rounds:
            leaks = sum(one.leaks.removed.values()) + one.leaks.left
            found.append(_round(town, Run(run.path / one.folder), one.round, measured, leaks))
        rounds[series.arm] = tuple(found)
    gap = next(series for series in record.series if series.arm == "gap")
    steered_by = [record.start.gaps, *(one.gaps for one in gap.rounds[:-1])]
    return Result(
        recipe=recipe_of(town, plan),
        seed=town.seed,
        planted=town.planted,
        ranked=tuple(tuple(_district(town, gap.key) for gap in found) for found in steered_by),
        parameters=base.result.parameters,
        rounds=rounds,
        pretraining_s=round(base.result.seconds, 1),
        loop_s=round(_seconds(run.path), 1),
    )


def _measured(town: Town, run: Run) -> dict[str, Asked]:
    """Return the exam's questions that steered nothing, by the id that the loop gave them."""
    steering = read_json(run.file(EXAM, "steering.json"))
    assert isinstance(steering, list)
    asked = {one.question: one for one in exam(town)}
    ids = {question.pair_id: question.question for question in load_held_out(run, EXAM)}
    return {pair_id: asked[question] for pair_id, question in ids.items() if pair_id not in steering}


def _round(town: Town, run: Run, number: int, measured: Mapping[str, Asked], leaks: int) -> Round:
    items = read_jsonl(run.file(SCORES, "items.jsonl"), Item)
    right = {item.pair_id for item in items if item.metric == METRIC and item.value == RIGHT}
    stated = stated_facts(town, read_jsonl(run.file(PAIRS, "pairs.jsonl"), Pair) if number else [])
    planted = {person.name for person in town.withheld()}
    inside = {pair_id for pair_id, one in measured.items() if one.person.name in planted}
    taught = {pair_id for pair_id in inside if measured[pair_id].fact in stated}

    def share(ids: Collection[str]) -> Share:
        return Share(right=len(right.intersection(ids)), of=len(ids))

    return Round(
        round=number,
        pairs=len(stated),
        pairs_planted=sum(name in planted for name, _ in stated),
        everything=share(measured),
        planted=share(inside),
        others=share(measured.keys() - inside),
        taught=share(taught),
        untaught=share(inside - taught),
        leaks=leaks,
    )


def stated_facts(town: Town, pairs: Sequence[Pair]) -> list[Fact]:
    """Return the facts that pairs state, one for each pair.

    Raises ValueError for a pair that states none: the teacher has misread the register.
    """
    people = {person.name: person for person in town.people}
    found = []
    for pair in pairs:
        person = next((person for name, person in people.items() if name in pair.question), None)
        fact = next((a for a in ATTRIBUTES if person and answer_of(person, a) == pair.answer), None)
        if person is None or fact is None:
            raise ValueError(f"{pair.question} {pair.answer}: the town has no such fact.")
        found.append(Fact(person.name, fact))
    return found


def _seconds(folder: Path) -> float:
    """Return the time that all stages in a folder took, in however many processes."""
    made = [manifests.read(path.parent) for path in sorted(folder.rglob("manifest.json"))]
    return sum(one.wall_s for one in made if one)


def _district(town: Town, source: str) -> str:
    return next(ward for ward in town.districts if source == f"{DOCUMENTS}/{source_of(ward)}")
