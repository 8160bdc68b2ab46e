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
from doceo.app.loop.summary import _compared, _standings, _verdict
from doceo.core.loop import Arm
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
