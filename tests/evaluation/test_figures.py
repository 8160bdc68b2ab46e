"""The figures of the report: axes, differences, slices, curves, examples, and the questions as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.store import ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.core.config import EvaluateConfig
from doceo.core.records import Answer, Answered, Question, Score, Slice, Usage
from evaluation.case import Case
from evaluation.compact import side_by_side
from evaluation.metrics import load_all
from evaluation.scoring import score
from evaluation.table import tables
from evaluation.view.answers import item_values
from evaluation.view.axis import axis
from evaluation.view.browser import questions_data
from evaluation.view.charts import dot_charts
from evaluation.view.curves import latency, risk_coverage
from evaluation.view.examples import galleries
from evaluation.view.forest import forests
from evaluation.view.heat import heats
from evaluation.view.outcomes import outcome
from evaluation.view.passages import Library
from evaluation.view.records import RunRecords, read_run
from evaluation.view.sets import set_views
from evaluation.view.standing import picture
from evaluation.view.tones import TONES, tones

STAGES = (DOCUMENTS, CHUNKS, PAIRS, DATASET, ANSWERS, SCORES)
Build = Callable[..., Run]
finite = st.floats(-1e6, 1e6, allow_nan=False)


@settings(max_examples=80, deadline=None)
@given(st.lists(finite, min_size=1, max_size=6), st.integers(2, 8))
def test_an_axis_holds_its_values_in_few_steps(values: list[float], most: int) -> None:
    made = axis(values, most=most)
    slack = 1e-6 * max(1.0, *map(abs, values))
    assert made.start - slack <= min(values)
    assert max(values) <= made.end + slack
    assert 2 <= len(made.ticks) <= most + 1
    assert [made.ticks[0][0], made.ticks[-1][0]] == [0, 100]
    assert all(0 <= made.place(value) <= 100 for value in values)


def test_ticks_are_round() -> None:
    assert [text for _, text in axis([0, 62.5]).ticks] == ["0", "20", "40", "60", "80"]
    assert [text for _, text in axis([-0.5, 71]).ticks] == ["-20", "0", "20", "40", "60", "80"]
    assert [text for _, text in axis([0, 0.00021]).ticks][-1] == "0.00025"
    assert [text for _, text in axis([0.0, 0.0]).ticks][-1] == "1"


def test_usual_systems_keep_their_colour_and_others_get_a_free_one() -> None:
    found = tones(["quote+rag", "openai:a", "base", "openai:b", *(f"x{n}" for n in range(9))])
    assert (found["base"], found["quote+rag"]) == (0, 4)
    assert found["openai:a"] != found["openai:b"]
    assert not {found["openai:a"], found["openai:b"]} & {0, 4}
    assert set(found.values()) <= set(range(TONES))


def asked(right: bool, n: int, chance: float | None = None, seconds: float = 1.0, **known: Any) -> Answered:
    usage = Usage(seconds=seconds)
    answer = Answer(text="the red harbour" if right else "nothing", chance=chance, usage=usage, **known)
    return Answered(pair_id=f"p_{n}", set="taught", question="Where?", references=("the red harbour",), answer=answer)


def scored(n: int = 40, metrics: Sequence[str] = ("f1", "em", "seconds")) -> tuple[list[Score], list[Slice]]:
    answered = {
        "base": [asked(i % 10 == 0, i, seconds=1 + i / 100) for i in range(n)],
        "tuned": [asked(i % 10 != 0, i, seconds=2 + i / 100) for i in range(n)],
        "tuned+rag": [asked(i % 10 == 0, i, seconds=1 + i / 100) for i in range(n)],
    }
    questions = [
        Question(
            pair_id=f"p_{i}",
            set="taught",
            question="Where?",
            references=("the red harbour",),
            topic="ports" if i < 35 else "ships",
            difficulty=("easy", "medium", "hard")[i % 3],
        )
        for i in range(n)
    ]
    made = score(answered, load_all(metrics), EvaluateConfig(resamples=200), questions)
    return made.scores, made.slices


def test_differences_stand_around_zero() -> None:
    scores, _ = scored()
    (answer, cost) = tables(scores)
    f1, em = forests(answer, {"tuned": 1})
    tuned, same = f1.rows
    assert (tuned.system, tuned.tone, tuned.value, tuned.direction) == ("tuned", 1, "+80.0", "better")
    assert f1.zero < tuned.low < tuned.at < tuned.high
    assert (same.value, same.direction, same.at) == ("+0.0", "", f1.zero)
    assert (tuned.p, same.p) == ("< 0.001", "1.00")
    assert (f1.better, em.better) == ("right", "right")
    assert f1.ticks[0][1] == "0"
    (seconds,) = forests(cost, {})
    assert (seconds.better, seconds.rows[0].direction, seconds.rows[0].value) == ("left", "worse", "+1")


def test_dots_lie_on_their_axis_whatever_the_unit() -> None:
    scores, _ = scored()
    answer, cost = tables(scores)
    f1, em = dot_charts(answer, {}, ("f1",))
    assert (f1.title, em.title) == ("F1", "EM")
    assert [dot.text for dot in f1.dots] == ["10.0", "90.0", "10.0"]
    assert f1.dots[1].at == 90
    assert f1.dots[1].low < 90 < f1.dots[1].high
    (seconds,) = dot_charts(cost, {})
    assert [dot.text for dot in seconds.dots] == ["1.2", "2.19", "1.2"]


@pytest.mark.parametrize("width", [20, 40, 200])
def test_values_stand_side_by_side_as_far_as_there_is_room(width: int) -> None:
    found = tables(scored()[0])
    parts = list(side_by_side(found, width, 40))
    assert [label for headers, _ in parts for label in headers[1:]] == ["F1", "EM", "seconds"]
    assert all(row[0] == system for _, rows in parts for row, system in zip(rows, found[0].systems, strict=True))
    for headers, rows in parts:
        columns = list(zip(headers, *rows, strict=True))
        assert len(headers) == 2 or sum(max(map(len, column)) + 2 for column in columns) - 2 <= width
    assert parts[0][1][1][:2] == ["tuned", "90.0 ▲"]


def test_a_number_that_rests_on_other_questions_says_so() -> None:
    lines = [asked(True, n) for n in range(6)]
    some = [*lines[:2], *(line.model_copy(update={"references": ()}) for line in lines[2:])]
    made = score({"base": some, "tuned": some}, load_all(["seconds", "f1"]), EvaluateConfig(resamples=100))
    answer, cost = tables(made.scores)
    assert (answer.n, answer.headers) == (2, ["system", "F1"])
    assert cost.heads(2) == ["seconds (n=6)"]
    ((headers, _),) = side_by_side([cost], 80, 2)
    assert headers == ["system", "seconds (n=6)"]
    alone = replace(answer, n=6)
    assert alone.headers == ["system", "F1 (n=2)"]
    (f1,) = dot_charts(alone, {})
    assert all(dot.interval.endswith("n = 2") for dot in f1.dots)


def test_one_cell_that_rests_on_other_questions_than_its_column_says_so() -> None:
    scores, _ = scored()
    less = [s.model_copy(update={"n": 1, "low": None, "high": None}) if s.system == "tuned" else s for s in scores]
    answer, cost = tables(less)
    assert answer.headers == ["system", "F1", "EM"]
    assert answer.rows[1][1] == "90.0 ▲ (n=1)"
    assert answer.fitting(20)[1][1] == "90.0 ▲\n(n=1)"
    ((_, rows),) = side_by_side([cost], 80, 40)
    assert rows[1][1] == "2.19 ▼ (n=1)"
    f1, _ = dot_charts(answer, {}, ("f1",))
    assert [dot.interval.endswith("n = 1") for dot in f1.dots] == [False, True, False]


def test_slices_are_tinted_by_value_and_faint_where_few() -> None:
    _, slices = scored()
    topic, difficulty = heats(slices, "taught")
    assert [(row.key, row.n, row.few) for row in topic.rows] == [("ports", 35, False), ("ships", 5, True)]
    assert [row.key for row in difficulty.rows] == ["easy", "medium", "hard"]
    base, tuned, _ = topic.rows[0].cells
    assert base is not None
    assert tuned is not None
    assert (base.level, tuned.level, tuned.direction) == (1, 9, "better")
    assert tuned.words.startswith("tuned on ports: F1 88.6 [")
    assert "35 questions; +77.1 against base, clearly better." in tuned.words
    assert heats(slices, "unseen") == []


def test_many_slices_are_cut_and_counted() -> None:
    one = scored()[1][0]
    many = [one.model_copy(update={"axis": "document", "key": f"d{n:03}", "versus": "", "n": n}) for n in range(90)]
    (shown,) = heats(many, "taught")
    assert (len(shown.rows), shown.more, shown.rows[0].key) == (30, 60, "d089")


def cases(lines: Sequence[Answered], *, answerable: bool = True) -> list[Case]:
    return [
        Case(
            Question(
                pair_id=line.pair_id,
                set="taught",
                question="?",
                references=line.references,
                answerable=answerable,
            ),
            line.answer,
        )
        for line in lines
    ]


def test_risk_and_coverage_by_hand() -> None:
    # the surest ten are right, the next ten wrong
    lines = [asked(n < 10, n, chance=1 - n / 20) for n in range(20)]
    shown = risk_coverage({"a": cases(lines), "unsure": cases([asked(True, n) for n in range(20)])}, {"a": 3})
    assert shown is not None
    (line,) = shown.lines
    assert (line.system, line.tone) == ("a", 3)
    points = [tuple(map(float, point.split(","))) for point in line.points.split()]
    assert points[0] == (5, 100)  # one in twenty answered, none wrong: at the bottom
    assert points[9] == (50, 100)
    assert points[-1] == (100, 0)  # half wrong, and the axis ends at 50 %
    assert line.words == "50 % wrong if all are answered, 0 % of the surest half"
    assert risk_coverage({"a": cases([asked(True, n, chance=0.5) for n in range(20)])}, {}) is None


def test_answers_of_one_chance_are_given_together() -> None:
    lines = [asked(n % 2 == 0, n, chance=0.9 if n < 10 else 0.1) for n in range(20)]
    shown = risk_coverage({"a": cases(lines)}, {})
    assert shown is not None
    assert len(shown.lines[0].points.split()) == 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-4, 500), min_size=1, max_size=700))
def test_the_share_of_answers_within_a_time_only_rises(seconds: list[float]) -> None:
    shown = latency({"a": cases([asked(True, n, seconds=s) for n, s in enumerate(seconds)])}, {})
    assert shown is not None
    points = [tuple(map(float, point.split(","))) for point in shown.lines[0].points.split()]
    assert points == sorted(points, key=lambda point: (point[0], -point[1]))
    assert points[-1][1] == 0  # all answers came
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in points)
    assert len(points) <= 2 * 161 + 1


def test_no_times_no_curve() -> None:
    assert latency({"a": cases([asked(True, 0, seconds=0.0)])}, {}) is None


@pytest.mark.parametrize(
    ("line", "answerable", "expected"),
    [
        (asked(True, 0), True, "right"),
        (asked(False, 0), True, "wrong"),
        (asked(False, 0, refused=True), True, "refused"),
        (asked(False, 0, refused=True), False, "right"),
        (asked(True, 0), False, "wrong"),
        (asked(True, 0).model_copy(update={"references": ()}), True, "unknown"),
    ],
)
def test_what_became_of_a_question(line: Answered, answerable: bool, expected: str) -> None:
    assert outcome(cases([line], answerable=answerable)[0]) == expected


@pytest.fixture
def records(build: Build) -> RunRecords:
    return read_run(build(STAGES))


def test_examples_show_every_system_once_and_no_question_twice(records: RunRecords) -> None:
    library = Library(records.documents, records.chunks)
    values = item_values(records.items, "f1")
    found = galleries(records, library, {"base": 0}, "quote+rag", values, seed=1)
    assert [one.id for one in found] == ["worst", "parted", "best"]
    assert found[0].title == "Lowest scores of quote+rag"
    assert found[0].note.startswith("None of its answers to what the documents answer is wrong")
    cards = [card for gallery in found for card in gallery.cards]
    assert len({card.question for card in cards}) == len(cards) == 6
    for card in cards:
        assert [(reply.system, reply.outcome) for reply in card.replies] == [("base", "wrong"), ("quote+rag", "right")]
        (excerpt,) = card.evidence
        assert [part.text for part in excerpt.parts if part.kind == "mark"] == list(card.references)
    assert found == galleries(records, library, {"base": 0}, "quote+rag", values, seed=1)
    assert found != galleries(records, library, {"base": 0}, "quote+rag", values, seed=2)
    assert galleries(records, library, {}, "nobody", {}, seed=1) == []
    (worst, *_) = galleries(records, library, {}, "base", values, seed=1)
    assert worst.title == "Worst answers of base"
    assert {r.outcome for card in worst.cards for r in card.replies if r.system == "base"} == {"wrong"}


def test_every_question_is_there_with_every_answer(records: RunRecords) -> None:
    values = item_values(records.items, "f1")
    library = Library(records.documents, records.chunks)
    data = json.loads(json.dumps(questions_data(records, library, {"base": 0, "quote+rag": 4}, values, "F1")))
    assert data["systems"] == [["base", 0], ["quote+rag", 4]]
    assert len(data["questions"]) == data["inAll"] == 8
    axes = {one["name"]: one for one in data["axes"]}
    assert axes["set"]["values"] == ["taught", "taught-written"]
    assert axes["set"]["of"] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert axes["author"]["of"] == [-1, -1, -1, -1, 0, 0, 0, 0]
    assert "kind" in axes
    assert "topic" not in axes  # no question has one
    base, quote = data["questions"][0]["answers"]
    assert base[1:] == [0.0 if base[1] == 0 else base[1], 1, []]
    assert quote[1:] == [100.0, 0, ["notes/birds.md"]]


def test_the_figures_of_a_set_hold_that_set_alone(records: RunRecords) -> None:
    taught, written = set_views(records, {}, "f1")
    assert (taught.name, written.name) == ("taught", "taught-written")
    assert (taught.n, written.n, taught.baseline) == (4, 4, "base")
    assert {group.table.set for group in taught.groups} == {"taught"}
    assert not taught.groups[0].half
    assert taught.forests[0].rows[0].n == 4
    assert {one.axis for one in taught.heats} == {"kind"}


def test_the_picture_of_a_verdict(records: RunRecords) -> None:
    assert records.verdict is not None
    shown = picture(records.verdict, {"quote+rag": 4})
    assert shown is not None
    assert [(column.name, column.n) for column in shown.sets] == [("taught", 4), ("taught-written", 4)]
    assert [(row.system, row.tone, row.advised) for row in shown.rows] == [("base", 0, False), ("quote+rag", 4, False)]
    assert all(dot is not None for row in shown.rows for dot in row.dots)
    assert shown.takes == ()
