"""The LLM teacher's ladder with scripted replies, and against recorded replies to real passages.

`recorded/replies.jsonl` holds replies that a careful reader wrote to the prompts as a language model would, several of
them on purpose as a small sloppy model does: fences, other field names, broken JSON, altered quotes, a cut end.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from doceo.core.errors import ReplyInvalid, Unreachable
from doceo.core.fingerprint import sha256
from doceo.core.records import ChatReply, ChatRequest, Chunk, Document, Pair, Span, Verdict
from doceo.providers.scripted import Scripted
from generator.grounding import verify
from generator.parsing import FORM
from generator.quality import form_verdict
from generator.teachers.llm import LLMTeacher

RECORDED = [
    json.loads(line)
    for line in Path(__file__).with_name("recorded").joinpath("replies.jsonl").read_text(encoding="utf-8").split("\n")
    if line
]
GOOD = (
    '{"pairs": [{"question": "Who runs it?", "answer": "Ann", "quote": "Ann runs it.", '
    '"kind": "entity", "difficulty": "easy"}]}'
)
PLAIN = "Question: Who runs {n}?\nAnswer: Ann\nQuote: Ann runs it."


def passage(text: str, title: str = "The shop", section: tuple[str, ...] = ()) -> tuple[Chunk, Document]:
    document = Document(id="d_1", source="shop.md", media_type="text/plain", title=title, text=text, sha256="")
    span = Span(document_id="d_1", start=0, end=len(text))
    chunk_id, digest = Chunk.identify(span), sha256(text)
    chunk = Chunk(
        id=chunk_id, document_id="d_1", span=span, text=text, heading_path=section, tokens=9, text_sha256=digest
    )
    return chunk, document


SHOP = passage("Ann runs it. {{ n }}", section=("The shop", "People"))


def kinds(provider: Scripted) -> list[str]:
    """Return which prompt every request was made of."""
    marks = {"Write the same pairs": "repair", "exactly three lines": "one", "Its answer:": "reword"}
    return [
        next((name for mark, name in marks.items() if mark in request.messages[-1].content), "many")
        for request in provider.requests
    ]


def test_one_call_gives_pairs_and_says_where_the_passage_stands() -> None:
    provider = Scripted([GOOD])
    teacher = LLMTeacher(provider)
    drafts = teacher.propose(*SHOP, 3)
    assert [(draft.question, draft.kind) for draft in drafts] == [("Who runs it?", "entity")]
    request = provider.requests[0]
    assert request.form == FORM
    user = request.messages[-1].content
    assert "Document: The shop\nSection: People\n" in user
    assert "<passage>\nAnn runs it. {{ n }}\n</passage>" in user
    assert "Write 3 pairs" in user
    assert next(iter(teacher.prompts)) == "generate_pairs"
    assert teacher.exhaustive is False


def test_no_pairs_is_an_answer() -> None:
    provider = Scripted(['{"pairs": []}'])
    assert LLMTeacher(provider).propose(*SHOP, 2) == []
    assert kinds(provider) == ["many"]


def test_a_chunk_asked_again_is_told_what_it_gave() -> None:
    provider = Scripted([GOOD, GOOD])
    teacher = LLMTeacher(provider)
    teacher.propose(*SHOP, 1)
    teacher.propose(*SHOP, 1)
    first, second = (request.messages[-1].content for request in provider.requests)
    assert "other facts: (none)" in first
    assert "other facts: \n- Who runs it?" in second


def test_a_reply_that_cannot_be_read_is_repaired_once() -> None:
    provider = Scripted(['{"pears": {"question about the shop"', GOOD])
    assert len(LLMTeacher(provider).propose(*SHOP, 1)) == 1
    assert kinds(provider) == ["many", "repair"]


def test_then_one_pair_a_call() -> None:
    provider = Scripted(["{?", "Sorry.", PLAIN.format(n="it"), PLAIN.format(n="the shop"), PLAIN.format(n="all of it")])
    drafts = LLMTeacher(provider).propose(*SHOP, 3)
    assert [draft.question for draft in drafts] == ["Who runs it?", "Who runs the shop?", "Who runs all of it?"]
    assert kinds(provider) == ["many", "repair", "one", "one", "one"]
    assert "- Who runs it?\n- Who runs the shop?" in provider.requests[-1].messages[-1].content
    assert provider.requests[-1].form is None


def test_prose_is_not_sent_to_repair() -> None:
    provider = Scripted(["I am sorry.", PLAIN.format(n="it")])
    assert len(LLMTeacher(provider).propose(*SHOP, 1)) == 1
    assert kinds(provider) == ["many", "one"]


def test_two_failures_in_a_row_end_it() -> None:
    provider = Scripted(["no", PLAIN.format(n="it"), PLAIN.format(n="it"), "no"])
    assert len(LLMTeacher(provider).propose(*SHOP, 9)) == 1
    assert kinds(provider) == ["many", "one", "one", "one"]
    with pytest.raises(ReplyInvalid, match=r"shop\.md"):
        LLMTeacher(Scripted(["no"] * 9)).propose(*SHOP, 9)


def test_empty_replies_go_down_the_ladder_and_other_errors_go_up() -> None:
    empty = ReplyInvalid("empty", hint="")
    assert len(LLMTeacher(Scripted([empty, PLAIN.format(n="it")])).propose(*SHOP, 1)) == 1
    with pytest.raises(Unreachable):
        LLMTeacher(Scripted([Unreachable("gone", hint="")])).propose(*SHOP, 1)


def test_a_cut_reply_gives_its_whole_pairs() -> None:
    cut = ChatReply(text=GOOD[:-2] + ', {"question": "What else is the', finish="length")
    assert [draft.question for draft in LLMTeacher(Scripted([cut])).propose(*SHOP, 2)] == ["Who runs it?"]


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
    assert LLMTeacher(Scripted([reply])).reword(pair) == expected


def replay(row: dict[str, Any]) -> Scripted:
    """Return a provider that says what was recorded for a passage, whatever the words of the prompt are now."""
    single = {
        other["asked_before"]: other["reply"]
        for other in RECORDED
        if other["prompt"] == "one_pair" and other["passage"] == row["passage"]
    }

    def say(request: ChatRequest) -> str:
        content = request.messages[-1].content
        assert row["passage"] in content
        return single[content.count("\n- ")] if "exactly three lines" in content else row["reply"]

    return Scripted(say)


def test_recorded_replies_are_read_and_grounded() -> None:
    verdicts: Counter[str] = Counter()
    read = 0
    for row in RECORDED:
        if row["prompt"] != "generate_pairs":
            continue
        chunk, document = passage(row["passage"], row["title"], tuple(row["section"]))
        drafts = LLMTeacher(replay(row)).propose(chunk, document, row["n"])
        read += len(drafts)
        for draft in drafts:
            result = verify(draft, chunk, document)
            verdicts[result.reason if isinstance(result, Verdict) else "grounded"] += 1
            if not isinstance(result, Verdict):
                pair = Pair(id="p", question=draft.question, answer=draft.answer, evidence=result, teacher="t")
                assert form_verdict(pair) is None
                assert all(part.quote == document.text[part.span.start : part.span.end] for part in result)
    assert read == sum(verdicts.values()) == 34
    assert verdicts["grounded"] == 34


def test_recorded_rewordings() -> None:
    rows = [row for row in RECORDED if row["prompt"] == "reword_question"]
    assert rows
    for row in rows:
        pair = Pair(id="p", question=row["question"], answer=row["answer"], teacher="t")
        question = LLMTeacher(Scripted([row["reply"]])).reword(pair)
        assert question is not None
        assert "\n" not in question
