"""Retrieval against pinning: measured on the user's questions, kept beside the index, and taken by `auto`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.chunking import chunk_document
from doceo.app import engines as engines_of
from doceo.app.comparing_contexts import AskedQuestion, _Measured, _score, compare_contexts, compared
from doceo.app.contexts import FILE, Comparison, Way, measured, mode_of
from doceo.app.settings import Settings
from doceo.app.systems import Systems
from doceo.core.config import ChunkConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.progress import Silent
from doceo.core.records import Answer, ChatReply, ChatRequest, Document, Usage
from doceo.providers.minilm_onnx import MiniLM
from doceo.providers.scripted import Scripted
from evaluation.metrics.squad import F1
from rag.indexing import update

FACTS = {
    "pier": ("Who built the pier?", "The pier was built in 1872 by Edith Marlow.", "Edith Marlow"),
    "boats": ("When do boats leave?", "Boats leave at noon from the north quay.", "noon"),
    "bread": ("How hot is the loaf baked?", "The loaf is baked at 230 degrees.", "230 degrees"),
    "bees": ("How often are hives inspected?", "Hives are inspected every nine days.", "every nine days"),
    "bridge": ("What does the bridge carry?", "The bridge carries lorries of 12 tonnes.", "lorries of 12 tonnes"),
}


class Lines(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    embedder = MiniLM(threads=1)
    documents = [
        Document(
            id=Document.identify(text),
            source=f"{name}.txt",
            media_type="text/plain",
            title=name,
            text=text,
            sha256=name,
        )
        for name, (_, text, _) in FACTS.items()
    ]
    chunks = [chunk for document in documents for chunk in chunk_document(document, embedder, ChunkConfig())]
    update(tmp_path / "index", documents, chunks, embedder)
    return tmp_path / "index"


@pytest.fixture
def questions(tmp_path: Path) -> str:
    rows = [{"question": question, "answers": [answer]} for question, _, answer in FACTS.values()]
    rows.append({"question": "Who painted the chapel?", "answerable": False})  # type: ignore[dict-item]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(tmp_path / "questions.jsonl")


def reader(*, pinned_only: bool) -> Callable[[ChatRequest], ChatReply]:
    """A model that answers rightly where it can read the answer, or only from a whole corpus."""

    def reply(request: ChatRequest) -> ChatReply:
        asked = request.messages[-1].content
        whole = all(text in asked for _, text, _ in FACTS.values())
        answer = next((a for q, text, a in FACTS.values() if q in asked and text in asked), None)
        text = answer if answer and (whole or not pinned_only) else "I cannot find this in the documents."
        return ChatReply(text=text, usage=Usage(prompt_tokens=len(asked), cached_tokens=100 if whole else 0))

    return reply


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    def use(*, pinned_only: bool) -> Scripted:
        scripted = Scripted(reader(pinned_only=pinned_only), name="openai:m")
        monkeypatch.setattr(engines_of, "open_provider", lambda *_, **__: scripted)
        monkeypatch.setattr(engines_of, "context_of", lambda *_: 4096)
        return scripted

    return use


def settings(**answer: object) -> Settings:
    given = {"model": "openai:m", "answer": {"refuse_below": 0, **answer}, "retrieve": {"k": 1}}
    return Settings.model_validate(given)


def test_what_did_better_is_said_kept_and_taken(index: Path, questions: str, model: Callable[..., Scripted]) -> None:
    model(pinned_only=True)
    done = compare_contexts(settings(), Silent(), run="", collection="", questions=questions, folder=index)
    assert (done.choice, done.questions, done.model) == ("pin", 6, "openai:m")
    assert done.why.startswith("the answers are better (F1 100.0 pinned, 16.7 retrieved; difference +83.3")
    assert done.pin is not None
    assert (done.pin.cached_tokens, done.retrieve.cached_tokens) == (100, 0)
    assert done.pin.prompt_tokens > done.retrieve.prompt_tokens
    assert measured(index) == {"openai:m": done}
    scripted, lines = model(pinned_only=True), Lines()
    answer = Systems(settings(context="auto"), lines, None, index).open("openai:m+rag").answer("Who built the pier?")
    assert (answer.text, [c.verified for c in answer.citations]) == ("Edith Marlow", [])
    assert all(text in scripted.requests[-1].messages[-1].content for _, text, _ in FACTS.values())
    assert lines.lines == [f"All documents are pinned: {done.why}"]


def test_where_nothing_is_known_auto_retrieves_and_says_how_to_measure(
    index: Path, model: Callable[..., Scripted]
) -> None:
    scripted, lines = model(pinned_only=False), Lines()
    Systems(settings(context="auto"), lines, None, index).open("openai:m+rag").answer("Who built the pier?")
    assert FACTS["bees"][1] not in scripted.requests[-1].messages[-1].content
    assert "doceo calibrate --context --model openai:m" in lines.lines[0]
    (index / FILE).write_text("{broken")
    assert mode_of(settings(context="auto"), index, "1", "openai:m")[0] == "retrieve"


def test_documents_that_changed_since_are_not_pinned(index: Path) -> None:
    way = Way(score=50, refused=0, seconds=1, first_seconds=1, prompt_tokens=1, cached_tokens=0)
    row = Comparison(model="m", version="1", questions=9, retrieve=way, pin=way, choice="pin", why="x")
    (index / FILE).write_text(json.dumps({"m": row.model_dump(mode="json")}))
    assert mode_of(settings(context="auto"), index, "1", "m") == ("pin", "All documents are pinned: x")
    mode, note = mode_of(settings(context="auto"), index, "2", "m")
    assert mode == "retrieve"
    assert "have changed" in note
    assert mode_of(settings(context="pin"), index, "2", "m") == ("pin", "")


def test_a_corpus_that_does_not_fit(
    index: Path, questions: str, model: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    model(pinned_only=False)
    monkeypatch.setattr(engines_of, "context_of", lambda *_: 300)
    with pytest.raises(UsageError, match="tokens; openai:m can be given"):
        Systems(settings(context="pin"), Silent(), None, index).open("openai:m+rag")
    done = compare_contexts(settings(), Silent(), run="", collection="", questions=questions, folder=index)
    assert (done.choice, done.pin) == ("retrieve", None)
    assert "can be given" in done.why


def test_equal_answers_go_to_the_faster_way() -> None:
    rows = np.array([[100.0, 1.0], [0.0, 1.0]] * 5)

    def way(seconds: float) -> _Measured:
        return _Measured(
            Way(score=50, refused=0, seconds=seconds, first_seconds=9, prompt_tokens=1, cached_tokens=0), rows
        )

    assert compared("m", "1", way(2.0), way(1.0)).choice == "pin"
    assert compared("m", "1", way(1.0), way(2.0)).choice == "retrieve"
    assert "not differ by more than chance" in compared("m", "1", way(1.0), way(2.0)).why


def test_a_question_that_a_server_would_not_take_is_no_right_refusal() -> None:
    asked = AskedQuestion(question="Who?", answerable=False)
    assert _score(F1(), asked, Answer(text="", refused=True))[0] == 100
    assert _score(F1(), asked, Answer(text="", refused=True, failed=True))[0] == 0


def test_questions_that_cannot_be_used(index: Path, tmp_path: Path) -> None:
    def compare(text: str, name: str = "openai:m") -> None:
        (tmp_path / "q.jsonl").write_text(text)
        given = settings().model_copy(update={"model": name})
        compare_contexts(given, Silent(), run="", collection="", questions=str(tmp_path / "q.jsonl"), folder=index)

    with pytest.raises(InputError, match="line 1: an answerable question has no answer"):
        compare('{"question": "Who?"}\n')
    with pytest.raises(InputError, match="has 1 questions"):
        compare('{"question": "Who?", "answers": ["x"]}\n')
    with pytest.raises(InputError, match="line 1: answers"):
        compare('{"question": "Who?", "answers": "x"}\n')
    with pytest.raises(UsageError, match="quote"):
        compare("", "quote")
