from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.fields import kind_of
from generator.parsing import parse_pairs

PAIRS = [
    {"question": "Who made it?", "answer": "IBM", "quote": "IBM made it.", "kind": "entity", "difficulty": "easy"},
    {"question": "When was it?", "answer": "1981", "quote": "It was 1981.", "kind": "date", "difficulty": "hard"},
]
WHOLE = json.dumps({"pairs": PAIRS})


def questions(text: str, *, truncated: bool = False) -> list[str]:
    return [draft.question for draft in parse_pairs(text, truncated=truncated).drafts]


BOTH = ["Who made it?", "When was it?"]


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        json.dumps(PAIRS),
        json.dumps({"qa_pairs": PAIRS, "note": "done"}),
        json.dumps({"data": {"pairs": PAIRS}}),
        json.dumps({"1": PAIRS[0], "2": PAIRS[1]}),
        json.dumps([[PAIRS[0]], [PAIRS[1]]]),
        f"Sure! Here they are:\n\n```json\n{WHOLE}\n```\n\nShall I go on?",
        f"```\n{WHOLE}",
        f"Here: {WHOLE} I hope that [this] helps {{you}}!",
        f"<think>{{not this}}</think>{WHOLE}",
        WHOLE.replace("}, {", "} {"),
        WHOLE[:-2] + ",]}",
        WHOLE.replace('"', "'"),
        WHOLE.replace("IBM made it.", 'IBM "made" it.'),
        WHOLE.replace("IBM made it.", "IBM\nmade it."),
        WHOLE.replace('"question"', "question").replace('"answer"', "answer"),
        "Question: Who made it?\nAnswer: IBM\nQuote: IBM did.\n\nQuestion: When was it?\nAnswer: 1981\nQuote: In 1981.",
        f"As [1] says: {WHOLE}",
        "1. **Question:** Who made it?\n   **Answer:** IBM\n2. **Question:** When was it?\n   **Answer:** 1981",
        "Q1: Who made it?\nA1: IBM\nQ2: When was it?\nA2: 1981",
    ],
)
def test_both_pairs_are_read(text: str) -> None:
    parsed = parse_pairs(text)
    assert [draft.question for draft in parsed.drafts] == BOTH
    assert [draft.answer for draft in parsed.drafts] == ["IBM", "1981"]
    assert parsed.readable


@pytest.mark.parametrize("cut", range(1, 60))
def test_cut_replies_keep_whole_pairs_only(cut: int) -> None:
    text = WHOLE[:-cut]
    parsed = parse_pairs(text, truncated=True)
    for draft, pair in zip(parsed.drafts, PAIRS, strict=False):
        assert (draft.question, draft.answer) == (pair["question"], pair["answer"])
    assert len(parsed.drafts) == (2 if cut <= 2 else 1)


def test_cut_in_the_first_pair_is_unreadable() -> None:
    parsed = parse_pairs(WHOLE[:60], truncated=True)
    assert parsed.drafts == []
    assert not parsed.readable


@pytest.mark.parametrize(
    "text", ['{"pairs": []}', "[]", '```json\n{"pairs": []}\n```', '{ "pairs" : [ ] }\nNothing here.']
)
def test_no_pairs_is_a_readable_reply(text: str) -> None:
    parsed = parse_pairs(text)
    assert parsed.readable
    assert parsed.drafts == []


@pytest.mark.parametrize(
    "text", ["", "I cannot do that.", "{}", '{"pairs": "none"}', '{"pairs": [{"a": 1}]}', "[1, 2]", "null", "42"]
)
def test_unreadable_replies(text: str) -> None:
    parsed = parse_pairs(text)
    assert not parsed.readable
    assert parsed.failures


def test_near_names_and_values() -> None:
    item = {
        "Qestion": "How many?",
        "expected_answer": 150,
        "supporting_quote": ["150 of them", "in all"],
        "type": "number",
        "level": 3,
    }
    draft = parse_pairs(json.dumps([item])).drafts[0]
    assert (draft.question, draft.answer, draft.quote) == ("How many?", "150", "150 of them ... in all")
    assert (draft.kind, draft.difficulty) == ("quantity", "hard")


def test_the_right_name_wins_over_a_near_one() -> None:
    item = {"context": "the whole passage", "question": "Q?", "answer": True, "quote": "the quote", "kind": "?"}
    draft = parse_pairs(json.dumps([item])).drafts[0]
    assert (draft.quote, draft.answer) == ("the quote", "Yes")


def test_items_without_an_answer_are_counted() -> None:
    parsed = parse_pairs(json.dumps([PAIRS[0], {"question": "What?"}, {"answer": "x"}, "text"]))
    assert len(parsed.drafts) == 1
    assert parsed.failures == ["pair 2 has no answer", "pair 3 has no question", "pair 4 has no question"]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many people work there?", "quantity"), ("When was Debian founded?", "date"), ("In which year?", "date"),
        ("Why does the build fail?", "reason"), ("Who leads the project?", "entity"), ("Is the key needed?", "boolean"),
        ("How does one install the package?", "procedure"), ("What is a chunk?", "definition"),
        ("How do LoRA and QLoRA differ?", "comparison"), ("What did the board decide?", "fact"),
    ],
)  # fmt: skip
def test_kind_from_the_question(question: str, kind: str) -> None:
    assert kind_of(question) == kind


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    parse_pairs(text)
    parse_pairs('{"pairs": [' + text, truncated=True)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["question", "answer", "pairs", "quote", "x"]), inner)
        ),
    )
)
def test_any_json_is_survived(value: object) -> None:
    for draft in parse_pairs(json.dumps(value)).drafts:
        assert draft.question
        assert draft.answer
