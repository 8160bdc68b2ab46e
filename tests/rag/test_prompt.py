"""The prompt compiler: layout as in training rows, a prefix that stays, budgets that hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.records import Hit, Message, Passage, ProfileEntry, Span
from doceo.text.passages import SYSTEM, ask_with_passages
from rag.compiler import Budget, Parts, Prompt, compile_prompt, counting, words_as_tokens
from rag.layout import RULES
from rag.profile import HEAD

WIDE = Budget(100_000, 50_000, 10_000, 10_000)


def passage(source: str, start: int, text: str, heading: str = "") -> Passage:
    span = Span(document_id=f"d_{source}", start=start, end=start + len(text))
    hit = Hit(chunk_id=f"c_{source}_{start}", source=source, heading_path=(heading,), span=span, score=1)
    return Passage(hit=hit, title=source.upper(), text=text)


def turns(*said: str) -> list[Message]:
    return [Message(role="assistant" if at % 2 else "user", content=text) for at, text in enumerate(said)]


def entry(text: str, created: float = 0.0) -> ProfileEntry:
    return ProfileEntry(id=text, kind="fact", text=text, created=created)


A, B, C = passage("a", 0, "One."), passage("a", 9, "Two.", "Part"), passage("b", 0, "Three.")


def test_a_question_over_passages_is_laid_out_as_in_training_rows() -> None:
    prompt = compile_prompt(Parts("Why?", [C, B, A]), words_as_tokens, WIDE)
    blocks = [("A", "One."), ("A > Part", "Two."), ("B", "Three.")]
    assert prompt.messages == ask_with_passages("Why?", blocks)
    assert prompt.messages[1].content == ("[1] A\nOne.\n\n[2] A > Part\nTwo.\n\n[3] B\nThree.\n\nQuestion: Why?")
    assert prompt.passages == [A, B, C]


def test_a_question_alone_stands_bare() -> None:
    prompt = compile_prompt(Parts("Why?"), words_as_tokens, WIDE)
    assert prompt.messages == (Message(role="user", content="Why?"),)


def test_everything_has_its_place() -> None:
    parts = Parts(
        "And then?", [B], [C], "They spoke of piers.", turns("Who?", "Marlow [1][4]."), 2, [entry("I am a keeper.")]
    )
    prompt = compile_prompt(parts, words_as_tokens, WIDE)
    assert [message.role for message in prompt.messages] == ["system", "user", "assistant", "user"]
    system, first, said, last = [message.content for message in prompt.messages]
    assert system == f"{SYSTEM}\n\n{HEAD}\n- I am a keeper."
    assert first == "[1] B\nThree.\n\nEarlier in this conversation: They spoke of piers.\n\nQuestion: Who?"
    assert said == "Marlow [1]."  # 4 was another passage then
    assert last == "[2] A > Part\nTwo.\n\nQuestion: And then?"
    names = [segment.name for segment in prompt.segments]
    assert names == ["system", "profile", "pinned", "summary", "turns", "retrieved", "question"]
    assert {segment.name: segment.left_out for segment in prompt.segments}["turns"] == 2


def test_text_of_documents_is_never_in_the_system_message() -> None:
    parts = Parts("Q?", [passage("x", 0, "SECRET1")], [passage("y", 0, "SECRET2")], "SECRET3", turns("SECRET4", "ok"))
    system = compile_prompt(parts, words_as_tokens, WIDE).messages[0]
    assert system.role == "system"
    assert "SECRET" not in system.content


def test_what_is_pinned_is_not_repeated() -> None:
    assert compile_prompt(Parts("Q?", [A, B], [A]), words_as_tokens, WIDE).passages == [A, B]


def joined(prompt: Prompt) -> str:
    return "\x00".join(f"{message.role}\x01{message.content}" for message in prompt.messages)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


@given(st.lists(texts, min_size=1, max_size=6), st.lists(texts, min_size=1, max_size=5), texts, texts)
def test_the_beginning_of_a_prompt_does_not_depend_on_the_question(
    pinned: list[str], said: list[str], question: str, other: str
) -> None:
    docs = [passage("p", 100 * at, text) for at, text in enumerate(pinned)]
    history = turns(*said, *(["ok"] if len(said) % 2 else []))
    one, two = (
        compile_prompt(Parts(q, [r], docs, "short", history), words_as_tokens, WIDE)
        for q, r in ((question, A), (other, C))
    )
    assert one.messages[:-1] == two.messages[:-1]
    stable = [segment for segment in one.segments if segment.name not in ("retrieved", "question")]
    assert stable == [segment for segment in two.segments if segment.name not in ("retrieved", "question")]


@given(st.lists(texts, min_size=1, max_size=6), st.lists(texts, min_size=2, max_size=8))
def test_a_pinned_conversation_only_grows(pinned: list[str], said: list[str]) -> None:
    docs = [passage("p", 100 * at, text) for at, text in enumerate(pinned)]
    last = ""
    for at in range(0, len(said), 2):
        prompt = joined(compile_prompt(Parts(said[at], (), docs, "", turns(*said[:at])), words_as_tokens, WIDE))
        assert prompt.startswith(last)
        last = prompt


@given(st.permutations([A, B, C]))
def test_the_order_of_scores_does_not_change_a_prompt(found: Sequence[Passage]) -> None:
    assert compile_prompt(Parts("Q?", found), words_as_tokens, WIDE) == compile_prompt(
        Parts("Q?", [A, B, C]), words_as_tokens, WIDE
    )


def test_what_goes_first_when_it_is_too_long() -> None:
    count = counting(len, per_message=0)
    parts = Parts("Why?", [A, B, C], [passage("p", 0, "p" * 50)], "s" * 50, turns(*("t" * 50 for _ in range(4))))
    whole = count(compile_prompt(parts, count, WIDE).messages)
    gone: list[str] = []
    for total in range(whole, 0, -1):
        prompt = compile_prompt(parts, count, Budget(total, 10_000, 10_000, 10_000))
        left = {segment.name: segment.left_out for segment in prompt.segments if segment.left_out}
        for name, number in left.items():
            if (key := f"{name} {number}") not in gone:
                gone.append(key)
    assert gone == ["turns 2", "retrieved 1", "retrieved 2", "summary 1", "turns 4", "pinned 1"]
    best = compile_prompt(parts, count, Budget(1, 10_000, 10_000, 10_000))
    assert best.passages == [A]
    assert best.messages[-1].content.endswith("Question: Why?")


def test_parts_have_budgets_of_their_own() -> None:
    parts = Parts("Why?", [A], (), "s" * 90, turns("q" * 90, "a" * 90, "q", "a"), 0, [entry("x" * 90), entry("new", 9)])
    prompt = compile_prompt(parts, counting(len), Budget(100_000, 60, 60, 60))
    assert {segment.name: segment.left_out for segment in prompt.segments if segment.left_out} == {
        "profile": 1,
        "summary": 1,
        "turns": 2,
    }
    assert "new" in prompt.messages[0].content
    assert [message.content for message in prompt.messages[1:3]] == ["q", "a"]


@given(
    st.lists(texts, max_size=8),
    st.lists(texts, max_size=4),
    st.lists(texts, max_size=4),
    st.text(max_size=60),
    st.integers(1, 900),
)
def test_a_prompt_is_within_its_budget_or_as_short_as_it_can_be(
    said: list[str], found: list[str], pinned: list[str], summary: str, total: int
) -> None:
    parts = Parts(
        "Why?",
        [passage("r", 100 * at, text) for at, text in enumerate(found)],
        [passage("p", 100 * at, text) for at, text in enumerate(pinned)],
        summary,
        turns(*said),
        0,
        [entry("fact")],
    )
    prompt = compile_prompt(parts, words_as_tokens, Budget.of(total))
    if words_as_tokens(prompt.messages) > total:
        assert len(prompt.passages) <= 1
        assert [message.role for message in prompt.messages] in (["user"], ["system", "user"])
    assert prompt.messages[-1].content.endswith("Why?")


class Fenced:
    explanation = "Text between % signs is quoted."

    def block(self, heading: str, text: str) -> str:
        return f"%{heading}|{text}%"

    def restoring(self, pieces: Iterable[str]) -> Iterator[str]:
        return iter(pieces)


def test_a_shield_lays_out_the_passages() -> None:
    prompt = compile_prompt(Parts("Q?", [A], [C]), words_as_tokens, WIDE, Fenced())
    assert prompt.messages[0].content == f"{SYSTEM}\n\n{RULES}\n\n{Fenced.explanation}"
    assert prompt.messages[1].content == "[1]\n%B|Three.%\n\n[2]\n%A|One.%\n\nQuestion: Q?"


def test_words_of_the_users_own_stand_around_what_code_relies_on() -> None:
    own = Parts("Q?", [A], words=lambda rules: f"Before. {rules} Behind.")
    told = compile_prompt(own, words_as_tokens, WIDE, Fenced()).messages[0].content
    assert told.startswith(f"Before. {SYSTEM}\n\nPut the numbers after every statement")
    assert told.endswith(f"\n\n{Fenced.explanation} Behind.")
    assert "language of the question" not in told
    assert compile_prompt(own, words_as_tokens, WIDE).messages[0].content == f"Before. {SYSTEM} Behind."
    alone = compile_prompt(Parts("Q?", words=lambda rules: f"Before.{rules}"), words_as_tokens, WIDE)
    assert [message.content for message in alone.messages] == ["Before.", "Q?"]


@pytest.mark.parametrize("total", [256, 2048, 8192])
def test_budgets_of_a_context(total: int) -> None:
    budget = Budget.of(total, 1024)
    assert budget.turns == min(1024, total // 2)
    assert budget.turns + budget.summary + budget.profile <= total
