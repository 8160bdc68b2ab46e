from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.records import OrderForm
from generator.fields import kind_of
from generator.forms import example, schema
from generator.parsing import parse

PAIRS = [
    {"question": "Who made it?", "answer": "IBM", "quotes": ["IBM made it."], "kind": "entity"},
    {"question": "When was it?", "answer": "1981", "quotes": ["It was 1981."], "kind": "date"},
]
WHOLE = json.dumps({"pairs": PAIRS})


def questions(text: str, *, truncated: bool = False) -> list[str]:
    return [draft.question for draft in parse(text, truncated=truncated).drafts]


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
    parsed = parse(text)
    assert [draft.question for draft in parsed.drafts] == BOTH
    assert [draft.answer for draft in parsed.drafts] == ["IBM", "1981"]
    assert parsed.readable


@pytest.mark.parametrize("cut", range(1, 60))
def test_cut_replies_keep_whole_pairs_only(cut: int) -> None:
    text = WHOLE[:-cut]
    parsed = parse(text, truncated=True)
    for draft, pair in zip(parsed.drafts, PAIRS, strict=False):
        assert (draft.question, draft.answer) == (pair["question"], pair["answer"])
    assert len(parsed.drafts) == (2 if cut <= 2 else 1)


def test_cut_in_the_first_pair_is_unreadable() -> None:
    parsed = parse(WHOLE[:60], truncated=True)
    assert parsed.drafts == []
    assert not parsed.readable


@pytest.mark.parametrize(
    "text", ['{"pairs": []}', "[]", '```json\n{"pairs": []}\n```', '{ "pairs" : [ ] }\nNothing here.']
)
def test_no_pairs_is_a_readable_reply(text: str) -> None:
    parsed = parse(text)
    assert parsed.readable
    assert parsed.drafts == []


@pytest.mark.parametrize(
    "text", ["", "I cannot do that.", "{}", '{"pairs": "none"}', '{"pairs": [{"a": 1}]}', "[1, 2]", "null", "42"]
)
def test_unreadable_replies(text: str) -> None:
    parsed = parse(text)
    assert not parsed.readable
    assert parsed.failures


def test_near_names_and_values() -> None:
    item = {
        "Qestion": "How many?",
        "expected_answer": 150,
        "supporting_quote": ["150 of them", "in all"],
        "type": "number",
    }
    draft = parse(json.dumps([item])).drafts[0]
    assert (draft.question, draft.answer, draft.quotes) == ("How many?", "150", ("150 of them", "in all"))
    assert draft.kind == "quantity"


def test_the_right_name_wins_over_a_near_one() -> None:
    item = {"context": "the whole passage", "question": "Q?", "answer": True, "quote": "the quote", "kind": "?"}
    draft = parse(json.dumps([item])).drafts[0]
    assert (draft.quotes, draft.answer) == (("the quote",), "Yes")


def test_items_without_an_answer_are_counted() -> None:
    parsed = parse(json.dumps([PAIRS[0], {"question": "What?"}, {"answer": "x"}, "text"]))
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


TURNS = {
    "turns": [
        {"question": "Who made it?", "answer": "IBM", "quotes": ["IBM made it."]},
        {"question": "And when?", "answer": "1981", "quotes": ["It was 1981."]},
        {"question": "Where?", "answer": "In Boca Raton", "quotes": ["in Boca Raton", "It was 1981."]},
    ]
}


def test_turns_carry_the_turns_before_them() -> None:
    drafts = parse(json.dumps(TURNS), "multi-turn").drafts
    assert [draft.kind for draft in drafts] == ["entity", "multi-turn", "multi-turn"]
    assert [len(draft.history) for draft in drafts] == [0, 2, 4]
    said = [(turn.role, turn.content) for turn in drafts[2].history]
    assert said[:3] == [("user", "Who made it?"), ("assistant", "IBM"), ("user", "And when?")]
    assert drafts[2].quotes == ("in Boca Raton", "It was 1981.")


def test_what_follows_a_turn_without_an_answer_goes_with_it() -> None:
    broken = {"turns": [TURNS["turns"][0], {"question": "And when?"}, TURNS["turns"][2]]}
    parsed = parse(json.dumps(broken), "multi-turn")
    assert [draft.question for draft in parsed.drafts] == ["Who made it?"]
    assert parsed.failures == ["pair 2 has no answer", "turn 3 goes with it"]


@pytest.mark.parametrize(
    "text",
    [
        '{"questions": [{"question": "Who paid?", "missing": "x"}, {"question": "How much?", "missing": "y"}]}',
        '{"questions": ["Who paid?", "How much?"]}',
        'Sure: [{"question": "Who paid?"}, {"question": "How much?", "answer": "Not given."}]',
        "Question: Who paid?\nMissing: x\n\nQuestion: How much?",
    ],
)
def test_unanswerable_questions_have_no_answer(text: str) -> None:
    drafts = parse(text, "unanswerable").drafts
    assert [draft.question.partition("\n")[0] for draft in drafts] == ["Who paid?", "How much?"]
    assert all(not draft.answerable and not draft.answer and draft.kind == "unanswerable" for draft in drafts)


def test_multi_hop_quotes_may_stand_in_steps() -> None:
    hops = [{"passage": 1, "quote": "IBM made it."}, {"passage": 2, "quote": "It was 1981."}]
    item = {"question": "Q of both?", "rationale": ["One.", "Two."], "answer": "A", "hops": hops}
    draft = parse(json.dumps({"pairs": [item]}), "multi-hop").drafts[0]
    assert (draft.quotes, draft.kind, draft.rationale) == (("IBM made it.", "It was 1981."), "multi-hop", "One.\nTwo.")


@pytest.mark.parametrize("form", ["pairs", "multi-hop", "multi-turn", "unanswerable"])
@pytest.mark.parametrize("reasoning", [False, True])
def test_the_example_of_a_form_satisfies_its_schema(form: OrderForm, reasoning: bool) -> None:
    shown = json.loads(example(form, reasoning=reasoning))
    asked = schema(form, reasoning=reasoning)
    (name,) = shown
    item = asked["properties"][name]["items"]  # type: ignore[index]
    assert list(shown[name][0]) == item["required"] == list(item["properties"])
    assert ("rationale" in item["required"]) == (reasoning and form != "unanswerable")


def test_half_characters_and_deep_nesting_are_survived() -> None:
    half = parse('{"pairs": [{"question": "a \\ud800 b?", "answer": "c", "quotes": ["d"]}]}')
    assert half.drafts[0].question == "a \ufffd b?"
    for text in ("[" * 100_000, '{"pairs":' * 20_000, '{"question": "Q?", "answer": ' + "[" * 5_000):
        assert parse(text).drafts == []


FORMS = st.sampled_from(get_args(OrderForm))


@given(st.text(st.characters()), FORMS)
def test_any_text_is_survived(text: str, form: OrderForm) -> None:
    parse(text, form)
    parse('{"pairs": [' + text, form, truncated=True)
    parse('{"turns": [{"question": "Q?", "answer": "A", "quotes": [' + text, form)


NAMES = ["question", "answer", "pairs", "quote", "quotes", "turns", "questions", "rationale", "kind", "x"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
    ),
    FORMS,
)
def test_any_json_is_survived(value: object, form: OrderForm) -> None:
    for draft in parse(json.dumps(value), form).drafts:
        assert draft.question
        assert draft.answer or form == "unanswerable"
        assert all(draft.quotes)
