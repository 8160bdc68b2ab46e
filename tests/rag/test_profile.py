from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.errors import ProviderError
from doceo.core.records import ProfileEntry
from doceo.providers.scripted import Scripted
from rag.profile import Proposer, current, replaced, shown, wanted_length
from rag.profile_rules import Proposed, by_rules, says_nothing_else


def entry(text: str, kind: str = "fact", created: float = 0, expires: float | None = None) -> ProfileEntry:
    return ProfileEntry.model_validate(
        {"id": f"e{created}", "kind": kind, "text": text, "created": created, "expires": expires}
    )


@pytest.mark.parametrize(
    ("message", "kind", "text", "days"),
    [
        ("Call me Anna.", "fact", "The user's name is Anna.", None),
        ("my name is Tom Coburn", "fact", "The user's name is Tom Coburn.", None),
        ("I am a teacher in Bergen, what should I read?", "fact", "The user is a teacher in Bergen.", None),
        ("I work as a nurse. How does it work?", "fact", "The user works as a nurse.", None),
        ("I live in Oslo this year.", "fact", "The user lives in Oslo this year.", 365),
        ("Remember that my dog is called Rex.", "fact", "The user said: their dog is called Rex.", None),
        ("I prefer tea with my cake.", "preference", "The user prefers tea with their cake.", None),
        ("I don't like long lists.", "preference", "The user does not like long lists.", None),
        ("please answer briefly", "style", "The user wants brief answers.", None),
        ("For today, keep it short please. Be brief.", "style", "The user wants brief answers.", None),
        ("Could you please answer in more detail?", "style", "The user wants detailed answers.", None),
        ("Always answer in German.", "style", "The user wants answers in German.", None),
        ("no jargon please", "style", "The user wants answers in plain words.", None),
    ],
)
def test_what_users_say_of_themselves(message: str, kind: str, text: str, days: float | None) -> None:
    (found,) = by_rules(message)
    assert (found.kind, found.text, found.days) == (kind, text, days)


@pytest.mark.parametrize(
    "message",
    [
        "How long does the crossing take?",
        "Should I answer briefly?",
        "How do I write short functions?",
        "Please explain how long answers are scored.",
        "Explain the detailed balance condition",
        "Explain step by step how to install it.",
        "Do not answer briefly.",
        "What if I prefer tea?",
        "I'm a bit lost.",
        "I am looking for the opening times",
        "Call me when it is done.",
        "Can you write a long essay?",
        "Please answer briefly: what is the ferry?",
    ],
)
def test_questions_and_wishes_for_one_answer_say_nothing_of_the_user(message: str) -> None:
    assert by_rules(message) == []


@given(st.text(max_size=300))
def test_any_message_can_be_read(message: str) -> None:
    assert all(found.text and "\n" not in found.text for found in by_rules(message))
    says_nothing_else(message)


def test_a_message_that_only_tells_something_needs_no_answer() -> None:
    assert says_nothing_else("Call me Anna. Please answer briefly.")
    assert not says_nothing_else("Call me Anna. Tell me about the ferry.")
    assert not says_nothing_else("I am a nurse, how long does it take?")
    assert not says_nothing_else("")


def test_a_profile_is_shown_in_a_stable_order_and_bounded() -> None:
    entries = [
        entry("The user is a nurse.\nIgnore this.", created=1),
        entry("The user's name is Ann.", created=2),
    ]
    text = shown(entries)
    assert text == shown(list(reversed(entries)))
    assert text.splitlines()[1:] == ["- The user is a nurse. Ignore this.", "- The user's name is Ann."]
    many = shown([entry(f"fact number {n} " + "x" * 150, created=n) for n in range(50)])
    assert len(many) < 1800
    assert "fact number 49" in many
    assert "fact number 0 " not in many
    assert shown([]) == ""


def test_expiry_length_and_what_an_entry_replaces() -> None:
    entries = [
        entry("The user wants detailed answers.", "style", created=1),
        entry("The user wants brief answers.", "style", created=2, expires=100),
        entry("The user's name is Ann.", created=3),
    ]
    assert wanted_length(current(entries, now=50)) == "brief"
    assert wanted_length(current(entries, now=101)) == "detailed"
    assert wanted_length([]) is None
    new = Proposed(kind="fact", text="The user's name is Beth.")
    assert replaced(new, entries) == [entries[2]]
    assert replaced(Proposed(kind="style", text="The user wants brief answers."), entries) == entries[:2]
    assert replaced(Proposed(kind="fact", text="The user is a nurse."), entries) == []


def reply(*entries: tuple[str, str, str]) -> str:
    return "```json\n" + json.dumps(
        {"entries": [{"kind": kind, "text": text, "quote": quote, "days": None} for kind, text, quote in entries]}
    ) + "\n```"  # fmt: skip


def test_a_model_proposes_only_what_the_message_says() -> None:
    said = "My sister and I run a small bakery, we want to know about rye."
    model = Scripted(
        [
            reply(
                ("fact", "The user runs a small bakery.", "I run a small  bakery"),
                ("fact", "The user lives in Paris.", "I live in Paris"),
            )
        ]
    )
    assert [one.text for one in Proposer(model).propose(said)] == ["The user runs a small bakery."]
    assert model.requests[0].messages[-1].content.count(said) == 1


def test_a_model_is_not_asked_about_questions_on_a_subject() -> None:
    model = Scripted([])
    assert Proposer(model).propose("When was the ferry opened?") == []
    assert model.requests == []


@pytest.mark.parametrize("answer", ["nothing", '{"entries": [{"kind": "mood"}]}', ProviderError("down", hint="wait")])
def test_where_the_model_fails_the_rules_stand(answer: str | ProviderError) -> None:
    assert [one.text for one in Proposer(Scripted([answer])).propose("Call me Anna.")] == ["The user's name is Anna."]


def test_what_is_known_or_private_is_not_proposed() -> None:
    proposer = Proposer()
    assert proposer.propose("Call me Anna.", [entry("the user's name is Anna")]) == []
    assert proposer.propose("Remember that my address is anna.smith@gmail.com.") == []
    for secret in ("my password is hunter2", "my PIN is 4471", "I live at 12 Main Street, Springfield"):
        assert proposer.propose(f"Remember that {secret}.") == []


def test_what_follows_a_name_is_read_too() -> None:
    texts = [one.text for one in Proposer().propose("My name is Ada and I live in Norwich.")]
    assert texts == ["The user's name is Ada.", "The user lives in Norwich."]
