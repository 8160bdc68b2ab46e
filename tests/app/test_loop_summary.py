"""Comparisons of rounds where a metric has no value for some answers, and what may be said beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from data.jsonl import write_jsonl
from data.store import SCORES, Run
from doceo.app.loop import tested
from doceo.app.loop.exam import Exam
from doceo.app.loop.rounds import Place
from doceo.app.loop.running import Series
from doceo.app.loop.spending import spending
from doceo.app.loop.summary import _compared, _standings, _verdict
from doceo.core.loop import Arm, ExamRecord, RoundRecord
from doceo.core.loop import Series as SeriesRecord
from doceo.core.records import Item, Question

QUESTIONS = [
    Question(pair_id=f"{set}{n}", set=set, question=f"{n}?", references=("x",))
    for set in ("taught", "unseen")
    for n in "1234"
]


def round_of(folder: Path, taught: Sequence[float | None], unseen: Sequence[float | None]) -> tested.Tested:
    run = Run(folder)
    with run.stage(SCORES, config=[], inputs={}).making() as work:
        items = zip(QUESTIONS, (*taught, *unseen), strict=True)
        write_jsonl(
            work / "items.jsonl",
            (Item(pair_id=q.pair_id, set=q.set, system="tuned", metric="grounded", value=value) for q, value in items),
        )
    return tested.Tested(run, "tuned", "grounded", Exam(QUESTIONS, (), frozenset({"taught4"}), folder))


def series(arm: Arm, seed: int, *rounds: tested.Tested) -> Series:
    return Series(Place(arm, seed), list(rounds))


def test_questions_without_a_value_on_one_side_are_left_out_and_counted(tmp_path: Path) -> None:
    start = round_of(tmp_path / "0", [0, 0, 0, 0], [0, 0, 0, 0])
    gap = round_of(tmp_path / "1", [100, None, 100, 0], [None] * 4)
    more = round_of(tmp_path / "2", [50, 100, 100, 0], [100] * 4)
    even = round_of(tmp_path / "3", [50, 50, None, 0], [0] * 4)
    every = [series("gap", 0, start, gap), series("gap", 1, start, more)]
    last = list(_standings(every, 1))[-1]
    assert [(mean.set, mean.value, mean.n) for mean in last.means] == [("taught", 87.5, 2)], "1 and 3 have all values"
    assert [(one.set, one.value, one.n) for one in tested.changes(gap, start)] == [("taught", 100, 2)]
    every = [series("gap", 0, start, gap), series("even", 0, start, even)]
    assert [(one.set, one.value, one.n) for one in _compared(every, 1).differences] == [("taught", 50, 1)]


@pytest.mark.parametrize(("unseen", "said"), [([0, 0, 0, 0], ""), ([10, 11, 12, 13], "better")])
def test_what_is_said_of_several_sets_is_corrected_for_their_number(
    tmp_path: Path, unseen: list[float], said: str
) -> None:
    gap, even = round_of(tmp_path / "1", [1, 2, 2.2, 0], unseen), round_of(tmp_path / "2", [0] * 4, [0] * 4)
    taught, other = _compared([series("gap", 0, gap), series("even", 0, even)], 0).differences
    assert taught.low is not None
    assert taught.p_t is not None
    assert taught.low > 0
    assert taught.p_t < 0.05
    assert taught.direction == other.direction == said
    assert ("in one of 2 sets" in _verdict(taught, 2)) is not bool(said)


def spent(arm: Arm, *rounds: tuple[dict[str, int], dict[str, int]]) -> SeriesRecord:
    made = [RoundRecord.model_construct(allotted=wanted, made=given) for wanted, given in rounds]
    return SeriesRecord.model_construct(arm=arm, seed=0, rounds=tuple(made))


def test_areas_that_gave_fewer_pairs_than_allotted_are_named_with_who_gave_them_instead() -> None:
    first = ({"birds": 2, "boats": 2, "bells": 1}, {"birds": 5})
    gap = spent("gap", first, ({"birds": 2, "boats": 1}, {"birds": 1, "boats": 1}))
    assert list(spending([gap, spent("even", ({"birds": 5}, {"birds": 5}))])) == [
        "gap (by weakness): 3 of 8 pairs could not be made where they were to be: \u201cboats\u201d 1 of 3; "
        "\u201cbells\u201d 0 of 1. Other areas gave 2 instead: \u201cbirds\u201d 2 more. 1 was not made at all."
    ]
    (said,) = spending([spent("gap", first), spent("even", first), spent("even", first)][:2])
    assert said.startswith("gap (by weakness) and even: 3 of 5 pairs could not be made")
    assert list(spending([])) == []


def test_an_exam_of_fewer_questions_than_were_to_be_made_says_so() -> None:
    exam = ExamRecord(
        sets={"taught": 18, "unseen": 4, "taught-written": 5}, wanted=24, chosen_from=41, steering=9, measured=14,
        bank=18, kept_out_passages=1,
    )  # fmt: skip
    assert "(24 were to be made; the 41 pairs they are chosen from gave 22)" in exam.words
    assert "were to be made" not in exam.model_copy(update={"wanted": 22}).words
