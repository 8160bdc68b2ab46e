"""Which sentence of the passages answers a question: a linear score over features that can be read.

The weights (`rag.weights`) were fitted on SQuAD as a softmax over the sentences of the four best passages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doceo.core.records import Passage
from doceo.text.figures import Figure, figures
from doceo.text.passages import heading_line
from doceo.text.sentences import Sentence, sentences
from rag.question import Asked, Question, understand
from rag.retriever import shortened
from rag.weights import fitted

if TYPE_CHECKING:
    from rag.index import Index

FEATURES = (
    "coverage", "context", "cosine", "passage_cosine", "passage_score", "has_kind", "lacks_kind", "short", "long",
    "not_prose", "is_question", "reason_words",
)  # fmt: skip
_KINDS: dict[Asked, frozenset[str]] = {
    "date": frozenset({"date", "year"}),
    "year": frozenset({"year", "date"}),
    "number": frozenset({"number", "quantity", "percent", "money"}),
    "quantity": frozenset({"quantity", "number", "percent", "money"}),
    "percent": frozenset({"percent", "number", "quantity"}),
    "money": frozenset({"money", "number", "quantity"}),
    "person": frozenset({"name"}),
    "place": frozenset({"name"}),
}
_REASONS = (
    "because",
    "since",
    "due to",
    "so that",
    "in order to",
    "therefore",
    "as a result",
    "caused",
    "owing to",
    "thus",
)
_BEFORE = 0.3
"""What a word of the question before weighs against one of the question itself."""
_FEWEST_WORDS, _MOST_WORDS = 4, 45


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage: its place in the passage's text, its features in the order of FEATURES, its score."""

    passage: int
    start: int
    end: int
    text: str
    features: tuple[float, ...]
    score: float

    def feature(self, name: str) -> float:
        """Return one feature by name."""
        return self.features[FEATURES.index(name)]


def read(question: str, passages: Sequence[Passage], index: Index, before: str = "") -> list[Candidate]:
    """Return every sentence of the passages with its score, best first, equal ones in reading order.

    Headings are no candidates; they count as context of what stands below them. `before` is the question that this
    one leans on: its words count, but less.
    """
    spans = [(at, sentence) for at, passage in enumerate(passages) for sentence in sentences(passage.text)]
    spans = [(at, sentence) for at, sentence in spans if sentence.kind != "heading"]
    if not spans or not question.strip():
        return []
    texts = [passages[at].text[sentence.start : sentence.end] for at, sentence in spans]
    embedder = index.embedder
    leaning = f"{before} {question}" if before else question
    vectors = embedder.embed([shortened(embedder, text) for text in (question, leaning, *texts)])
    asks = (vectors[0] + vectors[1]) / 2
    asked = _Asked(question, before, index)
    context = _Context(passages, asked)
    weights, found = fitted().sentence, []
    for number, ((at, sentence), text) in enumerate(zip(spans, texts, strict=True), 2):
        features = asked.features(
            text, sentence, context.before(at, sentence), passages[at], float(vectors[number] @ asks)
        )
        score = sum(weights[name] * value for name, value in zip(FEATURES, features, strict=True))
        found.append(Candidate(at, sentence.start, sentence.end, text, features, score))
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.passage, candidate.start))


class _Asked:
    """A question with the weights of its words."""

    def __init__(self, question: str, before: str, index: Index) -> None:
        self.text = question
        self.kind: Question = understand(question)
        self._lexical = index.lexical
        self._weights = {stem: _BEFORE * self._lexical.weight(stem) for stem in self._lexical.terms(before)}
        self._weights |= {stem: self._lexical.weight(stem) for stem in self._lexical.terms(question)}
        self._total = sum(self._weights.values()) or 1.0

    def stems(self, text: str) -> set[str]:
        return self._weights.keys() & set(self._lexical.stems(text))

    def coverage(self, stems: set[str]) -> float:
        return sum(self._weights[stem] for stem in stems) / self._total

    def features(
        self, text: str, sentence: Sentence, context: set[str], passage: Passage, cosine: float
    ) -> tuple[float, ...]:
        stems = self.stems(text)
        coverage = self.coverage(stems)
        kinds = _KINDS.get(self.kind.asked)
        has = kinds is not None and any(
            new(text, figure, self.text) for figure in figures(text) if figure.kind in kinds
        )
        words = len(text.split())
        dense = passage.hit.arms.get("dense")
        return (
            coverage,
            self.coverage(stems | context) - coverage,
            cosine,
            dense.score if dense else 0.0,
            passage.hit.score,
            float(has),
            float(kinds is not None and not has),
            float(words < _FEWEST_WORDS),
            max(0.0, math.log(words / _MOST_WORDS)) if words else 0.0,
            float(sentence.kind in ("row", "code")),
            float(text.rstrip().endswith("?")),
            float(self.kind.asked == "reason" and any(word in text.lower() for word in _REASONS)),
        )


class _Context:
    """The question's words in what stands around a sentence: the heading line and the sentence before."""

    def __init__(self, passages: Sequence[Passage], asked: _Asked) -> None:
        self._before: dict[tuple[int, int], set[str]] = {}
        for at, passage in enumerate(passages):
            header = asked.stems(heading_line(passage.title, passage.hit.heading_path))
            previous: set[str] = set()
            for sentence in sentences(passage.text):
                own = asked.stems(passage.text[sentence.start : sentence.end])
                if sentence.kind == "heading":
                    header = header | own
                self._before[at, sentence.start] = header | previous
                previous = own

    def before(self, passage: int, sentence: Sentence) -> set[str]:
        return self._before[passage, sentence.start]


def new(text: str, figure: Figure, question: str) -> bool:
    """Say whether a figure of a text does not stand in the question already."""
    return text[figure.start : figure.end].lower() not in question.lower()
