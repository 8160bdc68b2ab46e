from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.config import AnswerConfig
from doceo.core.errors import ProviderError
from doceo.core.records import Answer, ChatReply, Document, Hit, Message, Passage, Span
from doceo.providers.scripted import Scripted
from doceo.text.passages import REFUSAL, SYSTEM
from rag.answerer import ModelAnswerer
from rag.citations import cited
from rag.compiler import compile_prompt, counting, words_as_tokens

TEXT = "The pier is old. It was built in 1872 by Edith Marlow. Boats leave at noon.\n\nTickets cost 4 euros."
DOCUMENT = Document(
    id=Document.identify(TEXT),
    source="a.txt",
    media_type="text/plain",
    title="Pier",
    text=TEXT,
    sha256="0",
    pages=(0, 77),
)


def passage(start: int, end: int) -> Passage:
    span = Span(document_id=DOCUMENT.id, start=start, end=end)
    return Passage(
        hit=Hit(chunk_id=f"c_{start}", source="a.txt", span=span, score=1), title="Pier", text=TEXT[start:end]
    )


PASSAGES = [passage(0, 75), passage(77, len(TEXT))]


def lookup(key: str) -> Document | None:
    return DOCUMENT if key == DOCUMENT.id else None


class Fixed:
    """A retriever that finds the same passages whatever is asked."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = list(passages)

    def search(self, question: str, k: int) -> list[Passage]:
        return self.passages[:k]


def test_the_sentence_that_supports_a_statement_is_cited() -> None:
    first, second = cited("Edith Marlow built it in 1872 [1]. A ticket is 4 euros [2][7].", PASSAGES, lookup)
    assert (first.n, first.quote, first.verified) == (1, "It was built in 1872 by Edith Marlow.", True)
    assert (second.n, second.quote, second.page) == (2, "Tickets cost 4 euros.", 2)
    assert TEXT[first.span.start : first.span.end] == first.quote
    assert cited("Boats leave at noon. [1]", PASSAGES, lookup)[0].quote == "Boats leave at noon."
    assert cited("No marker, [0], [9] or [x].", PASSAGES, lookup) == ()


def test_a_document_that_changed_leaves_a_citation_unverified() -> None:
    changed = DOCUMENT.model_copy(update={"text": "Something else entirely." * 9})
    assert [c.verified for c in cited("Old [1].", PASSAGES, lambda _: changed)] == [False]
    assert [c.verified for c in cited("Old [1].", PASSAGES, lambda _: None)] == [False]


@given(st.text(max_size=60), st.integers(0, 4), st.text(max_size=60))
def test_every_citation_is_the_text_at_its_span(before: str, n: int, after: str) -> None:
    for citation in cited(f"{before} [{n}] {after}", PASSAGES, lookup):
        assert TEXT[citation.span.start : citation.span.end] == citation.quote
        assert citation.verified
        assert citation.quote


def test_a_model_with_documents() -> None:
    model = Scripted([" Edith Marlow built it [1]. "])
    answerer = ModelAnswerer("base+rag", model, Fixed(PASSAGES), AnswerConfig(max_tokens=50), documents=lookup)
    answer = answerer.answer("Who built the pier?")
    assert answer.text == "Edith Marlow built it [1]."
    assert [citation.quote for citation in answer.citations] == ["It was built in 1872 by Edith Marlow."]
    assert [hit.chunk_id for hit in answer.hits] == ["c_0", "c_77"]
    assert not answer.refused
    (request,) = model.requests
    assert (request.max_tokens, request.messages[0].content) == (50, SYSTEM)
    assert request.messages[-1].content.startswith("[1] Pier\nThe pier is old.")
    assert request.messages[-1].content.endswith("Question: Who built the pier?")


def test_a_model_alone() -> None:
    model = Scripted(["Nobody knows [1]."])
    answer = ModelAnswerer("base", model).answer("Who?")
    assert (answer.text, answer.citations, answer.hits) == ("Nobody knows [1].", (), ())
    assert model.requests[0].messages == (Message(role="user", content="Who?"),)


@pytest.mark.parametrize("reply", [REFUSAL, f'"{REFUSAL}"', REFUSAL[:-1], f"{REFUSAL} [1]", REFUSAL.upper()])
def test_a_refusal_has_no_citations(reply: str) -> None:
    answer = ModelAnswerer("m+rag", Scripted([reply]), Fixed(PASSAGES), documents=lookup).answer("Who?")
    assert (answer.refused, answer.text, answer.citations) == (True, REFUSAL, ())
    assert "did not find" in answer.reason
    assert answer.hits


def test_without_passages_the_model_is_not_asked() -> None:
    model = Scripted([])
    answerer = ModelAnswerer("m+rag", model, Fixed([]))
    assert answerer.answer("Who?").refused
    assert [type(part) for part in answerer.stream("Who?")] == [str, Answer]
    assert model.requests == []
    _, passages = answerer.prepare("Who?")
    assert answerer.finish("Who?", ChatReply(text="I know!"), passages).refused


def test_streaming_ends_with_the_same_answer() -> None:
    def answerer() -> ModelAnswerer:
        return ModelAnswerer(
            "m+rag", Scripted(["It is old [1]."]), Fixed(PASSAGES), documents=lookup, clock=lambda: 0.0
        )

    *pieces, last = answerer().stream("Is it old?")
    assert pieces == ["It ", "is ", "old ", "[1]."]
    assert isinstance(last, Answer)
    whole = answerer().answer("Is it old?")
    assert last.model_copy(update={"usage": whole.usage}) == whole
    assert last.usage.prompt_tokens > last.usage.completion_tokens > 0


def test_errors_of_the_provider_pass() -> None:
    broken = ModelAnswerer("m", Scripted([ProviderError("down", hint="wait")]))
    with pytest.raises(ProviderError, match="down"):
        broken.answer("Who?")


def test_the_budget_drops_old_turns_then_last_passages_then_the_rest() -> None:
    turns = [Message(role="user", content="q" * 300), Message(role="assistant", content="a" * 300)] * 2
    count = counting(len, per_message=0)

    def fitted(budget: int) -> tuple[int, int]:
        messages, kept = compile_prompt("Why?", PASSAGES, turns, count, budget)
        assert messages[-1].content.endswith("Question: Why?")
        assert kept == PASSAGES[: len(kept)]
        return len(messages) - 2, len(kept)

    whole = len(SYSTEM) + 1200 + 150
    assert fitted(whole) == (4, 2)
    assert fitted(whole - 400) == (2, 2)
    assert fitted(len(SYSTEM) + 600 + 115) == (2, 1)
    assert fitted(len(SYSTEM) + 200) == (0, 1)
    assert fitted(10) == (0, 1)


@given(st.lists(st.text(max_size=200), max_size=6), st.integers(0, 900))
def test_a_prompt_is_never_over_budget_unless_nothing_is_left_to_drop(said: list[str], budget: int) -> None:
    turns = [Message(role="assistant" if at % 2 else "user", content=text) for at, text in enumerate(said)]
    messages, kept = compile_prompt("Why?", PASSAGES, turns, words_as_tokens, budget)
    assert words_as_tokens(messages) <= budget or (len(kept) == 1 and len(messages) == 2)
