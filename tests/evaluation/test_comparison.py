"""Which questions systems share, and how differences and slices are shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.config import EvaluateConfig
from doceo.core.errors import NotComparable
from doceo.core.records import Answer, Answered, Evidence, Message, Question, SetName, Span
from evaluation.compact import in_parts
from evaluation.comparison import MOST_KEYS, differences, shared, slice_tables
from evaluation.metrics.squad import F1
from evaluation.scoring import score


def line(key: str, text: str = "right", set_name: SetName = "taught", reference: str = "right") -> Answered:
    return Answered(
        pair_id=key, set=set_name, question=f"What is {key}?", references=(reference,), answer=Answer(text=text)
    )


KEYS = st.sets(st.tuples(st.sampled_from(["taught", "unseen"]), st.sampled_from("abcdef")), min_size=1)


@settings(max_examples=100, deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=4))
def test_what_is_shared_was_answered_by_all(asked: list[set[tuple[SetName, str]]]) -> None:
    answered = {str(at): [line(key, set_name=name) for name, key in sorted(keys)] for at, keys in enumerate(asked)}
    common = set.intersection(*asked)
    if not common:
        with pytest.raises(NotComparable):
            shared(answered, {})
        return
    kept, notes = shared(answered, {})
    assert all({(one.set, one.pair_id) for one in lines} == common for lines in kept.values())
    assert bool(notes) == (len(common) < len(set().union(*asked)))


def test_one_question_with_two_right_answers_is_not_shared() -> None:
    answered = {"x": [line("a"), line("b")], "y": [line("a", reference="other"), line("b")]}
    kept, notes = shared(answered, {})
    assert [[one.pair_id for one in lines] for lines in kept.values()] == [["b"], ["b"]]
    assert notes == ["1 of 2 questions have other words, references or evidence for some, and do not count"]
    with pytest.raises(NotComparable, match="1 have other words"):
        shared({name: lines[:1] for name, lines in answered.items()}, {})


@pytest.mark.parametrize(
    "other",
    [
        {"answerable": False},
        {"history": (Message(role="user", content="before"),)},
        {"evidence": (Evidence(span=Span(document_id="d", start=0, end=2), quote="is"),)},
    ],
)
def test_what_is_known_of_a_question_decides_whether_it_is_the_same(other: dict[str, Any]) -> None:
    known = [Question(pair_id=key, set="taught", question="?", references=("right",)) for key in "ab"]
    changed = [known[0].model_copy(update=other), known[1]]
    lines = [line("a"), line("b")]
    kept, _ = shared({"x": lines, "y": lines}, {"x": known, "y": changed})
    assert [one.pair_id for one in kept["x"]] == ["b"]
    assert shared({"x": lines, "y": lines}, {"x": known, "y": known})[1] == []


def test_slices_show_the_largest_with_every_system() -> None:
    questions = [
        Question(pair_id=str(at), set="taught", question="?", references=("right",), topic=f"t{at % 15:02}")
        for at in range(40)
    ]
    answered = {
        "one": [line(str(at)) for at in range(40)],
        "two": [line(str(at), "right" if at % 2 else "wrong") for at in range(40)],
    }
    config = EvaluateConfig(resamples=200, baseline="one")
    made = score(answered, [F1()], config, questions)
    topics = [one for one in made.slices if one.axis == "topic"]
    ((headers, rows),) = slice_tables(topics, ["one", "two"], 80)
    assert headers == ["topic", "n", "one", "two"]
    assert len(rows) == MOST_KEYS
    assert [row[1] for row in rows] == ["3"] * 10 + ["2"] * 2
    assert rows[0][2].startswith("100.0 [100.0, 100.0]")
    (shown,) = differences(made.scores, "f1")
    assert shown[:3] == ["two", "F1", "40"]
    assert shown[3].startswith("-50.0 [-")
    assert shown[-1] == "worse"
    assert differences(made.scores, "bleu") == [shown]
    narrow = slice_tables(topics, ["one", "two"], 22)
    assert [head for head, _ in narrow] == [["topic", "n", "one"], ["topic", "n", "two"]]
    assert narrow[0][1][0] == ["t00", "3", "100.0\n100–100"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab/-:@+, ", min_size=1, max_size=40), min_size=1, max_size=12), st.integers(52, 120))
def test_a_wide_table_is_shown_in_parts_that_fit_and_lack_nothing(names: list[str], width: int) -> None:
    rows = [["papers/a-document-of-a-long-name.html", "10", *map(str, range(len(names)))] for _ in range(2)]
    parts = in_parts(["document", "n", *names], rows, 2, width)
    for headers, cells in parts:
        columns = zip(headers, *cells, strict=True)
        widths = [max(len(line) for text in column for line in text.split("\n")) for column in columns]
        assert sum(widths) + 2 * (len(widths) - 1) <= width
        assert all(row[:2] == ["papers/a-document-of-a-long-\nname.html", "10"] for row in cells)
    assert [cell for _, cells in parts for cell in cells[0][2:]] == rows[0][2:]
    heads = [head.replace("\n", "").replace(" ", "") for headers, _ in parts for head in headers[2:]]
    assert heads == [name.replace(" ", "") for name in names]


def test_trainings_are_scored_as_one_and_their_answers_stay_apart() -> None:
    answered = {
        "base": [line(str(at), "wrong") for at in range(20)],
        "s0": [line(str(at), "right" if at % 2 else "wrong") for at in range(20)],
        "s1": [line(str(at), "right" if at % 4 else "wrong") for at in range(20)],
    }
    config = EvaluateConfig(resamples=200)
    made = score(answered, [F1()], config, trainings={"tuned (2 seeds)": ["s0", "s1"]})
    found = {(one.system, one.versus): one for one in made.scores}
    assert set(found) == {("base", ""), ("tuned (2 seeds)", ""), ("tuned (2 seeds)", "base")}
    assert found["tuned (2 seeds)", ""].value == pytest.approx((50 + 75) / 2)
    assert found["tuned (2 seeds)", "base"].value == pytest.approx((50 + 75) / 2)
    assert {item.system for item in made.items} == {"base", "s0", "s1"}
