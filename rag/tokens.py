"""The words of a sentence with the part that each plays in it: by closed word lists, form, and the word before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from doceo.text.verbs import FORMS
from doceo.text.words import (
    ADVERBS,
    AUXILIARIES,
    CONJUNCTIONS,
    DEMONSTRATIVES,
    DETERMINERS,
    NUMERALS,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    QUANTIFIERS,
    QUESTION_WORDS,
    RELATIVES,
    SUBORDINATORS,
    closed,
)

Part = Literal[
    "name", "number", "noun", "past", "finite", "verb", "ing", "adverb", "determiner", "quantifier", "preposition",
    "of", "to", "auxiliary", "pronoun", "relative", "conjunction", "possessive", "comma", "bracket", "quote", "dash",
    "stop", "sign",
]  # fmt: skip
"""`name` is any capitalised word, `noun` any other word of content that is no verb here, adjectives among them.

`finite` is a verb that stands behind its subject, `verb` one behind "to" or an auxiliary; `past` and `ing` go by their
form; `possessive` is 's.
"""

_TOKEN = re.compile(
    r"[$€£¥]?\d+(?:[.,]\d+)*(?:st|nd|rd|th|s)?%?(?![^\W_])|"
    r"[^\W_]+(?:['’](?!s\b)[^\W_]+|[._/-][^\W_]+)*|['’]s\b|[^\w\s]|_"
)
_SIGNS: dict[str, Part] = {
    **dict.fromkeys(",;:", "comma"), **dict.fromkeys("()[]", "bracket"), **dict.fromkeys('"“”«»', "quote"),
    **dict.fromkeys("-–—", "dash"), **dict.fromkeys(".!?…", "stop"), "'s": "possessive", "’s": "possessive",
}  # fmt: skip
_LISTS: tuple[tuple[Part, frozenset[str]], ...] = (
    ("adverb", ADVERBS),
    ("determiner", DETERMINERS | DEMONSTRATIVES | POSSESSIVES),
    ("quantifier", QUANTIFIERS | {"none"}),
    ("pronoun", PRONOUNS - {"none"}),
    ("preposition", PREPOSITIONS | {"than"}),
    ("relative", SUBORDINATORS | RELATIVES | QUESTION_WORDS | {"that"}),
    ("conjunction", CONJUNCTIONS),
    ("number", NUMERALS),
    ("auxiliary", AUXILIARIES | {"been", "be", "being", "not"}),
    ("to", closed("to")),
    ("of", closed("of")),
    ("preposition", closed("as")),
)
_PARTS: dict[str, Part] = {word: part for part, words in _LISTS for word in words}
_ALSO_NAMES = closed("may will")
_SUBJECTS = frozenset({"name", "noun", "number", "pronoun", "relative", "adverb", "bracket"})
_OBJECTS = frozenset({"determiner", "pronoun", "relative", "quantifier"})
_BEFORE_NOUNS = frozenset({"determiner", "quantifier", "of", "possessive", "number", "preposition"})


@dataclass(frozen=True, slots=True)
class Token:
    """The characters `start` to `end` of a sentence, in lower case with plain apostrophes in `lower`."""

    start: int
    end: int
    lower: str
    part: Part
    is_word: bool


def tokens(sentence: str) -> list[Token]:
    """Return the words and signs of a sentence in order."""
    found = [(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(sentence)]
    lowers = [text.lower().replace("’", "'") for _, _, text in found]
    guesses = [_guess(text, lower) for (_, _, text), lower in zip(found, lowers, strict=True)]
    result: list[Token] = []
    for at, ((start, end, text), lower, guess) in enumerate(zip(found, lowers, guesses, strict=True)):
        before = result[-1].part if result else "stop"
        after = guesses[at + 1] if at + 1 < len(guesses) else "stop"
        part = _settled(text, lower, guess, before, after)
        result.append(Token(start, end, lower, part, part != "possessive" and (text[-1].isalnum() or text[-1] == "%")))
    return result


def _guess(text: str, lower: str) -> Part:
    if text in _SIGNS:
        return _SIGNS[text]
    if not (text[-1].isalnum() or (text[-1] == "%" and len(text) > 1)):
        return "sign"
    if any(letter.isdigit() for letter in text):
        return "number"
    if lower in _PARTS:
        return _PARTS[lower]
    if text[0].isupper():
        return "name"
    if lower.endswith("ly") and len(lower) > 4:
        return "adverb"
    forms = {form for _, form in FORMS.get(lower, ())}
    if "ing" in forms or (lower.endswith("ing") and len(lower) > 5 and not forms):
        return "ing"
    if forms & {"past", "participle"} and "base" not in forms or (lower.endswith("ed") and len(lower) > 4):
        return "past"
    return "verb" if forms else "noun"


def _settled(text: str, lower: str, guess: Part, before: Part, after: Part) -> Part:
    """Return the part of a word among its neighbours."""
    if text[0].isupper() and guess in _PARTS.values():
        # "Doctor Who", "May 1756": not at the beginning of a sentence, where every word is capitalised
        inside = before not in ("stop", "quote")
        return "name" if before == "name" or (inside and (after == "name" or lower in _ALSO_NAMES)) else guess
    if guess in ("past", "ing", "adverb") and before in ("determiner", "of", "possessive") and lower[-2:] != "ly":
        return "noun"
    if guess != "verb":
        return guess
    if before in ("to", "auxiliary"):
        return "verb"
    if before in _BEFORE_NOUNS - {"number"}:
        return "noun"
    is_s = any(form == "s" for _, form in FORMS.get(lower, ()))
    if before in ("pronoun", "relative", "adverb") or (before in _SUBJECTS and (after in _OBJECTS or (is_s and before == "name"))):
        return "finite"
    return "noun"
