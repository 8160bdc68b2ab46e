from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from doceo.app.store import open_store
from doceo.app.talk import Talk
from doceo.app.talk_summaries import CurrentSummaries
from doceo.core.errors import InputError, ProviderError
from doceo.core.records import Answer, Citation, Hit, Message, ProfileEntry, Span
from doceo.providers.scripted import Scripted
from doceo.text.passages import REFUSAL
from rag.answerer import ModelAnswerer
from rag.profile import Proposer

HIT = Hit(chunk_id="c_1", source="a.txt", span=Span(document_id="d_1", start=0, end=4), score=0.5)
FILE = Path("runs/.doceo.sqlite")


class Echo:
    """An answerer that repeats the question, and refuses what holds the word "nothing"."""

    name = "echo"

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str], list[str]]] = []

    def answer(self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()) -> Answer:
        self.asked.append((question, [turn.content for turn in history], [entry.text for entry in profile]))
        if "broken" in question:
            raise ProviderError("down", hint="wait")
        if "nothing" in question:
            return Answer(text=REFUSAL, refused=True, reason="No passage.", hits=(HIT,))
        return Answer(text=f"You said: {question}", hits=(HIT,))

    def stream(
        self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()
    ) -> Iterator[str | Citation | Answer]:
        answer = self.answer(question, history, profile)
        yield answer.text
        yield answer


def ask(talk: Talk, question: str) -> str:
    *_, last = talk.ask(question)
    assert isinstance(last, Answer)
    return last.text


def test_nothing_is_written_unless_it_is_wanted() -> None:
    talk = Talk(Echo())
    ask(talk, "One?")
    talk.note("Call me Ann.")
    talk.new()
    assert talk.conversations() == []
    assert talk.profile_entries() == []
    assert talk.forget() == (0, 0)
    assert talk.forget_all() == (0, 0)
    with pytest.raises(InputError):
        talk.resume("ab")
    talk.switch_profile(on=False)
    assert not Path("runs").exists()


def test_a_conversation_is_kept_from_the_middle_and_gone_on_with() -> None:
    talk = Talk(Echo(), about="run demo")
    ask(talk, "One?")
    talk.keep()
    ask(talk, "Two?")
    assert talk.kept is not None
    key = talk.kept.id
    talk.new()
    ask(talk, "Another?")
    later = Talk(Echo(), about="run other")
    assert [(one.title, one.turns, one.about) for one in later.conversations()] == [
        ("Another?", 2, "run demo"),
        ("One?", 4, "run demo"),
    ]
    turns = later.resume(key[:6])
    assert [turn.message.content for turn in turns] == ["One?", "You said: One?", "Two?", "You said: Two?"]
    assert later.last is not None
    ask(later, "Three?")
    assert isinstance(later.answerer, Echo)
    assert later.answerer.asked[0][1] == [turn.message.content for turn in turns]
    assert len(open_store().conversations.turns("local", key)) == 6


def test_a_question_that_fails_leaves_no_turn() -> None:
    talk = Talk(Echo())
    talk.keep()
    with pytest.raises(ProviderError):
        ask(talk, "broken?")
    assert talk.history == []
    assert not FILE.exists()


def test_forgetting_deletes_what_was_said_and_what_was_noted_of_it() -> None:
    talk = Talk(Echo())
    talk.keep()
    talk.switch_profile(on=True)
    ask(talk, "Call me Zebulon. What is a ferry?")
    assert [entry.text for entry in talk.note("Call me Zebulon. What is a ferry?")] == ["The user's name is Zebulon."]
    assert talk.kept is not None
    key = talk.kept.id
    ask(talk, "And a marmalade?")
    assert b"Zebulon" in FILE.read_bytes()
    assert talk.forget() == (1, 1)
    assert talk.history == []
    assert talk.keeping
    for word in (b"Zebulon", b"marmalade", key.encode()):
        assert word not in FILE.read_bytes()
    ask(talk, "Another?")
    other = talk.conversations()[0].id
    talk.new()
    assert talk.forget(other[:5]) == (1, 0)
    assert talk.conversations() == []


def test_the_profile_is_off_until_it_is_switched_on_and_stays_so_for_later_calls() -> None:
    talk = Talk(Echo())
    assert not talk.profile_on
    assert talk.note("Call me Ann.") == []
    talk.switch_profile(on=True)
    talk.note("Please answer briefly.")
    later = Talk(Echo())
    assert later.profile_on
    ask(later, "What is a ferry?")
    assert isinstance(later.answerer, Echo)
    assert later.answerer.asked == [("What is a ferry?", [], ["The user wants brief answers."])]
    later.switch_profile(on=False)
    ask(later, "And a bridge?")
    assert later.answerer.asked[1][2] == []
    assert len(later.profile_entries()) == 1


def test_what_only_tells_something_is_noted_and_not_searched_for() -> None:
    talk = Talk(Echo(), profile=True)
    assert ask(talk, "Call me Ann.") == "Noted."
    assert ask(talk, "Remember that my password is hunter2.").startswith("Not noted")
    assert ask(talk, "Call me Ann. What is a ferry?") == "You said: Call me Ann. What is a ferry?"
    off = Talk(Echo())
    assert ask(off, "Call me Ann.") == "You said: Call me Ann."


def test_refusals_are_not_shown_to_a_model_again() -> None:
    model = Scripted(["First.", REFUSAL, "Third."])
    talk = Talk(ModelAnswerer("m", model))
    talk.keep()
    ask(talk, "One?")
    key = talk.kept.id if talk.kept else ""
    # a model alone has no refusal of its own: what it says is an answer, and what was refused before is still kept out
    talk._remember("Two?", Answer(text=REFUSAL, refused=True))
    ask(talk, "Three?")
    later = Talk(ModelAnswerer("m", model))
    later.resume(key)
    ask(later, "Four?")
    for request in model.requests:
        assert REFUSAL not in [message.content for message in request.messages]
        assert "Two?" not in [message.content for message in request.messages]
    assert [message.content for message in model.requests[-1].messages][:2] == ["One?", "First."]


def test_a_model_on_a_server_may_propose_entries() -> None:
    reply = (
        '{"entries": [{"kind": "fact", "text": "The user bakes.", "quote": "I bake", "days": 7},'
        ' {"kind": "fact", "text": "The user is rich.", "quote": "I am rich", "days": null}]}'
    )
    talk = Talk(Echo(), profile=True, proposer=Proposer(Scripted([reply])))
    (entry,) = talk.note("I bake, so what is rye?")
    assert entry.text == "The user bakes."
    assert entry.expires == pytest.approx(entry.created + 7 * 86400)


def test_summaries_go_with_their_conversation() -> None:
    kept = CurrentSummaries()
    talk = Talk(Echo())
    kept.follow(talk.summaries)
    kept["h1"] = "First summary."
    talk.keep()
    ask(talk, "One?")
    kept["h2"] = "Second summary."
    assert talk.kept is not None
    first = open_store().conversations.summaries("local", talk.kept.id)
    assert dict(first) == dict(kept) == {"h1": "First summary.", "h2": "Second summary."}
    key = talk.kept.id
    talk.new()
    assert dict(kept) == {}
    kept["h3"] = "Another one."
    assert len(first) == 2
    talk.resume(key)
    assert kept["h1"] == "First summary."
    talk.forget()
    assert b"summary" not in FILE.read_bytes()
