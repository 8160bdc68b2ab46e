"""The word or phrase of a sentence that answers a question: candidates by rule, chosen by a linear score.

Candidates are dates, amounts, names and noun phrases; what speaks for one is that it is of the kind asked for, stands
near the question's words, and is not itself in the question. Weights fitted on SQuAD (`rag.weights`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from doceo.text.figures import figures
from doceo.text.words import STOP_WORDS, WORD
from rag.question import Asked, Question, understand
from rag.weights import fitted

if TYPE_CHECKING:
    from rag.lexical import Lexical

Form = Literal["time", "amount", "name", "noun", "clause"]
FEATURES = (
    "in_question", "partly_in_question", "near", "nearest", "words", "long", "first", "after_preposition",
    "head_inside", "head_beside", "after_verb", "quoted", "year_only", "whole_name", "of_phrase", "parenthesis",
    "subject_before", "subject_after", "object_before", "object_after", "copula_before", "copula_after",
    "amount_of_head",
)  # fmt: skip
_FORMS: dict[str, Form] = {
    "date": "time", "year": "time", "name": "name",
    "quantity": "amount", "percent": "amount", "money": "amount", "number": "amount",
}  # fmt: skip
_CAPITALISED = re.compile(r"[A-Z][\w'’.&-]*(?:\s+(?:(?:of|the|de|la|von|van|and|for|&)\s+)?[A-Z0-9][\w'’.&-]*)*")
_QUOTED = re.compile(r"[\"“]([^\"“”]{2,80})[\"”]")
_CLAUSES = (
    re.compile(r"\b(?:because(?: of)?|due to|owing to|as a result of|thanks to)\s+([^,.;:()]{4,120})", re.I),
    re.compile(r"\b((?:by|through|via)\s+\w+ing\b[^,.;:()]{2,100})", re.I),
    re.compile(r"\b(?:in order |so as )?(to\s+[a-z]+\b[^,.;:()]{2,80})"),
    re.compile(r"\b(?:is|are|was|were|means|refers to|stands for)\s+((?:an?|the|any)\s+[^,.;:()]{4,120})", re.I),
)
_PREPOSITIONS = frozenset(
    (
        "in",
        "at",
        "on",
        "from",
        "to",
        "by",
        "of",
        "for",
        "with",
        "near",
        "as",
        "since",
        "until",
        "during",
        "into",
        "under",
    )
)
_FAR = 12.0


@dataclass(frozen=True, slots=True)
class Span:
    """A candidate: the characters `start` to `end` of the sentence."""

    start: int
    end: int
    form: Form


@dataclass(frozen=True, slots=True)
class Short:
    """The chosen phrase and how far its score lies before the best one that does not overlap it."""

    text: str
    margin: float


def shorten(question: str, sentence: str, lexical: Lexical) -> Short | None:
    """Return the phrase of the sentence that answers, or None where the sentence has no candidate.

    Yes-or-no questions have no short answer of this kind.
    """
    understood = understand(question)
    if understood.asked == "boolean":
        return None
    weighed = _Weighed(question, understood, sentence, lexical)
    scored = sorted(
        ((weighed.score(span), span) for span in candidates(sentence)), key=lambda one: (-one[0], one[1].start)
    )
    if not scored:
        return None
    best, span = scored[0]
    rivals = [score for score, other in scored[1:] if other.end <= span.start or other.start >= span.end]
    return Short(sentence[span.start : span.end], best - max(rivals, default=best - 9.0))


def candidates(sentence: str) -> list[Span]:
    """Return the spans of a sentence that may be a short answer, each once, by place."""
    found: dict[tuple[int, int], Form] = {}
    for figure in figures(sentence):
        found.setdefault((figure.start, figure.end), _FORMS[figure.kind])
    for match in _CAPITALISED.finditer(sentence):
        start, end = _trimmed(sentence, *match.span())
        if end > start:
            found.setdefault((start, end), "name")
    for match in _QUOTED.finditer(sentence):
        found.setdefault(match.span(1), "noun")
    for start, end in _noun_phrases(sentence):
        found.setdefault((start, end), "noun")
    for pattern in _CLAUSES:
        for match in pattern.finditer(sentence):
            found.setdefault((match.start(1), match.start(1) + len(match[1].rstrip())), "clause")
    return [Span(start, end, form) for (start, end), form in sorted(found.items())]


def _trimmed(sentence: str, start: int, end: int) -> tuple[int, int]:
    """Drop stop words at the start of a capitalised run ("The", "In") and a full stop at its end."""
    while (word := WORD.match(sentence, start, end)) and word.group().lower() in STOP_WORDS:
        start = word.end()
        while start < end and not sentence[start].isalnum():
            start += 1
    while end > start and not (sentence[end - 1].isalnum() or sentence[end - 1] == "."):
        end -= 1
    return start, end - 1 if sentence[start:end].endswith(".") and sentence[start:end].count(".") == 1 else end


def _noun_phrases(sentence: str) -> Iterable[tuple[int, int]]:
    """Yield runs of content words, and two runs joined by "of" or "and"."""
    runs: list[tuple[int, int]] = []
    before = -1
    for word in WORD.finditer(sentence):
        if word.group().lower() in STOP_WORDS:
            continue
        if runs and before == runs[-1][1] and sentence[before : word.start()].isspace():
            runs[-1] = (runs[-1][0], word.end())
        else:
            runs.append(word.span())
        before = word.end()
    yield from runs
    for (start, left), (right, end) in pairwise(runs):
        if re.fullmatch(r"\s+(?:of|and)\s+(?:the\s+|an?\s+)?|,\s+", sentence[left:right]):
            yield start, end
    for start, end in runs:
        words = list(WORD.finditer(sentence, start, end))
        # verbs and nouns run together where no stop word parts them: also offer the run without its first or last word
        if len(words) > 1:
            yield words[1].start(), end
            yield start, words[-2].end()


class _Weighed:
    """A question over a sentence: where its words stand, and what each is worth."""

    def __init__(self, question: str, understood: Question, sentence: str, lexical: Lexical) -> None:
        self.question, self.understood, self.sentence = question, understood, sentence
        self.words = [(match.start(), match.end(), _stem(match.group(), lexical)) for match in WORD.finditer(sentence)]
        self.asked = {
            _stem(match.group(), lexical)
            for match in WORD.finditer(question)
            if match.group().lower() not in STOP_WORDS
        }
        self.head = {_stem(word, lexical) for word in understood.head.split()} & self.asked
        self.worth = {word: lexical.weight(word) for word in self.asked}
        self.total = sum(self.worth.values()) or 1.0

    def score(self, span: Span) -> float:
        features = self.features(span)
        weights = fitted()
        linear = sum(weights.short[name] * value for name, value in zip(FEATURES, features, strict=True))
        return linear + weights.short_kinds[_group(self.understood.asked)][span.form]

    def features(self, span: Span) -> tuple[float, ...]:
        inside = [at for at, (start, end, _) in enumerate(self.words) if start >= span.start and end <= span.end]
        first, last = (inside[0], inside[-1]) if inside else (0, 0)
        content = [self.words[at][2] for at in inside]
        known = sum(word in self.asked - self.head for word in content) / (len(content) or 1)
        near, nearest = self._distance(first, last)
        before = self.words[first - 1][2] if first else ""
        text = self.sentence[span.start : span.end]
        places = [at for at, (_, _, word) in enumerate(self.words) if word in self.asked and not first <= at <= last]
        sides = (bool(places) and last < min(places), bool(places) and first > max(places))
        around = self.words[max(0, first - 2) : first] + self.words[last + 1 : last + 3]
        return (
            float(known == 1.0 or text.lower() in self.question.lower()),
            known if known < 1.0 else 0.0,
            near,
            nearest,
            len(content) / 4.0,
            float(len(content) > 6),  # longer than almost all short answers
            float(first == 0),
            float(before in _PREPOSITIONS),
            float(bool(self.head & set(content))),
            float(any(word in self.head for _, _, word in around)),
            float(before in {"is", "are", "was", "were", "be", "call", "name", "known"}),
            float(self.sentence[span.start - 1 : span.start] in {'"', "“"}),
            float(bool(re.fullmatch(r"\d{4}", text))),
            float(span.form == "name" and len(content) > 1),
            float(" of " in text or " and " in text),
            float(self.sentence[span.start - 1 : span.start] == "("),
            *(
                float(self.understood.role == role and side)
                for role in ("subject", "object", "copula")
                for side in sides
            ),
            float(span.form == "amount" and bool(self.head & set(content))),
        )

    def _distance(self, first: int, last: int) -> tuple[float, float]:
        """Return how near the question's words stand, weighted, from 0 to 1, and how near the nearest does."""
        total, nearest = 0.0, _FAR
        for word in self.asked:
            places = [at for at, (_, _, other) in enumerate(self.words) if other == word and not first <= at <= last]
            if places:
                distance = min(min(abs(at - first), abs(at - last)) for at in places)
                total += self.worth[word] / self.total / (1.0 + distance / 4.0)
                nearest = min(nearest, float(distance))
        return total, 1.0 - nearest / _FAR


def _group(asked: Asked) -> str:
    return {
        "date": "time",
        "year": "time",
        "number": "amount",
        "quantity": "amount",
        "percent": "amount",
        "money": "amount",
    }.get(asked, asked)


def _stem(word: str, lexical: Lexical) -> str:
    """Return the stem of a word; of one with a hyphen or an apostrophe, the stem of its first part."""
    return next(iter(lexical.stems(word)), word)
