"""The LLM teacher's ladder with scripted replies, and against recorded replies to real passages.

`recorded/replies.jsonl` holds replies that a careful reader wrote to the prompts as a language model would, several of
them on purpose as a small sloppy model does: fences, other field names, broken JSON, altered quotes, a cut end.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from doceo.core.errors import DoceoError, ReplyInvalid, Unreachable
from doceo.core.fingerprint import sha256
from doceo.core.records import ChatReply, ChatRequest, Chunk, Document, Draft, Message, Order, Pair, Span, Verdict
from doceo.providers.journal import fingerprint
from doceo.providers.scripted import Script, Scripted
from generator.forms import schema
from generator.grounding import verify
from generator.quality import form_verdict
from generator.teachers.llm import PROMPTS, LLMTeacher, prompt_hashes

RECORDED = [
    json.loads(line)
    for line in Path(__file__).with_name("recorded").joinpath("replies.jsonl").read_text(encoding="utf-8").split("\n")
    if line
]
GOOD = '{"pairs": [{"question": "Who runs it?", "answer": "Ann", "quotes": ["Ann runs it."], "kind": "entity"}]}'
PLAIN = "Question: Who runs {n}?\nAnswer: Ann\nQuote: Ann runs it."


def passage(text: str, title: str = "The shop", section: tuple[str, ...] = ()) -> tuple[Chunk, Document]:
    document = Document(
        id=Document.identify(text), source="shop.md", media_type="text/plain", title=title, text=text, sha256=""
    )
    span = Span(document_id=document.id, start=0, end=len(text))
    chunk = Chunk(
        id=Chunk.identify(span), document_id=document.id, span=span, text=text, heading_path=section, tokens=9,
        text_sha256=sha256(text),
    )  # fmt: skip
    return chunk, document


SHOP = passage("Ann runs it. {{ n }}", section=("The shop", "People"))
TOWN = passage("The shop stands in Bryne.", title="The town")


class Asked:
    """A teacher with scripted replies, asked for a form; `prompts` says of what every request was made."""

    def __init__(self, replies: list[str | ChatReply | DoceoError] | Script, **options: Any) -> None:
        self.script = Scripted(replies)
        self.teacher = LLMTeacher(self.script.asynchronous(), **options)

    def propose(self, n: int, form: str = "pairs", **fields: Any) -> list[Draft]:
        """Order from the shop's passage, for `multi-hop` also from the town's."""
        places = [SHOP, TOWN] if form == "multi-hop" else [SHOP]
        order = Order.model_validate({"form": form, "chunks": [chunk for chunk, _ in places], "n": n, **fields})
        return asyncio.run(self.teacher.propose(order, {document.id: document for _, document in places}))

    @property
    def prompts(self) -> list[str]:
        """Which prompt every request was made of."""
        marks = {"could not be used": "again", "exactly three lines": "one", "Its answer:": "reword"}
        said = [request.messages[-1].content for request in self.script.requests]
        return [next((name for mark, name in marks.items() if mark in words), "many") for words in said]

    def user(self, i: int = -1) -> str:
        """The last turn of a request."""
        return self.script.requests[i].messages[-1].content


def test_one_call_gives_pairs_and_says_where_the_passage_stands() -> None:
    asked = Asked([GOOD])
    drafts = asked.propose(3)
    assert [(draft.question, draft.kind, draft.quotes) for draft in drafts] == [
        ("Who runs it?", "entity", ("Ann runs it.",))
    ]
    assert asked.script.requests[0].form == schema("pairs")
    assert "Document: The shop\nSection: People\n<passage>\nAnn runs it. {{ n }}\n</passage>" in asked.user()
    assert "Pairs to write: 3 (each about a different fact, " in asked.user()
    assert "Kinds: different ones, " in asked.user()
    assert "Language of questions and answers: the language of the passage." in asked.user()
    assert next(iter(asked.teacher.prompts)) == "generate_pairs"
    assert asked.teacher.prompts == prompt_hashes()
    assert asked.teacher.exhaustive is False


@pytest.mark.parametrize("form", ["pairs", "unanswerable"])
def test_what_holds_for_several_is_not_said_of_one(form: str) -> None:
    good = GOOD.replace("pairs", {"unanswerable": "questions"}.get(form, "pairs"))
    one, several = Asked([good]), Asked([good])
    one.propose(1, form)
    several.propose(2, form)
    assert "to write: 1.\n" in one.user()
    assert "to write: 2 (each about a different " in several.user()
    assert "different ones" not in one.user()


def test_kinds_language_and_what_is_known_are_said() -> None:
    asked = Asked([GOOD])
    asked.propose(1, kinds=["procedure", "reason"], language="de-AT", known=["Who owns it?"])
    assert "Kinds: procedure or reason only;" in asked.user()
    assert "Language of questions and answers: German, the language of the passage." in asked.user()
    assert "ask about other facts: \n- Who owns it?" in asked.user()


def test_reasoning_and_examples_are_asked_for_and_read() -> None:
    reply = GOOD.replace('"answer"', '"rationale": "Ann is named.", "answer"')
    examples = [{"question": "Who rings the bell?", "answer": "Bo", "rationale": "Bo is the ringer."}]
    asked = Asked([reply], reasoning=True, examples=examples)
    assert asked.propose(1)[0].rationale == "Ann is named."
    assert "Question: Who rings the bell?\nRationale: Bo is the ringer.\nAnswer: Bo" in asked.user()
    assert asked.script.requests[0].form == schema("pairs", reasoning=True)
    plain = Asked([GOOD], examples=examples)
    plain.propose(1)
    assert "Rationale" not in plain.user()


def test_multi_hop_shows_every_passage() -> None:
    asked = Asked([GOOD])
    drafts = asked.propose(1, "multi-hop")
    assert drafts[0].kind == "multi-hop"
    assert "<passage 1>\nAnn runs it. {{ n }}\n</passage 1>" in asked.user()
    assert "Document: The town\nSection: (none)\n<passage 2>\nThe shop stands in Bryne.\n</passage 2>" in asked.user()


def test_multi_turn_and_unanswerable_have_their_own_forms() -> None:
    turns = GOOD.replace("pairs", "turns").replace("}]", '}, {"question": "Since when?", "answer": "1999"}]')
    drafts = Asked([turns]).propose(2, "multi-turn")
    assert [len(draft.history) for draft in drafts] == [0, 2]
    asked = Asked(['{"questions": [{"question": "Who owns the shop?", "missing": "the owner"}]}'])
    drafts = asked.propose(1, "unanswerable")
    assert [(draft.question, draft.answerable) for draft in drafts] == [("Who owns the shop?", False)]
    assert asked.script.requests[0].form == schema("unanswerable")


def test_no_pairs_is_an_answer() -> None:
    asked = Asked(['{"pairs": []}'])
    assert asked.propose(2) == []
    assert asked.prompts == ["many"]


def test_the_reply_depends_on_the_order_alone() -> None:
    asked = Asked([GOOD, GOOD])
    assert asked.propose(1) == asked.propose(1)
    assert asked.script.requests[0] == asked.script.requests[1]


def test_a_reply_that_cannot_be_read_is_asked_for_again_with_what_was_wrong() -> None:
    asked = Asked(['{"pairs": [{"question": "Who?"}]}', GOOD])
    assert len(asked.propose(1)) == 1
    assert asked.prompts == ["many", "again"]
    first, second = asked.script.requests
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "user"]
    assert second.messages[2].content == '{"pairs": [{"question": "Who?"}]}'
    assert "pair 1 has no answer" in asked.user()
    assert second.form == first.form
    assert fingerprint("m", first) != fingerprint("m", second)


@pytest.mark.parametrize("empty", ["", " \n", "<think>Let me see.</think>", ReplyInvalid("null", hint="")])
def test_an_empty_reply_is_asked_for_again_in_the_same_turn(empty: str | DoceoError) -> None:
    asked = Asked([empty, GOOD])
    assert len(asked.propose(1)) == 1
    first, second = asked.script.requests
    assert [message.role for message in second.messages] == ["system", "user"]
    assert second.messages[1].content.startswith(first.messages[1].content)
    assert "It was empty." in asked.user()
    assert second.max_tokens == 2 * first.max_tokens  # reasoning may have used it up


def test_a_reply_that_broke_off_gives_its_whole_pairs_or_is_asked_for_again_with_more_room() -> None:
    cut = ChatReply(text=GOOD[:-2] + ', {"question": "What else is the', finish="length")
    assert [draft.question for draft in Asked([cut]).propose(2)] == ["Who runs it?"]
    asked = Asked([ChatReply(text='{"pairs": [{"question": "Wh', finish="length"), GOOD])
    assert len(asked.propose(1)) == 1
    first, second = asked.script.requests
    assert second.max_tokens == 2 * first.max_tokens
    assert "broke off" in asked.user()


def test_then_one_pair_a_call() -> None:
    asked = Asked(["{?", "Sorry.", PLAIN.format(n="it"), PLAIN.format(n="the shop"), PLAIN.format(n="all of it")])
    drafts = asked.propose(3)
    assert [draft.question for draft in drafts] == ["Who runs it?", "Who runs the shop?", "Who runs all of it?"]
    assert asked.prompts == ["many", "again", "one", "one", "one"]
    assert "- Who runs it?\n- Who runs the shop?" in asked.user()
    assert asked.script.requests[-1].form is None


def test_other_forms_are_asked_once_more_without_a_schema() -> None:
    asked = Asked(["no", "no", GOOD])
    assert len(asked.propose(3, "multi-hop")) == 1
    assert asked.prompts == ["many", "again", "many"]
    assert asked.script.requests[-1].form is None
    assert "Pairs to write: 1." in asked.user()
    with pytest.raises(ReplyInvalid):
        Asked(["no"] * 4).propose(1, "unanswerable")


def test_two_failures_in_a_row_end_it() -> None:
    asked = Asked(["no", "no", PLAIN.format(n="it"), PLAIN.format(n="it"), "no", "no"])
    assert len(asked.propose(9)) == 1
    assert asked.prompts == ["many", "again", "one", "one", "one", "again"]
    with pytest.raises(ReplyInvalid, match=r"shop\.md"):
        Asked(["no"] * 9).propose(9)


def test_other_errors_go_up() -> None:
    with pytest.raises(Unreachable):
        Asked([Unreachable("gone", hint="")]).propose(1)


FAULTS: list[str | ChatReply | DoceoError] = [
    "", "null", "I am sorry, but I cannot.", f"Sure!\n```json\n{GOOD}\n```\nAnything else?", GOOD[:40],
    GOOD.replace('"', "'"), GOOD[:-2] + ",]}", ReplyInvalid("empty", hint=""), '{"pairs": "none"}', "42",
    ChatReply(text=GOOD[:60], finish="length"), "<think>hm" + GOOD,
]  # fmt: skip


@pytest.mark.parametrize("form", PROMPTS)
def test_every_third_reply_at_fault_costs_no_pair(form: str) -> None:
    good = GOOD.replace("pairs", {"multi-turn": "turns", "unanswerable": "questions"}.get(form, "pairs"))
    calls = iter(range(10_000))

    def say(_request: ChatRequest) -> str | ChatReply:
        n = next(calls)
        fault = FAULTS[n // 3 % len(FAULTS)] if n % 3 == 2 else good
        if isinstance(fault, DoceoError):
            raise fault
        return fault

    asked = Asked(say)
    assert sum(len(asked.propose(1, form)) for _ in range(60)) == 60


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Who is in charge of it?", "Who is in charge of it?"),
        ('Sure!\n\n"Who is in charge of it?"\n', "Who is in charge of it?"),
        ("Question: Who is in charge?", "Who is in charge?"),
        ("<think>hm</think>Who leads it?", "Who leads it?"),
        ("who runs it", None),
        ("Is it Annette who runs it?", None),
        ("", None),
        ("Well. " * 60, None),
    ],
)
def test_reword(reply: str, expected: str | None) -> None:
    pair = Pair(id="p", question="Who runs it?", answer="Annette", teacher="t")
    replies = [reply, reply]
    assert asyncio.run(Asked(list(replies)).teacher.reword(pair)) == expected


def test_a_turn_of_a_conversation_is_not_reworded() -> None:
    history = (Message(role="user", content="Who runs it?"), Message(role="assistant", content="Ann"))
    turn = Pair(id="p", question="Since when?", answer="1999", history=history, teacher="t")
    assert asyncio.run(Asked([]).teacher.reword(turn)) is None


def replay(row: dict[str, Any]) -> Asked:
    """Return a teacher whose model says what was recorded for a passage, whatever the words of the prompt are now."""
    single = {
        other["asked_before"]: other["reply"]
        for other in RECORDED
        if other["prompt"] == "one_pair" and other["passage"] == row["passage"]
    }

    def say(request: ChatRequest) -> str:
        content = request.messages[1 if len(request.messages) > 1 else 0].content
        assert row["passage"] in content
        return str(single[content.count("\n- ")] if "exactly three lines" in content else row["reply"])

    return Asked(say)


def test_recorded_replies_are_read_and_grounded() -> None:
    verdicts: Counter[str] = Counter()
    read = 0
    for row in RECORDED:
        if row["prompt"] != "generate_pairs":
            continue
        chunk, document = passage(row["passage"], row["title"], tuple(row["section"]))
        documents = {document.id: document}
        drafts = asyncio.run(replay(row).teacher.propose(Order(chunks=(chunk,), n=row["n"]), documents))
        read += len(drafts)
        for draft in drafts:
            result = verify(draft, [chunk], documents)
            verdicts[result.reason if isinstance(result, Verdict) else "grounded"] += 1
            if not isinstance(result, Verdict):
                pair = Pair(id="p", question=draft.question, answer=draft.answer, evidence=result, teacher="t")
                assert form_verdict(pair, chunk.text) is None
                assert all(part.quote == document.text[part.span.start : part.span.end] for part in result)
    assert read == sum(verdicts.values()) == 34
    assert verdicts["grounded"] == 34


def test_recorded_rewordings() -> None:
    rows = [row for row in RECORDED if row["prompt"] == "reword_question"]
    assert rows
    for row in rows:
        pair = Pair(id="p", question=row["question"], answer=row["answer"], teacher="t")
        question = asyncio.run(Asked([row["reply"]]).teacher.reword(pair))
        assert question is not None
        assert "\n" not in question
