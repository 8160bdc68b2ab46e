"""The closed loop on invented towns, with a student who knows what it was taught: where the budget goes, and why."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from data.dataset import build_dataset
from data.jsonl import read_jsonl
from data.leaks import leaks
from data.store import PAIRS, Run
from doceo.app.loop import run_loop
from doceo.app.loop.running import Outcome
from doceo.app.settings import load_settings
from doceo.app.stages.dataset import load_held_out
from doceo.cli.main import app
from doceo.core.errors import UsageError
from doceo.core.loop import LoopRecord
from doceo.core.records import Pair
from tests.app.towns import WEAK, Student, write_towns

WEAK_DOCUMENTS = {f"towns/{town.lower()}.md" for town in WEAK}


def looped(folder: Path, student: Student, **more: Any) -> Outcome:
    loop = {"rounds": 2, "budget": 30, "exam": 80, "axis": "document", "metric": "em", "no_gain": 0, **more}
    flags = {
        "loop": loop,
        "generate": {"gates": ["form", "exact", "near", "grounding"], "unseen_share": 0.15},
        "evaluate": {"metrics": ["em"], "resamples": 100},
        "dataset": {"validation_share": 0.0},
    }
    sources = [] if (folder / "run" / "1-documents").is_dir() else [str(write_towns(folder / "towns"))]
    # Nobody here is asked over documents.
    with patch("doceo.app.loop.running.index_run"):
        return run_loop(Run(folder / "run"), sources, load_settings(flags), steps=student.steps)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Student, Outcome]:
    folder, student = tmp_path_factory.mktemp("loop"), Student()
    return folder, student, looped(folder, student, control=True, seeds=2)


def arms(record: LoopRecord, arm: str) -> Sequence[Any]:
    return [series for series in record.series if series.arm == arm]


def test_the_budget_goes_where_the_student_is_weak(done: tuple[Path, Student, Outcome]) -> None:
    record = done[2].record
    weakest = [gap.key for gap in record.start.gaps[: len(WEAK)]]
    assert set(weakest) <= WEAK_DOCUMENTS
    spent = {
        arm: sum(n for series in arms(record, arm) for key, n in series.rounds[-1].by_area.items() if key in weakest)
        for arm in ("gap", "even")
    }
    assert spent["gap"] > 2 * spent["even"]
    assert all(series.rounds[-1].pairs == 30 for series in record.series)
    assert record.compared[-1].differences[0].value > 0
    before, after = (one for one in record.standings if one.arm == "gap" and one.round in (0, 2))
    assert after.means[0].value > before.means[0].value


def test_nothing_of_the_exam_is_trained(done: tuple[Path, Student, Outcome]) -> None:
    folder, _, outcome = done
    exam = load_held_out(Run(folder / "run"), "0-exam")
    asked = {question.question for question in exam}
    assert {question.set for question in exam} == {"taught", "unseen"}
    for series in outcome.record.series:
        for one in series.rounds:
            run = Run(folder / "run" / one.folder)
            assert one.leaks.left == 0
            assert load_held_out(run) == exam
            pairs = read_jsonl(run.file(PAIRS, "pairs.jsonl"), Pair)
            assert not asked & {pair.question for pair in pairs}
            rows = (run.path / "4-dataset" / "train.jsonl").read_text(encoding="utf-8")
            assert len(rows.splitlines()) == one.pairs
            assert not any(f'"{question}"' in rows for question in asked)


def test_what_steers_is_not_what_is_measured(done: tuple[Path, Student, Outcome]) -> None:
    folder, _, outcome = done
    steering = set(json.loads((folder / "run" / "0-exam" / "steering.json").read_text()))
    taught = {question.pair_id for question in load_held_out(Run(folder / "run"), "0-exam") if question.set == "taught"}
    assert steering < taught
    assert outcome.record.exam.measured == outcome.record.start.means[0].n == len(taught - steering)
    assert sum(gap.n for gap in outcome.record.start.gaps) == len(steering)


def test_pairs_of_earlier_rounds_stay(done: tuple[Path, Student, Outcome]) -> None:
    for series in done[2].record.series:
        first, second = (
            {p.id: p.round for p in read_jsonl(done[0] / "run" / one.folder / "3-pairs" / "pairs.jsonl", Pair)}
            for one in series.rounds
        )
        assert first.items() <= second.items()
        assert set(second.values()) == {1, 2}
        assert series.stopped == "budget spent"


def test_an_unchanged_loop_does_nothing_and_more_rounds_go_on(done: tuple[Path, Student, Outcome]) -> None:
    folder, student, first = done
    content = (folder / "run" / "loop.json").read_bytes()
    trained, asked = len(student.trained), len(student.asked)
    again = looped(folder, student, control=True, seeds=2)
    assert again.unchanged
    assert not first.unchanged
    assert len(student.asked) == asked
    assert (folder / "run" / "loop.json").read_bytes() == content
    # Without the control and with one seed, the rounds there are stand, and only a third one is made.
    more = looped(folder, student, rounds=3, budget=45)
    assert not more.unchanged
    assert student.asked[asked:] == [(folder / "run" / "rounds" / "gap-0" / "3").as_posix()]
    assert len(student.trained) > trained
    assert [one.pairs for one in more.record.series[0].rounds] == [15, 30, 45]


def test_a_series_ends_for_a_reason(done: tuple[Path, Student, Outcome], tmp_path: Path) -> None:
    for read in ("1-documents", "2-chunks"):
        shutil.copytree(done[0] / "run" / read, tmp_path / "run" / read)

    # A student who learns nothing gains nothing.
    class Dull(Student):
        def _answered(self, question: Any, known: Any, source: Any) -> Any:
            return super()._answered(question, set(), source)

    found = looped(tmp_path, Dull(), rounds=5, budget=20, no_gain=2)
    series = found.record.series[0]
    assert (series.stopped, len(series.rounds)) == ("no gain", 2)
    assert "rounds 1 to 2" in found.record.ends[0]
    # More is asked for than the documents hold.
    spent = looped(tmp_path, Student(), rounds=3, budget=3000)
    assert spent.record.series[0].stopped == "nothing left to teach"
    assert spent.record.series[0].rounds[-1].pairs < 3000
    with pytest.raises(UsageError, match="less than one"):
        looped(tmp_path, Student(), rounds=5, budget=4)


def test_the_leak_check_would_find_one(done: tuple[Path, Student, Outcome]) -> None:
    from doceo.app.stages.documents import load_ingested
    from doceo.core.config import DatasetConfig

    run = Run(done[0] / "run" / done[2].record.series[0].rounds[0].folder)
    exam, ingested = load_held_out(run), load_ingested(run)
    pairs = read_jsonl(run.file(PAIRS, "pairs.jsonl"), Pair)
    stolen = pairs[0].model_copy(update={"question": exam[0].question, "id": "p_stolen"})
    config = DatasetConfig(closed_share=1, open_share=0, conversation_share=0, validation_share=0)
    made = build_dataset(ingested.documents, ingested.chunks, [*pairs[1:], stolen], frozenset(), exam, config)
    assert dict(made.check.removed) == {"question": 1}
    assert not leaks(made.train, exam, (), ingested.chunks)


def test_gaps_are_ranked_on_the_command_line(done: tuple[Path, Student, Outcome]) -> None:
    run = done[0] / "run" / done[2].record.series[1].rounds[0].folder
    common = [str(run), "--metric", "em", "--json"]
    result = CliRunner().invoke(app, ["gaps", *common], prog_name="doceo")
    assert result.exit_code == 0, result.stderr
    found = [gap for gap in json.loads(result.stdout)["gaps"] if gap["axis"] == "document"]
    assert {gap["key"] for gap in found[: len(WEAK)]} == WEAK_DOCUMENTS
    assert [gap["weakness"] for gap in found] == sorted((gap["weakness"] for gap in found), reverse=True)
    assert all(0 <= gap["covered"] <= 1 and gap["pairs"] >= 0 for gap in found)
    assert json.loads((run / "gaps.json").read_text())["gaps"] == json.loads(result.stdout)["gaps"]
    unknown = CliRunner().invoke(app, ["gaps", *common, "--system", "nobody"], prog_name="doceo")
    assert unknown.exit_code == 2
    assert "There are: tuned" in unknown.stdout


@pytest.mark.slow
def test_a_chat_model_teaches_and_people_examine(tmp_path: Path, teacher: Callable[[float], Any]) -> None:
    server, student = teacher(0), Student()
    towns, questions = write_towns(tmp_path / "towns"), tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in written(towns)), encoding="utf-8")
    flags: dict[str, Any] = {
        "teacher": "openai:m",
        "base_url": server.address,
        "loop": {"rounds": 2, "budget": 24, "exam": 0, "axis": "document", "metric": "em", "control": True},
        "generate": {"gates": ["form", "exact", "near", "grounding"], "kinds": {"fact": 0}, "unseen_share": 0.15},
    }
    found = run_loop(
        Run(tmp_path / "run"), [str(towns)], load_settings(flags), questions=questions, steps=student.steps
    )
    sets = found.record.exam.sets
    assert set(sets) == {"taught-written", "unseen-written"}
    assert found.record.exam.steering + found.record.exam.measured == sets["taught-written"]
    for series in found.record.series:
        assert [one.pairs for one in series.rounds] == [12, 24]
        assert all(one.made == one.allotted and not one.banked for one in series.rounds)
    calls = server.seen()
    # The arms share a journal: what both ask for is paid for once.
    assert 0 < calls < 2 * 24
    settings = load_settings(flags)
    again = run_loop(Run(tmp_path / "run"), [], settings, questions=questions, steps=student.steps)
    assert again.unchanged
    assert server.seen() == calls


def written(towns: Path) -> Iterator[dict[str, str]]:
    for path in sorted(towns.glob("*.md")):
        for quote, name, year in re.findall(r"(The (\w+ \w+) was built in (\d+)\.)", path.read_text(encoding="utf-8")):
            question = f"From which year is the {name}?"
            yield {"question": question, "answer": year, "source": f"towns/{path.name}", "quote": quote}
