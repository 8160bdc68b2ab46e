"""Training rows: three styles in their shares, every fact closed once, citations where the evidence stands."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data.holders import Holders, answers
from data.styles import MOST_OPEN, Mixer
from doceo.core.config import DatasetConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Evidence, Example, Message, Pair, Span
from doceo.text.passages import REFUSAL, question_of


def cut(number: int, *parts: str) -> tuple[Document, list[Chunk]]:
    """Return a document of some parts, each a chunk."""
    text = "\n\n".join(parts)
    document = Document(
        id=Document.identify(text), source=f"s/{number}", media_type="text/plain", title=f"T{number}", text=text,
        sha256=sha256(text),
    )  # fmt: skip
    chunks, start = [], 0
    for part in parts:
        span = Span(document_id=document.id, start=start, end=start + len(part))
        chunks.append(
            Chunk(
                id=Chunk.identify(span),
                document_id=document.id,
                span=span,
                text=part,
                tokens=9,
                text_sha256=sha256(part),
            )
        )
        start += len(part) + 2
    return document, chunks


def proof(chunk: Chunk, quote: str) -> Evidence:
    at = chunk.span.start + chunk.text.index(quote)
    return Evidence(span=Span(document_id=chunk.document_id, start=at, end=at + len(quote)), quote=quote)


def ask(question: str, answer: str, *where: tuple[Chunk, str], **fields: object) -> Pair:
    evidence = tuple(proof(chunk, quote) for chunk, quote in where)
    named = {"chunk_ids": tuple(chunk.id for chunk, _ in where), **fields}
    return Pair.model_validate(
        {
            "id": Pair.identify(question, answer, evidence),
            "question": question,
            "answer": answer,
            "evidence": evidence,
            "teacher": "t",
            **named,
        }
    )


def towns(n: int, facts: int = 2) -> tuple[list[Document], list[Chunk], list[Pair]]:
    documents, chunks, pairs = [], [], []
    for i in range(n):
        parts = [f"Tower{i}n{j} of town{i} was built by builder{i}n{j} in stone{j}x{i}." for j in range(4)]
        document, own = cut(i, *parts)
        documents.append(document)
        chunks += own
        for j, chunk in enumerate(own):
            pairs.append(ask(f"Who built tower{i}n{j}?", f"builder{i}n{j}", (chunk, f"by builder{i}n{j}")))
            if facts > 1:
                pairs.append(ask(f"Of what is tower{i}n{j}?", f"stone{j}x{i}", (chunk, f"stone{j}x{i}")))
    return documents, chunks, pairs


def styles(rows: list[Example]) -> dict[str, float]:
    return {style: count / len(rows) for style, count in Counter(row.style for row in rows).items()}


def refusing(rows: list[Example]) -> list[Example]:
    return [row for row in rows if row.messages[-1].content == REFUSAL]


def test_default_shares_and_every_fact_closed_and_open() -> None:
    documents, chunks, pairs = towns(25)
    rows = Mixer(documents, chunks, DatasetConfig()).rows(pairs)
    assert styles(rows) == pytest.approx({"open": 0.52, "closed": 0.44, "conversation": 0.04}, abs=0.005)
    closed = [row.pair_id or "" for row in rows if row.style == "closed"]
    assert sorted(closed) == sorted(pair.id for pair in pairs)
    right = [row for row in rows if row.style == "open" and row.messages[-1].content != REFUSAL]
    assert {row.pair_id for row in right} == {pair.id for pair in pairs}
    opened = [row for row in rows if row.style == "open"]
    assert len(refusing(rows)) / len(opened) == pytest.approx(0.1, abs=0.01)
    assert len({row.id for row in rows}) == len(rows)
    # a second row of a fact shows it among other passages, or in another place
    twice = [key for key, count in Counter(row.pair_id for row in right).items() if count > 1]
    assert twice
    for key in twice:
        one, two = (row.chunk_ids for row in right if row.pair_id == key)
        assert one != two


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 9), st.integers(0, 3))
def test_any_shares_are_met(opened: int, closed: int, n: int, distractors: int) -> None:
    closed = min(closed, 100 - opened)
    shares = {"open_share": opened / 100, "closed_share": closed / 100}
    config = DatasetConfig(**shares, conversation_share=(100 - opened - closed) / 100, distractors=distractors)
    documents, chunks, pairs = towns(n)
    rows = Mixer(documents, chunks, config).rows(pairs)
    counts: Counter[str] = Counter(row.style for row in rows)
    most = {"closed": 1, "open": MOST_OPEN, "conversation": 1}
    shares = {style: getattr(config, f"{style}_share") for style in most}
    assert all(counts[style] <= most[style] * len(pairs) + 1 for style in most)
    if closed:
        total = len(pairs) * min(most[style] / share for style, share in shares.items() if share)
        for style in ("closed", "conversation"):
            assert counts[style] == pytest.approx(shares[style] * total, abs=1)
        # with few passages some open rows would only repeat others
        assert counts["open"] <= shares["open"] * total + 1
    assert rows == Mixer(documents, chunks, config).rows(pairs)


def test_shares_have_to_add_up() -> None:
    with pytest.raises(ValidationError, match=r"add up to 1\.28; they have to add up to 1"):
        DatasetConfig(open_share=0.8)


def test_the_seed_decides_and_nothing_else() -> None:
    documents, chunks, pairs = towns(6)
    rows = [Mixer(documents, chunks, DatasetConfig(seed=seed)).rows(pairs) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_evidence_of_several_passages_is_cited_from_each() -> None:
    first, one = cut(0, "Maria Holt was born in Bergen.", "The harbour is deep.")
    second, two = cut(1, "The lighthouse was built by Maria Holt.", "The ferry is slow.")
    pair = ask(
        "Where was the builder of the lighthouse born?", "In Bergen.", (two[0], "built by Maria Holt"),
        (one[0], "born in Bergen"), chunk_ids=(two[0].id, one[0].id), kind="multi-hop",
    )  # fmt: skip
    config = DatasetConfig(open_share=1, closed_share=0, conversation_share=0, refusal_share=0, distractors=2)
    (row,) = Mixer([first, second], [*one, *two], config).rows([pair])
    assert len(row.chunk_ids) == 4
    cited = sorted(row.chunk_ids.index(chunk.id) + 1 for chunk in (one[0], two[0]))
    assert row.messages[-1].content == f"In Bergen [{cited[0]}][{cited[1]}]."
    assert all(chunk.text in row.messages[1].content for chunk in (one[0], two[0]))


def test_the_cited_passage_is_the_one_that_holds_the_evidence() -> None:
    document, chunks = cut(0, "The mill is old.", "The mill was restored in 1996.", "Rye was ground.")
    pair = ask("When was the mill restored?", "1996", (chunks[1], "restored in 1996"), chunk_ids=(chunks[0].id,))
    holders = Holders(chunks)
    assert holders.of(pair) == [chunks[1]]
    across = Evidence(
        span=Span(document_id=document.id, start=4, end=30), quote=document.text[4:30]
    )  # runs over the first two
    assert holders.of(pair.model_copy(update={"evidence": (across,)})) == chunks[:2]
    assert Holders(chunks[:1]).of(pair) == []
    config = DatasetConfig(open_share=1, closed_share=0, conversation_share=0, refusal_share=0)
    (row,) = Mixer([document], chunks, config).rows([pair])
    assert row.messages[-1].content == f"1996 [{row.chunk_ids.index(chunks[1].id) + 1}]"


def test_wrong_passages_do_not_answer() -> None:
    document, chunks = cut(
        0,
        "The mill was restored in 1996.",
        "In 1996 the mill was restored.",
        "The mill was sold.",
        "A mill grinds rye.",
    )
    pair = ask("When was the mill restored?", "1996", (chunks[0], "restored in 1996"))
    assert [answers(chunk, pair) for chunk in chunks] == [True, True, False, False]
    config = DatasetConfig(open_share=1, closed_share=0, conversation_share=0, refusal_share=0.4, distractors=3)
    for row in Mixer([document], chunks, config).rows([pair]):
        assert chunks[1].id not in row.chunk_ids
        assert chunks[2].id in row.chunk_ids


def test_a_pair_without_an_answer_refuses_over_what_was_searched_and_has_no_closed_row() -> None:
    documents, chunks, pairs = towns(5)
    searched = (chunks[7].id, "c_kept_out", chunks[2].id)
    none = ask("Who painted tower1n3?", REFUSAL, answerable=False, chunk_ids=searched, kind="unanswerable")
    rows = Mixer(documents, chunks, DatasetConfig()).rows([*pairs, none])
    (row,) = [row for row in rows if row.pair_id == none.id]
    assert row.style == "open"
    assert row.messages[-1].content == REFUSAL
    assert sorted(row.chunk_ids) == sorted((chunks[7].id, chunks[2].id))
    with_it, without = (len(refusing(rows)), len(refusing(Mixer(documents, chunks, DatasetConfig()).rows(pairs))))
    assert with_it == without  # it takes the place of a row whose right passage is withheld
    quiet = Mixer(documents, chunks, DatasetConfig(refusal_share=0)).rows([*pairs, none])
    assert not refusing(quiet)


def test_a_follow_up_keeps_its_turns() -> None:
    documents, chunks, _ = towns(3)
    before = (Message(role="user", content="What is tower0n0?"), Message(role="assistant", content="A tower of town0."))
    pair = ask("Who built it?", "builder0n0", (chunks[0], "by builder0n0"), history=before, kind="multi-turn")
    rows = Mixer(documents, chunks, DatasetConfig()).rows([pair])
    assert {row.style for row in rows} == {"open", "conversation"}
    for row in rows:
        turns = [message for message in row.messages if message.role != "system"]
        assert tuple(turns[:2]) == before
        assert question_of(turns[2].content) == "Who built it?"
        if row.style == "open":
            assert row.messages[0].role == "system"
            assert turns[2].content.startswith("[1] ")
        else:
            assert turns[3].content == "builder0n0"


def test_conversations_are_joined_from_questions_about_one_passage() -> None:
    documents, chunks, pairs = towns(4)
    config = DatasetConfig(open_share=0, closed_share=0.5, conversation_share=0.5)
    rows = [row for row in Mixer(documents, chunks, config).rows(pairs) if row.style == "conversation"]
    by_question = {pair.question: pair for pair in pairs}
    assert len(rows) == len(pairs)
    for row in rows:
        asked = [by_question[message.content] for message in row.messages[::2]]
        assert [message.content for message in row.messages[1::2]] == [pair.answer for pair in asked]
        assert len({pair.chunk_ids for pair in asked}) == 1
        assert len({pair.id for pair in asked}) == len(asked) > 1
        assert asked[-1].id == row.pair_id


def test_reasoning_comes_before_the_answer_where_it_is_wanted() -> None:
    document, chunks = cut(0, "The mill was built in 1790 and closed in 1958.", "Rye was ground.")
    pair = ask("How long was it open?", "168 years.", (chunks[0], "1790 and closed in 1958"), rationale="1958 - 1790.")
    shares = {"open_share": 1, "closed_share": 0, "conversation_share": 0, "refusal_share": 0}
    for wanted in (0, 1):
        (row,) = Mixer([document], chunks, DatasetConfig(**shares, reasoning_share=wanted)).rows([pair])
        assert row.messages[-1].content.startswith("<think>\n1958 - 1790.\n</think>\n\n168 years [") == bool(wanted)
