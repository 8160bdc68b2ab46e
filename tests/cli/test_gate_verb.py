"""`doceo gate` and `doceo compare` as they are used: exit codes, refusals, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import Result
from typer.testing import CliRunner

from doceo.cli.main import app
from tests.evaluated_run import make_evaluated, questions_of

ASKED = questions_of(40)
RIGHT = [question.references[0] for question in ASKED]
HALF = [text if at % 2 else "no idea" for at, text in enumerate(RIGHT)]
FEW = ("--resamples", "200")


def doceo(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="doceo", env={"COLUMNS": "120"})


def answer_of(*arguments: str | Path) -> dict[str, Any]:
    found = doceo(*arguments, "--json")
    made: dict[str, Any] = json.loads(found.stdout)
    return made


def refused(code: str, *arguments: str | Path) -> str:
    """Return message and hint of an error that has to come about."""
    found = answer_of(*arguments)["error"]
    assert found["code"] == code
    return f"{found['message']} {found['hint']}"


def test_a_gate_passes_what_is_as_good_and_stops_what_is_worse(tmp_path: Path) -> None:
    make_evaluated(tmp_path / "before", ASKED, {"base": HALF, "base+rag": RIGHT}, index="i")
    make_evaluated(tmp_path / "now", ASKED, {"base": HALF, "base+rag": HALF}, index="i")
    same = doceo("gate", tmp_path / "before", "--baseline", tmp_path / "before", *FEW)
    assert same.exit_code == 0
    assert "Passed: none of" in same.stdout
    report = tmp_path / "ci" / "gate.xml"
    worse = doceo("gate", tmp_path / "now", "--baseline", tmp_path / "before", "--junit", report, *FEW)
    assert worse.exit_code == 4
    last = worse.stdout.rstrip().splitlines()[-1]
    assert last.startswith("Not passed:")
    assert last.endswith("EM, F1 of base+rag on taught.")
    assert "seconds, tokens, cost (no --margin is named for it)" in worse.stdout
    suite = ElementTree.fromstring(report.read_bytes()).find("testsuite")
    assert suite is not None
    failed = {case.get("classname") for case in suite.findall("testcase") if case.find("failure") is not None}
    assert failed == {"taught.base+rag"}


def test_margins_metrics_and_systems_are_chosen(tmp_path: Path) -> None:
    make_evaluated(tmp_path / "before", ASKED, {"base": RIGHT, "tuned": RIGHT})
    make_evaluated(tmp_path / "now", ASKED, {"base": HALF, "tuned": RIGHT, "quote+rag": RIGHT}, seconds=0.9)
    gate = ("gate", tmp_path / "now", "--baseline", tmp_path / "before", *FEW)
    assert doceo(*gate, "--metrics", "f1,em", "--margin", "90").exit_code == 0
    assert doceo(*gate, "--metrics", "f1,em", "--margin", "90,em=1").exit_code == 4
    assert doceo(*gate, "--metrics", "f1", "--systems", "tuned").exit_code == 0
    found = answer_of(*gate, "--metrics", "f1,seconds", "--margin", "seconds=0.1", "--systems", "tuned")
    assert [(check["metric"], check["outcome"]) for check in found["checks"]] == [("f1", "held"), ("seconds", "worse")]
    assert not found["passed"]
    assert answer_of(*gate, "--metrics", "f1")["left_out"] == ["quote+rag (only now has it)"]


def test_wrong_words_are_usage_errors(tmp_path: Path) -> None:
    make_evaluated(tmp_path / "r", ASKED, {"base": RIGHT})
    gate = ("gate", tmp_path / "r", "--baseline", tmp_path / "r", *FEW)
    assert "bleu" in refused("usage", *gate, "--metrics", "bleu", "--margin", "f1=2")
    assert "no loss" in refused("config", *gate, "--margin", "f1=-2")
    assert "tuned" in refused("usage", *gate, "--systems", "tuned")
    assert "No metric is left" in refused("usage", *gate, "--metrics", "refused")
    assert doceo("gate", tmp_path / "r").exit_code == 2
    assert doceo(*gate, "--margin", "f1=x").exit_code == 2


def test_a_gate_that_could_judge_nothing_has_not_passed(tmp_path: Path) -> None:
    make_evaluated(tmp_path / "one", ASKED[:1], {"base": RIGHT[:1]})
    assert "one question: no interval" in refused(
        "not_comparable", "gate", tmp_path / "one", "--baseline", tmp_path / "one"
    )
    make_evaluated(tmp_path / "r", ASKED, {"base": RIGHT})
    gate = ("gate", tmp_path / "r", "--baseline", tmp_path / "r", *FEW)
    assert "no value in common" in refused("not_comparable", *gate, "--metrics", "auroc")
    left_out = answer_of(*gate, "--metrics", "f1,auroc,ndcg")["left_out"]
    assert left_out == ["auroc, ndcg (undefined for every answer of both runs)"]


def test_other_questions_are_refused(tmp_path: Path) -> None:
    make_evaluated(tmp_path / "a", ASKED, {"base": RIGHT})
    make_evaluated(tmp_path / "b", ASKED[:-3], {"base": RIGHT[:-3]})
    make_evaluated(tmp_path / "c", questions_of(40, references="another {}"), {"base": RIGHT})
    make_evaluated(tmp_path / "d", questions_of(40, "unseen"), {"base": RIGHT})
    words = refused("not_comparable", "gate", tmp_path / "b", "--baseline", tmp_path / "a", *FEW)
    assert "only a asks 3 of 37" in words
    assert "40 have other words" in refused("not_comparable", "gate", tmp_path / "c", "--baseline", tmp_path / "a")
    assert doceo("gate", tmp_path / "d", "--baseline", tmp_path / "a").exit_code == 1


def test_another_index_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    for name in ("old", "new"):
        make_evaluated(tmp_path / name, ASKED, {"base": RIGHT, "base+rag": RIGHT}, index=name)
    gate = ("gate", tmp_path / "new", "--baseline", tmp_path / "old", "--metrics", "f1", *FEW)
    assert "base+rag searched one index in new and another in old" in refused("not_comparable", *gate)
    assert doceo(*gate, "--across-indexes").exit_code == 0
    assert doceo(*gate, "--systems", "base").exit_code == 0


def test_scores_that_were_made_otherwise_are_refused(tmp_path: Path) -> None:
    for name in ("old", "new"):
        make_evaluated(tmp_path / name, ASKED, {"base": RIGHT}, signatures={"f1": f"f1|v:{name}", "em": "em|v:1"})
    gate = ("gate", tmp_path / "new", "--baseline", tmp_path / "old", *FEW)
    assert "f1|v:new in new, f1|v:old in old" in refused("not_comparable", *gate, "--metrics", "f1,em")
    assert doceo(*gate, "--metrics", "em").exit_code == 0


def test_a_judge_never_decides_alone(tmp_path: Path) -> None:
    make_evaluated(tmp_path / "before", ASKED, {"base": RIGHT}, judge="openai:m")
    make_evaluated(tmp_path / "now", ASKED, {"base": HALF}, judge="openai:m")
    make_evaluated(tmp_path / "other", ASKED, {"base": HALF}, judge="openai:n")
    gate = ("gate", tmp_path / "now", "--baseline", tmp_path / "before", *FEW)
    assert "never decides alone" in refused("usage", *gate, "--metrics", "judge_correct")
    found = answer_of(*gate, "--metrics", "judge_correct,f1")
    assert {check["metric"]: check["now"] for check in found["checks"]}["judge_correct"] == 50
    unlike = ("gate", tmp_path / "other", "--baseline", tmp_path / "before", "--metrics", "judge_correct,f1", *FEW)
    assert "were not judged as judge_correct" in refused("not_comparable", *unlike)
    assert refused("not_comparable", *gate, "--metrics", "f1,judge_unknown")


def test_runs_are_compared_on_what_they_share(tmp_path: Path) -> None:
    more = [*ASKED, *questions_of(6, "unseen")]
    make_evaluated(tmp_path / "a", ASKED, {"base": HALF, "tuned": RIGHT})
    make_evaluated(tmp_path / "b", more, {"tuned": [*HALF, *["no"] * 6]})
    shown = doceo("compare", tmp_path / "a", tmp_path / "b", "--metrics", "f1", "--out", tmp_path / "out", *FEW)
    assert shown.exit_code == 0
    assert "6 of 46 questions were not answered by all" in shown.stdout
    assert "taught: F1 by topic" in shown.stdout
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert {score["system"] for score in scores} == {"a/base", "a/tuned", "b/tuned"}
    assert {score["set"] for score in scores} == {"taught"}
    better = next(score for score in scores if score["versus"] and score["system"] == "a/tuned")
    assert (better["versus"], better["n"]) == ("a/base", 40)
    assert better["low"] > 0
    names = {"scores.json", "scores.csv", "items.jsonl", "slices.jsonl", "slices.csv"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == names


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("x/1", "y/1"):
        make_evaluated(tmp_path / name, ASKED, {"base": HALF})
    made = answer_of("compare", tmp_path / "x" / "1", tmp_path / "y" / "1", "--metrics", "f1", *FEW)
    assert made["systems"] == ["x/1/base", "y/1/base"]


def test_a_baseline_and_systems_are_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_evaluated(tmp_path / name, ASKED, {"base": HALF, "tuned": RIGHT})
    both = ("compare", tmp_path / "a", tmp_path / "b", "--metrics", "f1", *FEW)
    made = answer_of(*both, "--systems", "tuned,a/base", "--baseline", "b/tuned")
    assert made["systems"] == ["a/base", "a/tuned", "b/tuned"]
    assert {score["versus"] for score in made["scores"]} == {"", "b/tuned"}
    assert "a/base, a/tuned" in refused("usage", *both, "--baseline", "b/other")
    assert refused("usage", *both, "--systems", "c/base")
    assert refused("usage", "compare", tmp_path / "a", tmp_path / "a")


def test_runs_without_a_common_question_are_refused(tmp_path: Path) -> None:
    make_evaluated(tmp_path / "a", ASKED, {"base": HALF})
    make_evaluated(tmp_path / "b", questions_of(40, "unseen"), {"base": HALF})
    make_evaluated(tmp_path / "c", questions_of(40, references="another {}"), {"base": HALF})
    assert "no question in common" in refused("not_comparable", "compare", tmp_path / "a", tmp_path / "b")
    assert "40 have other words, references or evidence" in refused(
        "not_comparable", "compare", tmp_path / "a", tmp_path / "c"
    )


def test_questions_that_differ_beside_their_words_do_not_count(tmp_path: Path) -> None:
    changed = [q.model_copy(update={"answerable": False}) if at < 4 else q for at, q in enumerate(ASKED)]
    for name, asked in (("a", ASKED), ("b", changed), ("c", changed)):
        make_evaluated(tmp_path / name, asked, {"base": HALF})
    made = answer_of("compare", tmp_path / "a", tmp_path / "b", "--metrics", "f1,decided", *FEW)
    assert made["questions"] == {"taught": 36}
    assert made["notes"] == ["4 of 40 questions have other words, references or evidence for some, and do not count"]
    # Where a run is not compared, what it knows of the questions does not matter.
    runs = [tmp_path / name for name in "abc"]
    made = answer_of("compare", *runs, "--systems", "b/base,c/base", "--metrics", "decided", *FEW)
    (alone,) = [score for score in made["scores"] if score["system"] == "b/base" and not score["versus"]]
    (whole,) = answer_of("compare", tmp_path / "b", "--metrics", "decided", *FEW)["scores"]
    assert alone["value"] == whole["value"]


def test_wins_over_other_answers_are_not_compared(tmp_path: Path) -> None:
    runs = {"a": "no idea", "b": "no idea", "c": "who knows"}
    for name, base in runs.items():
        answers = {"base": [base] * 40, "tuned": RIGHT}
        make_evaluated(tmp_path / name, ASKED, answers, judge="openai:m", baseline="base")
    compare = ("--metrics", "judge_preferred,f1", "--systems", "tuned", *FEW)
    found = answer_of("compare", tmp_path / "a", tmp_path / "b", *compare)["scores"]
    assert {s["value"] for s in found if s["metric"] == "judge_preferred" and not s["versus"]} == {100}
    for verb in (("compare", tmp_path / "a", tmp_path / "c"), ("gate", tmp_path / "a", "--baseline", tmp_path / "c")):
        assert "another one in some of a, c to 40 of 40" in refused("not_comparable", *verb, *compare)


def test_systems_that_were_asked_with_other_prompts_are_no_seeds_of_one(tmp_path: Path) -> None:
    for seed, prompt in ((1, "p"), (2, "q")):
        prompts = {"prompt short": prompt, "system tuned": f"adapter {seed}"}
        answers = {"tuned": RIGHT, "tuned@short": HALF}
        make_evaluated(tmp_path / prompt, ASKED, answers, seed=seed, prompts=prompts)
    made = answer_of("compare", tmp_path / "p", tmp_path / "q", "--metrics", "f1", *FEW)
    assert made["systems"] == ["tuned (2 seeds)", "p/tuned@short", "q/tuned@short"]
    for seed, prompt in ((1, "r"), (2, "s")):
        make_evaluated(tmp_path / prompt, ASKED, {"tuned": RIGHT}, seed=seed, prompts={"system_prompt": prompt})
    made = answer_of("compare", tmp_path / "r", tmp_path / "s", "--metrics", "f1", *FEW)
    assert made["systems"] == ["r/tuned", "s/tuned"], "files of one name with other words"


@pytest.mark.parametrize("seeds", [(1, 2, 3), (1, 1, 1)])
def test_trainings_with_other_seeds_are_one_system(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    for at, seed in enumerate(seeds):
        tuned = [text if number % (at + 3) else "no idea" for number, text in enumerate(RIGHT)]
        make_evaluated(tmp_path / f"s{at}", ASKED, {"base": HALF, "tuned": tuned}, seed=seed)
    made = answer_of("compare", *(tmp_path / f"s{at}" for at in range(3)), "--metrics", "f1", *FEW)
    if len(set(seeds)) == 1:
        assert len(made["systems"]) == 6
        return
    assert made["systems"] == ["s0/base", "tuned (3 seeds)"]
    alone, *_ = [s for s in made["scores"] if s["system"] == "tuned (3 seeds)" and not s["versus"]]
    assert alone["note"] == "over 3 seeds"
    wrong = [len(range(0, 40, step)) for step in (3, 4, 5)]
    assert alone["value"] == pytest.approx(sum(100 * (40 - n) / 40 for n in wrong) / 3, abs=4)
    assert any("s1/base, s2/base, with the same answers as s0/base" in note for note in made["notes"])
    assert any("little is known of what tuned would give" in note for note in made["notes"])
    runs = ("compare", *(tmp_path / f"s{at}" for at in range(3)), "--metrics", "f1", *FEW)
    assert answer_of(*runs, "--baseline", "s2/tuned")["baseline"] == "tuned (3 seeds)"
    assert answer_of(*runs, "--baseline", "s2/base")["baseline"] == "s0/base"
    assert answer_of(*runs, "--systems", "s1/base,tuned")["systems"] == ["tuned (3 seeds)", "s1/base"]
