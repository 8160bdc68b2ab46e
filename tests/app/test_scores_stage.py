"""Stage 7 writes the same figures as JSON and as CSV, with a verdict, and the same bytes twice."""

from __future__ import annotations

import csv
import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from data.held_out import held_out_rows
from data.jsonl import read_json, read_jsonl, write_json, write_jsonl
from data.store import ANSWERS, DATASET, SCORES, Run
from doceo.app.gaps import find_gaps
from doceo.app.pipeline import evaluate_run
from doceo.app.settings import Settings
from doceo.app.stages.report import make_report
from doceo.app.stages.scores import load_scores, load_verdict, make_scores, without_baseline
from doceo.core.config import AnswerConfig, DatasetConfig, EvaluateConfig, JudgeConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.progress import Silent
from doceo.core.records import Answer, Answered, Question, Slice, Usage

CONFIG = EvaluateConfig(metrics=("f1", "seconds"), resamples=200)
REDO = frozenset({SCORES})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(tmp_path / "run")
    questions = [
        Question(
            pair_id=f"p_{n}",
            set="taught",
            question=f"Question {n}?",
            references=("the red harbour",),
            topic="=1+1" if n % 2 else "ships",
        )
        for n in range(30)
    ]
    with made.stage(DATASET, config=[DatasetConfig()]).making() as work:
        write_jsonl(work / "taught.jsonl", held_out_rows(questions))
        write_jsonl(work / "unseen.jsonl", [])
    with made.stage(ANSWERS, config=[AnswerConfig()]).making() as work:
        for system, right in (("base", 10), ("tuned", 2)):
            rows = [
                Answered(
                    pair_id=q.pair_id,
                    set=q.set,
                    question=q.question,
                    references=q.references,
                    answer=Answer(
                        text="nothing" if (n % right == 0) == (system == "tuned") else "the red harbour",
                        usage=Usage(seconds=0.5 + n / 100),
                    ),
                )
                for n, q in enumerate(questions)
            ]
            write_jsonl(work / f"{system}.jsonl", rows)
    return made


def test_scores_slices_and_verdict_as_json_and_csv(run: Run) -> None:
    scores = make_scores(run, CONFIG, Silent())
    with (run.path / SCORES / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["system"], row["metric"], row["versus"]) for row in rows] == [
        (score.system, score.metric, score.versus) for score in scores
    ]
    assert [float(row["value"]) for row in rows] == [score.value for score in scores]
    with (run.path / SCORES / "slices.csv").open(encoding="utf-8", newline="") as file:
        keys = [row["key"] for row in csv.DictReader(file)]
    slices = read_jsonl(run.path / SCORES / "slices.jsonl", Slice)
    assert [key.removeprefix("'") for key in keys] == [one.key for one in slices]
    assert {key for key in keys if "1+1" in key} == {"'=1+1"}  # a spreadsheet does not run it
    made = load_verdict(run)
    assert (made.metric, len(made.costs)) == ("f1", 2)
    assert made.model_dump(mode="json") == read_json(run.path / SCORES / "verdict.json")


def test_the_same_answers_give_the_same_bytes(run: Run) -> None:
    make_scores(run, CONFIG, Silent())
    names = sorted(path.name for path in (run.path / SCORES).iterdir() if path.name != "manifest.json")
    first = {name: (run.path / SCORES / name).read_bytes() for name in names}
    page = make_report(run).read_bytes()
    assert make_report(run).read_bytes() == page
    make_scores(Run(run.path, REDO), CONFIG, Silent())
    assert {name: (run.path / SCORES / name).read_bytes() for name in names} == first
    assert {"scores.json", "scores.csv", "items.jsonl", "slices.jsonl", "slices.csv", "verdict.json"} <= set(names)


def test_the_verdict_rests_on_the_metric_that_is_named(run: Run) -> None:
    make_scores(run, CONFIG.model_copy(update={"primary": "em"}), Silent())
    assert load_verdict(run).metric == "em"


METRIC = """
from evaluation.metrics.squad import F1

class Own(F1):
    name = label = "own"
    signature = "{}"
"""


def test_a_metric_of_ones_own_that_changed_is_worked_out_anew(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    config = CONFIG.model_copy(update={"metrics": ("own_measure:Own",)})
    manifest = run.path / SCORES / "manifest.json"

    def made(text: str) -> bytes:
        (tmp_path / "own_measure.py").write_text(text)
        monkeypatch.delitem(sys.modules, "own_measure", raising=False)
        importlib.invalidate_caches()
        make_scores(run, config, Silent())
        return manifest.read_bytes()

    first = made(METRIC.format("own|v:1"))
    assert made(METRIC.format("own|v:1")) == first
    other = made(METRIC.format("own|v:2"))
    assert other != first
    assert made(METRIC.format("own|v:2") + "\n    scale = 1\n") != other


@pytest.mark.parametrize(
    "wrong",
    [
        {"evaluate": CONFIG.model_copy(update={"metrics": ("blue",)})},
        {"evaluate": CONFIG.model_copy(update={"primary": "blue"})},
        {"evaluate": CONFIG.model_copy(update={"slice_metrics": ("blue",)})},
        {"judging": JudgeConfig(labels="missing.jsonl")},
    ],
)
@pytest.mark.parametrize("judge", ["", "openai:nobody"])
def test_wrong_names_are_said_before_anybody_is_asked(
    run: Run, wrong: dict[str, Any], judge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr("doceo.app.pipeline._evaluate", asked)
    with pytest.raises((UsageError, InputError)):
        evaluate_run(run, ["base"], Settings().model_copy(update=wrong), Silent(), judge=judge)


def test_a_baseline_that_is_not_there_is_named(run: Run) -> None:
    assert without_baseline(run, ["quote+rag"], CONFIG) == ""
    words = without_baseline(run, ["quote+rag"], CONFIG.model_copy(update={"baseline": "bsae"}))
    assert "bsae" in words
    assert "quote+rag, base, tuned" in words


def test_no_gap_is_ranked_by_what_is_not_better_when_higher(run: Run) -> None:
    make_scores(run, CONFIG, Silent())
    with pytest.raises(UsageError, match="does not say how well"):
        find_gaps(run, "tuned", "taught", "seconds")


def test_a_copy_of_a_system_is_no_further_comparison(run: Run) -> None:
    make_scores(run, CONFIG, Silent())
    alone = load_verdict(run)
    folder = run.path / ANSWERS
    shutil.copy(folder / "tuned.jsonl", folder / "adapter-copy.jsonl")
    write_json(folder / "systems.json", {"adapter:copy": {"file": "adapter-copy.jsonl"}})
    make_scores(Run(run.path, REDO), CONFIG, Silent())
    made = load_verdict(run)
    assert "Left out: adapter:copy, with the same answers as tuned." in made.basis
    assert made.scores == alone.scores
    assert (made.headline, made.reasons) == (alone.headline, alone.reasons)
    assert "adapter:copy" in {score.system for score in load_scores(run)}, "its own scores are shown all the same"
