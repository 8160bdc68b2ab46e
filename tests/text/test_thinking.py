from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.text.thinking import stream_without_thinking, without_thinking

CASES = [
    ("plain", "plain"),
    ("<think>\nhm\n</think>\n\nYes.", "Yes."),
    ("  <THINK>a</THINK>Yes.", "Yes."),
    ("<think>never ends", ""),
    ("<thinking>a <b> c</thinking> Yes.", "Yes."),
    ("A <think> in the middle </think> stays.", "A <think> in the middle </think> stays."),
    ("<table>x</table>", "<table>x</table>"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_whole_replies(text: str, expected: str) -> None:
    assert without_thinking(text) == expected


def test_a_block_whose_beginning_stood_in_the_prompt() -> None:
    assert without_thinking("so it is four\n</think>\n\nFour.") == "Four."


@given(case=st.sampled_from(CASES), cuts=st.lists(st.integers(0, 60)))
def test_streams_say_the_same_however_they_are_cut(case: tuple[str, str], cuts: list[int]) -> None:
    text, expected = case
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[low:high] for low, high in pairwise(borders)]
    assert "".join(stream_without_thinking(pieces)).strip() == expected.strip()
