"""Rows held out of a file: none is lost, no question on both sides, the same for the same seed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doceo.core.records import Message
from finetune.checks import Row
from finetune.holdout import LEAST, split


def row(line: int, question: str) -> Row:
    return Row(line, (Message(role="user", content=question), Message(role="assistant", content=f"answer {line}")))


@given(st.lists(st.integers(0, 40), max_size=90), st.floats(0, 0.49), st.integers(0, 3))
def test_nothing_is_lost_and_no_question_is_on_both_sides(questions: list[int], share: float, seed: int) -> None:
    rows = [row(line, f"question {number}") for line, number in enumerate(questions)]
    kept, held = split(rows, share, seed)
    assert sorted([*kept, *held]) == sorted(rows)
    assert not {r.messages[0] for r in kept} & {r.messages[0] for r in held}
    assert kept or not rows
    assert split(list(reversed(rows)), share, seed)[1] == list(reversed(held))
    if len(rows) < LEAST or share == 0:
        assert not held


def test_the_share_and_the_seed_decide() -> None:
    rows = [row(line, f"question {line}") for line in range(100)]
    assert len(split(rows, 0.05, 0)[1]) == 5
    assert split(rows, 0.05, 0) != split(rows, 0.05, 1)
    assert len(split([row(line, f"question {line}") for line in range(20_000)], 0.05, 0)[1]) == 200


def test_plain_texts_are_held_out_too() -> None:
    rows = [Row(line, text=f"text {line}") for line in range(40)]
    assert len(split(rows, 0.1, 0)[1]) == 4
