from __future__ import annotations

import pytest

from doceo.text.thinking import without_thinking

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
