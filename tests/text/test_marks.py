from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.text.marks import Mark, marks_of

POINTS = ("correct", "complete")


@pytest.mark.parametrize(
    "text",
    [
        '{"correct": {"reason": "r", "mark": 2}, "complete": {"mark": 0}}',
        '```json\n{"complete": 0, "correct": "2"}\n```',
        '{"marks": {"Correct": {"score": 2}, "Complete": {"score": 0}}}',
        '{"correct": {"reason": "r", "mark": 2}, "complete": {"mark": 0}',
        "**Correct**: 2 because\n- complete = mark 0",
        "| correct | 2/2 |\n| complete | 0 |",
        "1. Correct - 2\n2. Complete - 0",
    ],
)
def test_marks_in_any_wrapping(text: str) -> None:
    assert {point: mark.mark for point, mark in marks_of(text, POINTS).items()} == {"correct": 2, "complete": 0}


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"correct": 3, "complete": 1.5}',
        '{"correct": true}',
        "The answer is correct. 2 of 3 dates are right, so that it is not complete: the third is missing.",
        "correct: 1.5\ncomplete: 2/10",
        "Not correct: 2 dates are wrong.",
    ],
)
def test_what_is_no_mark_is_none(text: str) -> None:
    assert marks_of(text, POINTS) == {}


def test_a_mark_has_its_reason() -> None:
    said = {"correct": {"reason": " it is ", "mark": 1, "quote": "q"}}
    assert marks_of(json.dumps(said), POINTS) == {"correct": Mark(1, "it is", said["correct"])}


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for said in (text, '{"correct": ' + text, "correct: " + text):
        assert all(mark.mark in (0, 1, 2) for mark in marks_of(said, POINTS).values())
