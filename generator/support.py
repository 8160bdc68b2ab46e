"""What of an answer its source holds: numbers, names, and the words that carry its meaning."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from doceo.text.words import STOP_WORDS, WORD, stem
from generator.languages import WIDE, language_of

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_MIXED = re.compile(r"[^\W\d_]\d|\d[^\W\d_]")
_LATIN = re.compile(r"[A-Za-z]{3,}")
_PARTS = re.compile(r"[-/._'’]")
_WORDED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn zwanzig",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "零 一 二 三 四 五 六 七 八 九 十",
)
NUMERALS = {word: str(value) for words in _WORDED for value, word in enumerate(words.split())} | {"两": "2"}
"""Small numbers in words, and what they are in digits."""
_WIDE_NUMERALS = [word for word in NUMERALS if WIDE.match(word)]
_YES_NO = frozenset({"yes", "no", "ja", "nein", "oui", "non", "sí"})


@dataclass(frozen=True)
class _Source:
    """What a text holds, worked out once for all answers that are looked up in it."""

    numbers: frozenset[str]
    stems: frozenset[str]
    listed: str
    """The stems, each on a line of its own, in which their beginnings are looked up."""


def unsupported(answer: str, source: str, extra: str = "", least: float = 0.5) -> str:
    """Return what of an answer its source does not hold, or "".

    Every number and every name has to occur; of the words that carry meaning, a share. In German, where all nouns
    have capitals, a name is known by two of them in a row. Scripts without spaces are compared by pairs of letters.

    Args:
        answer: The answer.
        source: Its passages and what stands above them.
        extra: What else may supply words: the question, and evidence beside the passages.
        least: Least share of the answer's content words.
    """
    if WIDE.search(answer):
        return _unsupported_wide(answer, f"{source}\n{extra}", least)
    held = _both(_held(source), _held(extra))
    if odd := [number for number in digits(answer) if number not in held.numbers]:
        return f"the number {odd[0]} is not in the passage"
    words = WORD.findall(answer)
    if odd := [word for word in words if _MIXED.search(word) and not _joined(word, source, extra)]:
        return f"{odd[0]} is not in the passage"
    if odd := [name for name in _names(answer, source) if not _occurs(name, held)]:
        return f"the name {odd[0]} is not in the passage"
    found, content = _content(words, held)
    if content and found < least * content:
        return f"{content - found} of {content} words of the answer are not in the passage"
    return ""


def held_share(answer: str, source: str, extra: str = "") -> float:
    """Return the share of an answer's content words that its source holds, 0 to 1, which `unsupported` compares.

    1 where the answer has no such words. Arguments as there.
    """
    if WIDE.search(answer):
        found, content = _letter_pairs(answer, f"{source}\n{extra}")
    else:
        found, content = _content(WORD.findall(answer), _both(_held(source), _held(extra)))
    return found / content if content else 1.0


def digits(text: str) -> list[str]:
    """Return the numbers of a text that are written in digits, without thousands commas, half-width."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return [number.replace(",", "").rstrip(".:") for number in _NUMBER.findall(text)]


@lru_cache(maxsize=128)
def _held(text: str) -> _Source:
    words = set(WORD.findall(text.lower()))
    parts = {part for word in words if not word.isalpha() for part in _PARTS.split(word) if part}
    stems = frozenset(map(stem, words | parts))
    return _Source(_numbers(text, words), stems, "\n".join(["", *stems]))


def _numbers(text: str, words: Iterable[str]) -> frozenset[str]:
    """Return the numbers of a text, of which `words` are the words in lower case, as digits."""
    return frozenset([*digits(text), *(NUMERALS[word] for word in words if word in NUMERALS)])


def _both(one: _Source, other: _Source) -> _Source:
    return _Source(one.numbers | other.numbers, one.stems | other.stems, one.listed + other.listed)


def _content(words: Iterable[str], held: _Source) -> tuple[int, int]:
    """Return how many of an answer's words that carry meaning occur, and how many there are."""
    content = [word for word in map(str.lower, words) if word not in STOP_WORDS and word not in _YES_NO]
    return sum(word in NUMERALS or _occurs(word, held) for word in content), len(content)


def _joined(word: str, *sources: str) -> bool:
    return any(word.lower() in "".join(source.lower().split()) for source in sources)


def _occurs(word: str, held: _Source) -> bool:
    """Return whether a word, its root of five or six letters, or all parts of a compound occur."""
    root = stem(word)
    if root in held.stems:
        return True
    parts = _PARTS.split(word)
    if len(parts) > 1 and all(not part or part in STOP_WORDS or stem(part) in held.stems for part in parts):
        return True
    return len(root) >= 5 and f"\n{root[:6]}" in held.listed


def _names(answer: str, source: str) -> list[str]:
    """Return the capitalised words of an answer that do not begin a sentence, in lower case."""
    names: list[tuple[str, int, int]] = []
    for match in WORD.finditer(answer):
        word = match.group()
        if word[0].isupper() and len(word) > 1:
            before = answer[: match.start()].rstrip(" \t\n\"'“‘(*_`")
            if before and before[-1] not in ".!?:;•-":
                names.append((word.lower(), match.start(), match.end()))
    if names and language_of(source) == "de":
        rows = [(one, other) for one, other in itertools.pairwise(names) if answer[one[2] : other[1]] == " "]
        names = list(dict.fromkeys(name for row in rows for name in row))
    return [name for name, _, _ in names if name not in STOP_WORDS]


def _unsupported_wide(answer: str, source: str, least: float) -> str:
    """Look up the answer's pairs of letters, for scripts that put no spaces between words."""
    lower = source.lower()
    numbers = _numbers(source, WORD.findall(lower)) | {NUMERALS[word] for word in _WIDE_NUMERALS if word in source}
    if odd := [number for number in digits(answer) if number not in numbers]:
        return f"the number {odd[0]} is not in the passage"
    if odd := [word for word in _LATIN.findall(answer) if word.lower() not in lower]:
        return f"the name {odd[0]} is not in the passage"
    found, pairs = _letter_pairs(answer, source)
    return "" if found >= least * pairs else f"{pairs - found} of {pairs} letter pairs are not there"


def _letter_pairs(answer: str, source: str) -> tuple[int, int]:
    """Return how many of an answer's pairs of neighbouring letters occur, and how many there are."""
    pairs = ["".join(pair) for pair in itertools.pairwise(filter(str.isalnum, answer))]
    given = "".join(filter(str.isalnum, source))
    return sum(pair in given for pair in pairs), len(pairs)
