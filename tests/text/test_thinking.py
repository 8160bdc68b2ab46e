from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.text.thinking import pieces_without_thinking, without_thinking

_PIECES = ("<think>", "<th", "ink>", "No", " idea", "\n", "</think>", "Ada", "<b>", " ")

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


@given(st.lists(st.sampled_from(_PIECES), max_size=9))
def test_pieces_join_to_what_the_whole_reply_gives(pieces: list[str]) -> None:
    text = "".join(pieces)
    if "</think>" in text and not text.lstrip().startswith("<think>"):
        return  # a block whose opening stood in the prompt is known only once it closes
    assert "".join(pieces_without_thinking(iter(pieces))) == without_thinking(text)
