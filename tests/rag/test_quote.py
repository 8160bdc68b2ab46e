from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doceo.core.fingerprint import sha256
from doceo.core.protocols import Answerer
from doceo.core.records import Answer, Chunk, Document, Message, Span
from doceo.providers.minilm_onnx import MiniLM
from doceo.text.passages import REFUSAL, without_markers
from rag.index import Index
from rag.indexing import update
from rag.quote import QuoteAnswerer
from rag.refusal import NO_QUESTION
from rag.retriever import HybridRetriever

SQUAD = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "squad" / "squad-v1.1-dev.first24.json.gz"


@pytest.fixture(scope="module")
def quote(small_index: Path, minilm: MiniLM) -> Iterator[QuoteAnswerer]:
    index = Index.open(small_index, minilm)
    yield QuoteAnswerer(HybridRetriever(index), clock=lambda: 0.0)
    index.close()


def proven(answer: Answer, index: Index) -> bool:
    for citation in answer.citations:
        document = index.document(citation.document_id)
        assert document is not None
        assert document.text[citation.span.start : citation.span.end] == citation.quote
        assert citation.verified
    return True


@pytest.mark.parametrize(
    ("question", "words", "short"),
    [
        (
            "When was the Harrow lighthouse built?",
            "The Harrow lighthouse was built in 1872 by Edith Marlow [1].",
            "1872",
        ),
        ("Who built the Harrow lighthouse?", "by Edith Marlow [1].", "Edith Marlow"),
        ("How many minutes is the loaf baked?", "Bake the loaf at 230 degrees for 45 minutes [1].", "45"),
        ("How long is a fishing permit valid?", "A fishing permit is valid for one year [1].", None),
        ("What does admission to the tower cost?", "Admission costs 4 euros [1].", "4 euros"),
    ],
)
def test_it_quotes_the_sentence_that_answers(
    quote: QuoteAnswerer, question: str, words: str, short: str | None
) -> None:
    answer = quote.answer(question)
    assert words in answer.text
    assert proven(answer, quote._index)
    assert without_markers(answer.text) == " ".join(citation.quote for citation in answer.citations)
    assert short is None or answer.short == short
    assert not answer.refused


@pytest.mark.parametrize(
    "question",
    ["Who won the chess championship in Reykjavik?", "What is the boiling point of mercury?", "", "?!", "\ud800"],
)
def test_what_is_not_in_the_documents_is_refused(quote: QuoteAnswerer, question: str) -> None:
    answer = quote.answer(question)
    assert (answer.text, answer.refused, answer.citations, answer.short) == (REFUSAL, True, (), None)
    assert answer.reason


def test_streaming_and_follow_ups(quote: QuoteAnswerer) -> None:
    answerer: Answerer = quote
    *pieces, last = answerer.stream("Who built the Harrow lighthouse?")
    assert isinstance(last, Answer)
    assert "".join(str(piece) for piece in pieces) == last.text
    asked = [
        Message(role="user", content="How long is a fishing permit valid?"),
        Message(role="assistant", content="One year [1]."),
    ]
    assert "second floor" in quote.answer("Where is it issued?", asked).text


def test_a_sentence_that_leans_brings_the_one_before(quote: QuoteAnswerer) -> None:
    answer = quote.answer("How many metres above the cliffs does the lighthouse stand?")
    assert "41 metres" in answer.text
    assert answer.text.startswith("The Harrow lighthouse was built")
    assert proven(answer, quote._index)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            [
                "who",
                "when",
                "what",
                "the",
                "lighthouse",
                "loaf",
                "is",
                "permit",
                "fee",
                "�",
                "[1]",
                "flour",
                "oil",
                "?",
                "!",
                "euros",
                "yeast",
            ]
        ),
        max_size=8,
    )
)
def test_every_answer_is_proven_or_refused(quote: QuoteAnswerer, said: list[str]) -> None:
    answer = quote.answer(" ".join(said))
    assert proven(answer, quote._index)
    assert answer.refused == (not answer.citations)


@pytest.mark.skipif(not SQUAD.exists(), reason="the SQuAD sample is not on this machine")
def test_squad_articles(minilm: MiniLM, tmp_path: Path) -> None:
    article = json.loads(gzip.decompress(SQUAD.read_bytes()))["data"][3]
    text = "\n\n".join(paragraph["context"] for paragraph in article["paragraphs"])
    key = Document.identify(text)
    document = Document(
        id=key, source="a.txt", media_type="text/plain", title=article["title"], text=text, sha256=sha256(text)
    )
    chunks, questions, at = [], [], 0
    for paragraph in article["paragraphs"][:14]:
        span = Span(document_id=key, start=at, end=at + len(paragraph["context"]))
        at = span.end + 2
        if len(minilm.offsets(paragraph["context"])) <= minilm.max_tokens:
            piece = paragraph["context"]
            chunks.append(
                Chunk(
                    id=Chunk.identify(span), document_id=key, span=span, text=piece, tokens=1, text_sha256=sha256(piece)
                )
            )
            questions += [(asked["question"], [a["text"] for a in asked["answers"]]) for asked in paragraph["qas"]]
    update(tmp_path / "i", [document], chunks, minilm)
    index = Index.open(tmp_path / "i", minilm)
    answerer = QuoteAnswerer(HybridRetriever(index))
    answers = [(answerer.answer(question), golds) for question, golds in questions[::3][:30]]
    held = [any(gold in answer.text for gold in golds) for answer, golds in answers]
    assert all(proven(answer, index) for answer, _ in answers)
    assert sum(held) / len(held) > 0.55
    index.close()


@pytest.mark.parametrize("said", ["Hi", "thank you very much!", "ok", "Test"])
def test_small_talk_is_no_question(quote: QuoteAnswerer, said: str) -> None:
    answer = quote.answer(said)
    assert answer.refused
    assert answer.reason == NO_QUESTION
