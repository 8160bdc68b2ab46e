from __future__ import annotations

from doceo.core.errors import ProviderError
from doceo.core.records import ChatRequest, Message
from doceo.providers.scripted import Scripted
from doceo.text.passages import REFUSAL
from rag.summary import Summaries, bounded, turn_hashes


def turns(first: int, last: int, length: int = 10) -> list[Message]:
    return [
        Message(role=role, content=f"{word} {number} {'x' * length}")
        for number in range(first, last)
        for role, word in (("user", "question"), ("assistant", "answer"))
    ]


def echo(request: ChatRequest) -> str:
    """Say what was read, so that a test sees which turns a summary stands for."""
    said = request.messages[-1].content
    return " ".join(word for word in said.split() if word.isdigit())


def test_a_summary_is_made_once_and_goes_on_from_the_one_before() -> None:
    model, kept = Scripted(echo), dict[str, str]()
    assert Summaries(model, kept).summary(turns(0, 3)).text == "0 0 1 1 2 2"
    assert Summaries(model, kept).summary(turns(0, 3)).text == "0 0 1 1 2 2"
    assert len(model.requests) == 1
    assert Summaries(model, kept).summary(turns(0, 5)).text == "0 0 1 1 2 2 3 3 4 4"
    second = model.requests[1].messages[-1].content
    assert "Notes so far: 0 0 1 1 2 2\n" in second
    assert "question 2" not in second
    assert set(kept) <= set(turn_hashes(turns(0, 5)))


def test_other_turns_have_another_summary() -> None:
    model, kept = Scripted(echo), dict[str, str]()
    Summaries(model, kept).summary(turns(0, 2))
    assert Summaries(model, kept).summary(turns(1, 3)).text == "1 1 2 2"
    assert len(model.requests) == 2
    one, other = Message(role="user", content="ab"), Message(role="user", content="a")
    assert turn_hashes([one])[0] != turn_hashes([other, Message(role="user", content="b")])[-1]


def test_many_turns_are_read_in_portions() -> None:
    model = Scripted(echo)
    text = Summaries(model).summary(turns(0, 20, length=1000)).text
    assert text.split() == [str(n) for n in range(20) for _ in range(2)]
    assert len(model.requests) > 2
    assert all(len(request.messages[-1].content) < 12_000 for request in model.requests)


def test_of_a_long_talk_that_is_new_the_latest_turns_are_summarised() -> None:
    model, kept = Scripted(echo), dict[str, str]()
    found = Summaries(model, kept).summary(turns(0, 100, length=1500))
    assert len(model.requests) == 8
    assert found.text.split()[-1] == "99"
    assert "0 0" not in found.text
    assert "of the older turns were too many to be summarised" in found.note
    again = Summaries(model, kept).summary(turns(0, 102, length=1500))
    assert (len(model.requests), again.note) == (9, "")


def test_where_the_model_fails_the_newest_summary_stands() -> None:
    kept: dict[str, str] = {}
    Summaries(Scripted(["The reader asked about ferries."]), kept).summary(turns(0, 2))
    found = Summaries(Scripted([ProviderError("down", hint="wait")], name="openai:m"), kept).summary(turns(0, 4))
    assert found.text == "The reader asked about ferries."
    assert "openai:m could not summarise older turns: down" in found.note
    assert len(kept) == 1


def test_without_a_model_or_turns_there_is_no_summary() -> None:
    assert Summaries().summary(turns(0, 3)).text == ""
    assert Summaries(Scripted([])).summary([]).text == ""
    refused = [Message(role="user", content="Who?"), Message(role="assistant", content=REFUSAL)]
    assert Summaries(Scripted([])).summary(refused).text == ""


def test_a_summary_is_one_bounded_line_without_thoughts() -> None:
    reply = "<think>hm</think>The reader asked.\n\n- The assistant answered. " + "More was said. " * 300
    text = Summaries(Scripted([reply])).summary(turns(0, 1)).text
    assert text.startswith("The reader asked. - The assistant answered.")
    assert len(text) <= 1500
    assert text.endswith("said.")
    assert bounded("x" * 2000) == "x" * 1500
