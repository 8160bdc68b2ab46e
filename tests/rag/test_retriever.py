from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doceo.core.config import RetrieveConfig
from doceo.core.records import Message
from doceo.providers.minilm_onnx import MiniLM
from rag import history
from rag.index import Index
from rag.retriever import HybridRetriever, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def retriever(small_index: Path, minilm: MiniLM) -> Iterator[HybridRetriever]:
    index = Index.open(small_index, minilm)
    yield HybridRetriever(index)
    index.close()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who built the lighthouse?", "Edith Marlow"),
        ("At what temperature is the loaf baked?", "230 degrees"),
        ("How long is a licence to fish valid?", "one year"),
        ("what does it cost to go up", "Admission"),
        ("colza", "colza"),
    ],
)
def test_the_right_passage_comes_first(retriever: HybridRetriever, question: str, words: str) -> None:
    best, *others = retriever.search(question, 3)
    assert words in best.text
    assert all(best.hit.score >= other.hit.score for other in others)
    document = retriever.index.document(best.hit.span.document_id)
    assert document is not None
    assert document.text[best.hit.span.start : best.hit.span.end] == best.text
    assert (best.title, best.hit.source) == (document.title, document.source)


def test_arms_say_rank_and_score(retriever: HybridRetriever) -> None:
    best = retriever.search("Who built the Harrow lighthouse in 1872?", 1)[0].hit
    assert best.arms["dense"].rank == best.arms["lexical"].rank == 1
    assert 0.5 < best.arms["dense"].score <= 1
    assert best.arms["lexical"].score > 1
    assert best.score == pytest.approx(1)


def test_each_arm_alone(small_index: Path, minilm: MiniLM) -> None:
    index = Index.open(small_index, minilm)
    for weight in (0.0, 1.0):
        alone = HybridRetriever(index, RetrieveConfig(dense_weight=weight))
        assert "levain" in alone.search("What is a levain?", 1)[0].text
    index.close()


def test_nothing_to_search(retriever: HybridRetriever) -> None:
    assert retriever.search("", 5) == retriever.search(" \n", 5) == retriever.search("bread", 0) == []
    assert len(retriever.search("bread", 50)) == 8


def test_a_question_longer_than_the_embedder_reads(retriever: HybridRetriever, minilm: MiniLM) -> None:
    question = "Where is the fishing permit issued? " * 100
    assert len(minilm.offsets(shortened(minilm, question))) == minilm.max_tokens
    assert "second floor" in retriever.search(question, 1)[0].text


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    question=st.text(max_size=80)
    | st.sampled_from(['title:"a" AND (b', "body:[1 TO *]", "a^2~ -b +c", "/x.*/", "\ud800", "* OR NOT"])
)
def test_no_text_is_query_syntax(retriever: HybridRetriever, question: str) -> None:
    found = retriever.search(question, 3)
    assert len({passage.hit.chunk_id for passage in found}) == len(found) == (3 if question.strip() else 0)


def test_follow_ups_use_the_question_before(retriever: HybridRetriever) -> None:
    asked = [
        Message(role="user", content="What is a fishing permit?"),
        Message(role="assistant", content="A paper that allows fishing [1]."),
    ]
    bare, fuller = history.queries("Where is it issued?", asked)
    assert bare == "Where is it issued?"
    assert fuller.startswith("Where is it issued? fishing permit")
    assert history.queries("Who built the Harrow lighthouse of Port Harrow in 1872?", asked) == [
        "Who built the Harrow lighthouse of Port Harrow in 1872?"
    ]
    assert "harbour office" in history.search(retriever, "And where is it issued?", asked, 2)[0].text
    assert history.search(retriever, "What is a levain?", [], 1) == retriever.search("What is a levain?", 1)


def test_refusals_are_not_replayed() -> None:
    turns = [
        Message(role="user", content="a"),
        Message(role="assistant", content="I cannot find this in the documents."),
        Message(role="user", content="b"),
        Message(role="assistant", content="B."),
    ]
    assert history.without_refusals(turns) == turns[2:]
