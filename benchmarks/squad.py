"""SQuAD's articles as an index to search, its questions with their gold answers, and its two metrics."""

from __future__ import annotations

import gzip
import json
import re
import string
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from doceo.core.fingerprint import sha256
from doceo.core.protocols import Embedder
from doceo.core.records import Chunk, Document, Hit, Passage, Span
from rag import reading
from rag.index import Index
from rag.indexing import update
from rag.reading import Candidate
from rag.retriever import HybridRetriever


@dataclass
class Asked:
    """A question, its gold answers (none where it cannot be answered), and where it stands."""

    title: str
    document_id: str
    paragraph: str
    question: str
    golds: tuple[str, ...]


Article = tuple[str, list[tuple[str, list[tuple[str, tuple[str, ...]]]]]]
"""A title and its paragraphs, each with its questions, each with its gold answers."""


def articles(path: Path) -> list[Article]:
    """Return the articles of a file in SQuAD's layout, or of QED's lines."""
    text = gzip.decompress(path.read_bytes()).decode()
    if path.name.endswith(".jsonl.gz"):
        return _lines(text)
    return [
        (article["title"].replace("_", " "), [(one["context"], _asked(one["qas"])) for one in article["paragraphs"]])
        for article in json.loads(text)["data"]
    ]


def _asked(rows: list[Any]) -> list[tuple[str, tuple[str, ...]]]:
    return [(row["question"], tuple(sorted({gold["text"] for gold in row["answers"]}))) for row in rows]


def _lines(text: str) -> list[Article]:
    """Return QED's paragraphs, each once, with all its questions."""
    found: dict[str, Article] = {}
    for row in map(json.loads, text.splitlines()):
        paragraph, golds = _as_written(row["paragraph"]), tuple(_as_written(answer) for answer in row["answers"])
        _, [(_, asked)] = found.setdefault(paragraph, (row["title"], [(paragraph, [])]))
        asked.append((row["question"], golds))
    return list(found.values())


def _as_written(text: str) -> str:
    """Return a text without the blanks that a tokenizer has put before its stops, where no sentence would end."""
    text = re.sub(r" ([.,;:?!%)\]]|'s\b|n't\b)", r"\1", text)
    return re.sub(r"([(\[]) ", r"\1", text.replace("`` ", '"').replace(" ''", '"').replace(" -- ", " – "))


def corpus(found: Sequence[Article], name: str, embedder: Embedder) -> tuple[list[Document], list[Chunk], list[Asked]]:
    """Return one document an article, its paragraphs as chunks, and all questions."""
    documents, chunks, questions = [], [], []
    for title, paragraphs in found:
        text = "\n\n".join(context for context, _ in paragraphs)
        document = made(name, title, text)
        documents.append(document)
        at = 0
        for context, asked in paragraphs:
            chunks += _cut(document, at, context, embedder)
            at += len(context) + 2
            questions += [Asked(title, document.id, context, question, golds) for question, golds in asked]
    return documents, chunks, questions


def made(name: str, title: str, text: str) -> Document:
    """Return a document."""
    key = Document.identify(text)
    return Document(
        id=key, source=f"{name}/{key}", media_type="text/plain", title=title, text=text, sha256=sha256(text)
    )


def _cut(document: Document, at: int, context: str, embedder: Embedder) -> Iterator[Chunk]:
    """Yield a paragraph as one chunk, or as several where it is too long for the embedder."""
    starts = [start for start, _ in embedder.offsets(context)]
    for start, end in pairwise([0, *starts[200:-20:200], len(context)]):
        span = Span(document_id=document.id, start=at + start, end=at + end)
        piece = context[start:end]
        yield Chunk(
            id=Chunk.identify(span), document_id=document.id, span=span, text=piece,
            tokens=len(embedder.offsets(piece)), text_sha256=sha256(piece),
        )  # fmt: skip


def f1(guess: str, gold: str) -> float:
    """Return SQuAD's token F1."""
    left, right = _normal(guess), _normal(gold)
    shared = sum((Counter(left) & Counter(right)).values())
    return 2 * shared / (len(left) + len(right)) if shared else 0.0


def exact(guess: str, gold: str) -> float:
    """Return SQuAD's exact match."""
    return float(_normal(guess) == _normal(gold))


def _normal(text: str) -> list[str]:
    bare = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def best(metric: Callable[[str, str], float], guess: str, golds: Sequence[str]) -> float:
    """Return a metric against the gold answer that fits best."""
    return max((metric(guess, gold) for gold in golds), default=0.0)


def alone(text: str, title: str = "", document_id: str = "") -> Passage:
    """Return a paragraph as the one passage that was found."""
    span = Span(document_id=document_id or Document.identify(text), start=0, end=len(text))
    hit = Hit(chunk_id="gold", source=title, heading_path=(), page=None, span=span, score=1.0, arms={})
    return Passage(hit=hit, title=title, text=text)


class Bench:
    """An index over one SQuAD file and its questions, split by article."""

    def __init__(self, path: Path, embedder: Embedder, home: Path) -> None:
        documents, chunks, self.questions = corpus(articles(path), path.name, embedder)
        update(home / path.stem, documents, chunks, embedder)
        self.index = Index.open(home / path.stem, embedder)
        self.retriever = HybridRetriever(self.index)
        titles = sorted({question.title for question in self.questions})
        self.fitting, self.name = set(titles[::2]), path.name.split(".")[0]

    def sample(self, number: int, *, answerable: bool, seed: int = 0) -> list[Asked]:
        """Return questions at random."""
        kept = [question for question in self.questions if bool(question.golds) == answerable]
        order = np.random.default_rng(seed).permutation(len(kept))
        return [kept[at] for at in order[:number]]

    def unseen(self) -> list[Asked]:
        """Return the answerable questions of the articles that nothing is fitted on."""
        return [asked for asked in self.questions if asked.golds and asked.title not in self.fitting]

    def read(self, asked: Asked, *, without_article: bool = False) -> tuple[list[Passage], list[Candidate]]:
        """Return passages and candidates; `without_article` keeps the question's own article out."""
        if not without_article:
            passages = self.retriever.search(asked.question, 4)
        else:
            found = self.retriever.search(asked.question, 60)
            passages = [p for p in found if p.hit.span.document_id != asked.document_id][:4]
        return passages, reading.read(asked.question, passages, self.index)
