from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.errors import ProviderError
from doceo.core.records import Message
from doceo.providers.scripted import Scripted
from doceo.text.passages import REFUSAL
from rag.rewriting import Rewriter, read, refused

TURNS = [
    Message(role="user", content="When was the Bryne ferry opened?"),
    Message(role="assistant", content="The ferry was opened in 1902 [1]."),
]
QUESTION = "How many cars does it carry?"
REWRITTEN = "How many cars does the Bryne ferry carry?"


def test_a_model_rewrites_and_the_question_itself_is_searched_too() -> None:
    model = Scripted([f'"{REWRITTEN}"'], name="openai:m")
    found = Rewriter(model).queries(QUESTION, TURNS)
    assert found.queries == (QUESTION, REWRITTEN)
    assert found.standalone == REWRITTEN
    assert found.by == "openai:m"
    assert found.note == ""
    assert sum(found.weights) == pytest.approx(1.0)
    assert found.weights[1] >= 0.9
    (request,) = model.requests
    shown = request.messages[-1].content
    assert "Reader: When was the Bryne ferry opened?\nAssistant: The ferry was opened in 1902." in shown
    assert shown.endswith(QUESTION)
    assert "[1]" not in shown


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "empty"),
        ("<think>so many words", "empty"),
        ("The ferry carries 12 cars.", "no question"),
        ("What is the weather in Oslo today?", "something else"),
        ("How many cars does the Bryne ferry of the Norwegian Coastal Company carry?", "nobody has said"),
        ("How many cars did it carry in 1950?", "nobody has said"),
        (f"{REWRITTEN} " * 40, "too long"),
        (ProviderError("down", hint="wait"), "down"),
    ],
)
def test_a_reply_that_is_no_rewriting_gives_way_to_the_rules(reply: str | ProviderError, why: str) -> None:
    found = Rewriter(Scripted([reply])).queries(QUESTION, TURNS)
    assert found.by == "rules"
    assert why in found.note
    assert {"Bryne", "ferry"} <= set(found.standalone.split())


def test_the_model_is_asked_only_where_a_question_may_lean_on_something() -> None:
    model = Scripted([])
    alone = "What is the capital of the French region of Normandy in France?"
    assert Rewriter(model).queries(alone, TURNS).queries == (alone,)
    assert Rewriter(model).queries(QUESTION, []).queries == (QUESTION,)
    assert Rewriter(model, "rules").queries(QUESTION, TURNS).by == "rules"
    none = Rewriter(model, "none").queries(QUESTION, TURNS)
    assert (none.queries, none.by, none.weights) == ((QUESTION,), "none", (1.0,))
    assert model.requests == []


def test_a_question_that_the_model_leaves_as_it_is_is_searched_once() -> None:
    found = Rewriter(Scripted([QUESTION.lower()], name="m")).queries(QUESTION, TURNS)
    assert (found.queries, found.by) == ((QUESTION,), "m")


def test_questions_in_other_scripts_are_left_to_the_model() -> None:
    model = Scripted(["Сколько машин перевозит паром Bryne?"], name="m")
    found = Rewriter(model).queries("Сколько машин он перевозит?", TURNS)
    assert found.by == "m"
    assert len(found.queries) == 2


def test_refusals_are_not_shown_to_the_model_that_rewrites() -> None:
    model = Scripted([QUESTION])
    Rewriter(model).queries(QUESTION, [*TURNS, TURNS[0], Message(role="assistant", content=REFUSAL)])
    assert REFUSAL not in model.requests[0].messages[-1].content


@pytest.mark.parametrize(
    "reply",
    [
        REWRITTEN,
        f"Standalone question: {REWRITTEN}",
        f"**Question:** {REWRITTEN}",
        f"<think>it is the ferry</think>\n\n{REWRITTEN}\n\nThis names the ferry.",
        f"“{REWRITTEN}”",
    ],
)
def test_labels_marks_and_remarks_are_taken_off(reply: str) -> None:
    assert read(reply) == REWRITTEN


@given(st.text(max_size=200))
def test_any_reply_gives_queries_that_may_be_searched_for(reply: str) -> None:
    found = Rewriter(Scripted([reply])).queries(QUESTION, TURNS)
    assert found.queries[0] == QUESTION
    assert len(found.weights) == len(found.queries) <= 2
    if found.by not in ("rules", "none") and len(found.queries) == 2:
        assert refused(found.standalone, QUESTION, TURNS) == ""
