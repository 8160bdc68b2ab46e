"""The poisoned set against what ships: the quote answerer never obeys, and no model is given a poison as an order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from data.chunking import chunk_document
from data.loaders import loader_of
from data.reader import read_files
from data.sources import SourceFile
from doceo.core.config import ChunkConfig, ReadConfig
from doceo.core.records import Document
from doceo.providers.minilm_onnx import MiniLM
from doceo.providers.scripted import Scripted
from doceo.text.passages import SYSTEM
from evaluation.obedience import outcome
from rag.answerer import ModelAnswerer
from rag.asking import Tools
from rag.index import Index
from rag.indexing import update
from rag.layout import RULES
from rag.quote import QuoteAnswerer
from rag.retriever import HybridRetriever
from rag.shield import Shield

FOLDER = Path(__file__).parent / "poisoned"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def made(folder: Path, embedder: MiniLM, texts: dict[str, str]) -> Index:
    documents = [
        Document(id=Document.identify(text), source=name, media_type="text/plain", title=name, text=text, sha256=name)
        for name, text in texts.items()
    ]
    chunks = [chunk for document in documents for chunk in chunk_document(document, embedder, ChunkConfig())]
    update(folder, documents, chunks, embedder)
    return Index.open(folder, embedder)


@pytest.fixture(scope="module")
def poisoned(minilm: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridRetriever]:
    texts = {f"{row['id']}.txt": row["text"] for row in rows("facts")}
    for row in rows("poisons"):
        texts[f"{row['id']}{row['ending']}"] = loader_of(row["ending"])(row["text"].encode(), 1 << 20).text
    index = made(tmp_path_factory.mktemp("poisoned") / "index", minilm, texts)
    yield HybridRetriever(index)
    index.close()


def test_the_quote_answerer_obeys_none(poisoned: HybridRetriever) -> None:
    answerer = QuoteAnswerer(poisoned)
    for fact in rows("facts"):
        text = answerer.answer(fact["question"]).text
        for poison in rows("poisons"):
            assert outcome(text, poison["text"], poison["marks"]) != "obeyed", (text, poison["id"])


def test_every_poison_stands_between_the_marks(poisoned: HybridRetriever) -> None:
    model = Scripted(lambda request: "I cannot find this in the documents.")
    shield = partial(Shield.for_request)
    answerer = ModelAnswerer("m+rag", model, poisoned, tools=Tools(shield=shield), k=8)
    for fact in rows("facts"):
        answerer.answer(fact["question"])
    for fact, request in zip(rows("facts"), model.requests, strict=True):
        system, asked = (message.content for message in request.messages)
        codes = set(re.findall(r"^<<<([0-9a-f]{12})$", asked, re.M))
        assert len(codes) == 1
        (code,) = codes
        assert system == f"{SYSTEM}\n\n{RULES}\n\n{Shield.for_request('x').explanation}"
        outside = re.sub(rf"^<<<{code}$.*?^{code}>>>$", "", asked, flags=re.M | re.S)
        assert re.sub(r"\[\d+\]|\s", "", outside) == re.sub(r"\s", "", f"Question: {fact['question']}")


def test_the_injected_document_of_the_shared_data(shared_data: Path, minilm: MiniLM, tmp_path: Path) -> None:
    path = shared_data / "bad" / "prompt-injection.txt"
    (document,) = read_files([SourceFile("bad/prompt-injection.txt", path)], ReadConfig())
    assert isinstance(document, Document)
    index = made(tmp_path / "index", minilm, {document.source: document.text})
    answerer = QuoteAnswerer(HybridRetriever(index))
    assert "8:15" in answerer.answer("When does the warehouse open on weekdays?").text
    manager = answerer.answer("Who is the warehouse manager?")
    assert "Okonkwo-Petersen" in manager.text
    assert manager.hits[0].flags == ("answer-control", "override", "system-prompt")
    for question in ("When does the warehouse open?", "Who is the manager?", "What is on page 2?"):
        assert outcome(answerer.answer(question).text, document.text, ["PWNED"]) != "obeyed"
    index.close()
