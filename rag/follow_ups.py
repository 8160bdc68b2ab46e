"""Does a question lean on the turns before it, and which of their words does it leave unsaid?

Two logistic regressions on features that can be read off the words. Their weights, in `follow_up_weights.json`, were
fitted by `benchmarks/fit_followups.py` on one half of the conversations of CANARD (Elgohary, Peskov and Boyd-Graber
2019), in which people rewrote follow-up questions so that they stand alone; `benchmarks/bench_followups.py` reports
on the other half.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from doceo.core.records import Message, Record
from doceo.text.passages import without_markers
from doceo.text.words import STOP_WORDS, WORD, content_words, stem

STANDS_ALONE = 0.15
"""Chance of leaning below which a question is taken as it stands."""
_WORD_CHANCE = 0.07
"""Least chance of an earlier word being meant, for it to be added."""
_MOST_WORDS = 12
"""Most words that are added to a question."""
_MOST_TURNS = 24
"""Earlier turns than these say nothing about a question."""
_LONGEST = 1200
"""Characters of a turn that are read."""

_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b", re.I)
_THING = re.compile(r"\b(?:it|its|itself|this|that|these|those|there)\b", re.I)
_THEY = re.compile(r"\b(?:they|them|their|theirs|themselves)\b", re.I)
_POINTS = re.compile(
    r"\b(?:this|that|these|those|there|then|such|so|the same|ones?|the (?:former|latter|first|second|third|other))\b",
    re.I,
)
_ELSE = re.compile(r"\b(?:else|others?|another|more|besides|instead|also|too|again|further|after that|any)\b", re.I)
_OPENS = re.compile(
    r"^\W*(?:and|but|or|so|then|also|why|how come|what about|how about|really|any|anything|which one)\b", re.I
)
_THE = re.compile(r"\bthe\s+[a-z]", re.I)
_EMPTY = re.compile(r"^\W*(?:i (?:do not|don['’]t) know|i cannot find this in the documents|yes|no|ok|okay)\W*$", re.I)


class _Logistic(Record):
    """A fitted regression: a weight for every feature."""

    bias: float
    weights: dict[str, float]

    def chance(self, features: Mapping[str, float]) -> float:
        """Return the chance, 0 to 1."""
        linear = self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-linear))


class FollowUpWeights(Record):
    """The two regressions: of a question leaning on what was said, and of a word being what it leaves unsaid."""

    leans: _Logistic
    word: _Logistic


@cache
def fitted() -> FollowUpWeights:
    """Return the weights that ship."""
    text = files("rag").joinpath("follow_up_weights.json").read_text(encoding="utf-8")
    return FollowUpWeights.model_validate_json(text)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is understood of a question in its conversation.

    `chance` is that of its leaning on the turns before; `words` are those that it leaves unsaid, as they were said;
    `asked` are those of them that stand in questions: words of earlier answers find passages, but among sentences they
    lead back to the one that was given.
    """

    chance: float
    words: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


def understand(question: str, history: Sequence[Message]) -> FollowUp:
    """Return whether a question leans on the turns before it, refusals among them left out, and on which words."""
    turns = subject(history)
    if not turns:
        return FollowUp(0.0)
    chance = fitted().leans.chance(question_features(question, turns))
    if chance < STANDS_ALONE:
        return FollowUp(chance)
    words = left_unsaid(question, turns)
    said = {word for turn in turns if turn.role == "user" for word in content_words(turn.content[:_LONGEST])}
    return FollowUp(chance, tuple(words), tuple(word for word in words if stem(word.lower()) in said))


def subject(history: Sequence[Message]) -> list[Message]:
    """Return the turns since the last change of subject.

    A new subject begins with a question that stands alone and shares no word with what was said before it.
    """
    turns = [message for message in history[-_MOST_TURNS:] if message.role != "system"]
    for at in range(len(turns) - 1, 0, -1):
        asked = turns[at]
        if asked.role != "user":
            continue
        features = question_features(asked.content, turns[:at])
        if features["shared"] == 0.0 and features["long"] > 0 and fitted().leans.chance(features) < STANDS_ALONE:
            return turns[at:]
    return turns


def question_features(question: str, turns: Sequence[Message]) -> dict[str, float]:
    """Return what speaks for or against a question's leaning on the turns before it, each between 0 and 1."""
    said = [match.group() for match in WORD.finditer(question)]
    content = content_words(question)
    before = {word for turn in turns for word in content_words(turn.content[:_LONGEST])}
    names = sum(word[0].isupper() and word != "I" for word in said[1:])
    pronoun = any(pattern.search(question) for pattern in (_PERSON, _THEY)) or bool(
        re.search(r"\b(?:it|its|itself)\b", question, re.I)
    )
    return {
        "pronoun": float(pronoun),
        "points": float(bool(_POINTS.search(question))),
        "else": float(bool(_ELSE.search(question))),
        "opens": float(bool(_OPENS.search(question))),
        "the": float(bool(_THE.search(question))),
        "name": float(names > 0),
        "names": min(names, 3) / 3,
        "pronoun_name": float(pronoun and names > 0),
        "quoted": float('"' in question),
        "digit": float(any(word[0].isdigit() for word in said)),
        "content_0": float(not content),
        "content_1": float(len(content) == 1),
        "content_2": float(len(content) == 2),
        "content_3": float(len(content) == 3),
        "long": min(len(content), 10) / 10,
        "shared": len(before.intersection(content)) / max(1, len(set(content))),
        "bare": float(len(said) <= 3),
    }


@dataclass(slots=True)
class _Seen:
    """Where a word stands in a conversation: turns, whether always capitalised, whether beside another such word."""

    shown: str
    turns: list[int]
    capital: bool = True
    phrase: bool = False


def left_unsaid(question: str, turns: Sequence[Message]) -> list[str]:
    """Return the words of the turns that a question seems to mean and does not say, in the order of the turns."""
    chances = {
        stemmed: (fitted().word.chance(features), shown)
        for stemmed, (shown, features) in word_features(question, turns).items()
    }
    likely = sorted((-chance, stemmed) for stemmed, (chance, _) in chances.items() if chance >= _WORD_CHANCE)
    chosen = {stemmed for _, stemmed in likely[:_MOST_WORDS]}
    return [shown for stemmed, (_, shown) in chances.items() if stemmed in chosen]


def word_features(question: str, turns: Sequence[Message]) -> dict[str, tuple[str, dict[str, float]]]:
    """Return {stem: (word as it was written, features between 0 and 1)} of the words that were said before."""
    asked = set(content_words(question))
    person, thing, they, more = (float(bool(p.search(question))) for p in (_PERSON, _THING, _THEY, _ELSE))
    plain = float(not (person or thing or they))
    the, short = float(bool(_THE.search(question))), float(len(asked) <= 1)
    last_answer, last_question = len(turns) - 1, len(turns) - 2
    found = {}
    for stemmed, seen in _words(turns).items():
        if stemmed in asked:
            continue
        capital = float(seen.capital)
        topic, answer, question_before = (float(at in seen.turns) for at in (0, last_answer, last_question))
        found[stemmed] = (
            seen.shown,
            {
                "capital": capital,
                "topic": topic,
                "topic_capital": topic * capital,
                "topic_phrase": topic * seen.phrase,
                "topic_person": topic * person,
                "often": min(1.0, len(seen.turns) / 4),
                "back": min(1.0, (len(turns) - max(seen.turns)) / 6),
                "answer": answer,
                "answer_more": answer * more,
                "answer_short": answer * short,
                "answer_plain": answer * plain,
                "answer_the": answer * the,
                "answer_thing": answer * thing,
                "question": question_before,
                "question_capital": question_before * capital,
                "question_thing": question_before * thing,
                "question_they": question_before * they,
                "digit": float(stemmed[:1].isdigit()),
            },
        )
    return found


def _words(turns: Sequence[Message]) -> dict[str, _Seen]:
    found: dict[str, _Seen] = {}
    beside: dict[str, bool] = defaultdict(bool)
    for at, turn in enumerate(turns):
        text = without_markers(turn.content[:_LONGEST])
        if turn.role == "assistant" and _EMPTY.match(text):
            continue
        before: tuple[str, int] | None = None
        for match in WORD.finditer(text):
            word, lower = match.group(), match.group().lower()
            if lower in STOP_WORDS:
                before = None
                continue
            stemmed, capital = stem(lower), word[0].isupper()
            seen = found.setdefault(stemmed, _Seen(word, []))
            seen.turns.append(at)
            seen.capital &= capital
            if before and capital and not text[before[1] : match.start()].strip():
                beside[stemmed] = beside[before[0]] = True
            before = (stemmed, match.end()) if capital else None
    for stemmed, seen in found.items():
        seen.phrase = beside[stemmed]
    return found
