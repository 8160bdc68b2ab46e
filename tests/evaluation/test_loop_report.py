"""The page of a loop: what it says of made-up records."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.jsonl import write_json
from data.store import Run
from doceo.app.stages.report import make_report
from doceo.core.errors import InputError
from doceo.core.loop import (
    Area,
    Arm,
    Compared,
    Difference,
    ExamRecord,
    Leaks,
    LoopRecord,
    Mean,
    RoundRecord,
    Series,
    Standing,
    Start,
    Taught,
    Unlearned,
)
from doceo.core.records import Gap, Score
from evaluation.loop_report import render_loop
from evaluation.view.budget import areas
from evaluation.view.rounds import advantages, charts
from evaluation.view.series import headline, series_rows
from tests.evaluation.page import Page

SCORES = {"gap": (5.0, 20.0, 40.0), "even": (5.0, 15.0, 25.0)}


def mean(value: float) -> Mean:
    return Mean(set="taught", metric="f1", value=value, low=value - 4, high=value + 4, n=30)


def gap(key: str, weakness: float) -> Gap:
    return Gap(axis="topic", key=key, weakness=weakness, n=5, low=0.1, high=0.9)


def round_of(number: int, made: dict[str, int], lost: int = 1) -> RoundRecord:
    return RoundRecord(
        round=number,
        folder=f"rounds/gap-0/{number}",
        allotted=made,
        made=made,
        banked=0,
        pairs=10 * number,
        by_area=made,
        leaks=Leaks(questions=40, rows=90, removed={"near question": 2}, left=0),
        training=None,
        scores=(),
        means=(mean(5.0 + 10 * number),),
        change=(),
        gaps=(gap("birds", 0.6 / number), gap("boats", 0.5)),
        taught=Taught(facts=1, of=2, score=None, others=None),
        unlearned=Unlearned(
            lost=lost, gained=5, lost_questions=(), general_loss_before=4.5, general_loss=5.25, rise=0.75
        ),
    )


def record(low: float | None = 1.0, *, control: bool = True) -> LoopRecord:
    arms: tuple[Arm, ...] = ("gap", "even") if control else ("gap",)
    made: dict[Arm, tuple[dict[str, int], ...]] = {
        "gap": ({"birds": 8, "boats": 2}, {"birds": 6, "boats": 4}),
        "even": ({"birds": 5, "boats": 5}, {"birds": 5, "boats": 5}),
    }
    high = None if low is None else 29.0
    apart = Difference(set="taught", metric="f1", value=15.0, low=low, high=high, n=30, seeds=1)
    return LoopRecord(
        base="doceo-5m",
        teacher="extractive",
        system="tuned",
        axis="topic",
        metric="f1",
        budget=20,
        rounds=2,
        control=control,
        explore=0.3,
        focus=1.0,
        banked=0.5,
        exam=ExamRecord(sets={"taught": 60, "unseen": 20}, steering=30, measured=30, bank=60, kept_out_passages=7),
        areas=(
            Area(key="boats", text=0.4, passages=9, steering=3, measured=4),
            Area(key="birds", text=0.6, passages=9, steering=3, measured=4),
        ),
        start=Start(
            folder="rounds/base",
            scores=(Score(system="base", set="taught", metric="f1", value=5.0, n=60, label="F1"),),
            means=(mean(5.0),),
            gaps=(gap("birds", 0.9), gap("boats", 0.8)),
        ),
        series=tuple(
            Series(
                arm=arm,
                seed=0,
                rounds=tuple(round_of(n, found) for n, found in enumerate(made[arm], 1)),
                stopped="budget spent",
                words="20 pairs of the budget of 20",
            )
            for arm in arms
        ),
        standings=tuple(
            Standing(round=n, arm=arm, seeds=1, pairs=10.0 * n, means=(mean(SCORES[arm][n]),))
            for n in range(3)
            for arm in arms
        ),
        compared=tuple(Compared(round=n, differences=(apart,)) for n in (1, 2)) if control else (),
    )


@pytest.mark.parametrize(
    ("low", "expected"),
    [
        (1.0, "Spending where the model is weak was better than spending evenly: +15.0 F1 [+1.0, +29.0] on taught "),
        (-3.0, "Whether to spend where the model is weak or evenly cannot be told from this: +15.0 F1 [\u22123.0, "),
        (None, "One question tells nothing of how the budget is best spent."),
    ],
)
def test_the_result_in_a_sentence(low: float | None, expected: str) -> None:
    assert headline(record(low)).startswith(expected)


def test_without_a_control_arm_the_gain_is_told() -> None:
    made = record(control=False)
    assert headline(made) == "From 5.0 to 40.0 [36.0, 44.0] F1 on taught questions in 2 rounds with 20 pairs."
    assert advantages(made) == []
    unfinished = made.model_copy(update={"standings": made.standings[:1], "series": ()})
    assert headline(unfinished) == "No round is finished yet."
    assert "No round is finished yet." in Page(render_loop(unfinished, title="loop")).text


def test_scores_climb_round_by_round() -> None:
    (chart,) = charts(record())
    assert (chart.set, chart.n, [text for _, text in chart.x_ticks]) == ("taught", 30, ["0", "1", "2"])
    weak, even = chart.climbs
    assert (weak.name, even.name) == ("where it is weak", "evenly")
    assert [mark.words for mark in weak.marks][-1] == "round 2: 40.0 [36.0, 44.0]"
    assert weak.words == "5.0 before, 40.0 [36.0, 44.0] at the end"
    for climb in chart.climbs:
        heights = [mark.y for mark in climb.marks]
        assert heights == sorted(heights, reverse=True)  # from the bottom up
        assert all(mark.high < mark.y < mark.low for mark in climb.marks)
        assert all(0 <= place <= 100 for mark in climb.marks for place in (mark.x, mark.y, mark.low, mark.high))


def test_where_the_budget_went() -> None:
    birds, boats = areas(record())
    assert (birds.key, birds.text, birds.before, birds.after) == ("birds", "60 %", 90.0, 30.0)
    (weak, even) = birds.bars
    assert [piece.words for piece in weak[1]] == ["round 1: 8", "round 2: 6"]
    assert (weak[2], even[2], boats.bars[0][2]) == ("14", "10", "6")
    assert sum(piece.width for piece in weak[1]) == pytest.approx(100)  # the longest bar
    assert weak[1][1].x == pytest.approx(weak[1][0].width, abs=0.01)


def test_areas_that_gave_less_and_an_exam_of_less_are_told() -> None:
    plain = record()
    exam = plain.exam.model_copy(update={"wanted": 100, "chosen_from": 150})
    page = Page(render_loop(plain.model_copy(update={"notes": ("even: boats gave less.",), "exam": exam}), title="x"))
    assert "even: boats gave less." in page.text
    assert "(100 were to be made; the 150 pairs they are chosen from gave 80)" in page.text
    assert "were to be made" not in Page(render_loop(plain, title="x")).text


def test_how_every_series_went() -> None:
    weak, even = series_rows(record())
    assert (weak.name, even.name) == ("where it is weak", "evenly")
    assert (weak.lost, weak.general, weak.leaks) == ("2 lost, 10 gained", "4.50 → 5.25", "4 removed, 0 left")
    assert weak.stopped == "budget spent: 20 pairs of the budget of 20"


def test_the_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "loop")
    write_json(run.path / "loop.json", record().model_dump(mode="json"))
    first = make_report(run).read_text(encoding="utf-8")
    page = Page(first)
    assert headline(record()) in page.text
    assert "budget spent: 20 pairs of the budget of 20" in page.text
    assert {value for name, value in page.attributes if name == "href" and value[0] != "#"} == {"loop.json"}
    assert not [a for a in page.attributes if a[0] in ("src", "style") or a[0].startswith("on")]
    assert first == make_report(run).read_text(encoding="utf-8")


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path / "loop")
    write_json(run.path / "loop.json", {"version": 1})
    with pytest.raises(InputError, match=r"loop\.json"):
        make_report(run)
