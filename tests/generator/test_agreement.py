from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.agreement import Agreement, agree, is_no_answer, token_f1, tokens

SHOP = "Who runs the shop in Bryne?"
SAME, DIFFERENT, UNCLEAR = Agreement.SAME, Agreement.DIFFERENT, Agreement.UNCLEAR


@pytest.mark.parametrize(
    ("question", "expected", "given_", "found"),
    [
        ("Who won?", "Denver Broncos", "The Denver Broncos won.", SAME),
        (SHOP, "Ann", "Ann Lee", SAME),
        (SHOP, "Ann runs the shop", "Bob runs the shop", UNCLEAR),  # what the question holds tells nothing
        ("How long is it?", "41 metres", "It is 41 m long.", SAME),
        ("How long is it?", "41 metres", "42 metres", UNCLEAR),
        ("How many people?", "1,200 people", "1200", SAME),
        ("How many cars?", "twelve cars", "12 cars", SAME),
        ("When was it?", "5 July 2002", "July 5, 2002", SAME),
        ("When was it?", "2002", "in 1874 and again in 2002", SAME),
        ("When was it?", "in 1874 and 2002", "2002", UNCLEAR),
        ("What share?", "50 percent", "50 %", SAME),
        ("How much?", "$9 million", "9 million dollars", SAME),
        ("Is it open?", "Yes, since the cable is strong.", "Yes.", SAME),
        ("Is it open?", "Yes, since the cable is strong.", "No.", DIFFERENT),
        ("Ist es offen?", "Ja, denn es ist Sommer.", "Nein.", DIFFERENT),
        ("Is a key needed?", "It is not required", "It is required", UNCLEAR),
        ("Why?", "because the river ran dry in summer", "The river was dry in summers.", SAME),
        ("Where?", "Paris", "London", UNCLEAR),
        ("Wie hoch?", "41 Meter", "41 m", SAME),
        ("Wer?", "Nicht die Linke", "Die Linke", UNCLEAR),
        ("人口是多少？", "约1400万人", "1400万", SAME),
        ("谁当选？", "毛泽东", "蒋介石", UNCLEAR),
        ("Who?", "Ann", "NO ANSWER", DIFFERENT),
        ("Who?", "Ann", " **No answer.**", DIFFERENT),
        ("Who?", "Ann", "", DIFFERENT),
    ],
)
def test_agree(question: str, expected: str, given_: str, found: Agreement) -> None:
    assert agree(question, expected, given_) is found


def test_the_least_overlap_is_a_dial() -> None:
    expected, other = "salt water corrodes the anchorages", "the anchorages rust in salt water"
    assert agree("Why?", expected, other, 0.5) is SAME
    assert agree("Why?", expected, other, 0.95) is UNCLEAR


def test_tokens_are_normalised() -> None:
    assert tokens("The 1,200 metres, five per cent") == ["1200", "m", "5", "per", "cent"]
    assert tokens("1.200 Euro") == ["1200", "€"]
    assert tokens("约1400万") == ["约", "1400", "万"]
    assert is_no_answer("no answer")
    assert not is_no_answer("No answers were given by Ann.")


def test_token_f1_is_that_of_squad() -> None:
    assert token_f1(["a", "b"], ["b", "c"]) == 0.5
    assert token_f1(["a", "a", "b"], ["a"]) == 0.5
    assert token_f1([], []) == 1.0
    assert token_f1(["a"], []) == 0.0


@given(st.text(), st.text(min_size=1))
def test_an_answer_agrees_with_itself(question: str, answer: str) -> None:
    if answer.strip() and not is_no_answer(answer):
        assert agree(question, answer, answer) is SAME
    agree(question, answer, question)
