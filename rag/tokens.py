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
    is_plural,
)

Part = Literal[
    "name", "number", "noun", "past", "finite", "verb", "ing", "adverb", "determiner", "quantifier", "preposition",
    "of", "to", "auxiliary", "pronoun", "relative", "conjunction", "possessive", "comma", "colon", "bracket", "quote",
    "dash", "stop", "sign",
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
    **dict.fromkeys(",;", "comma"), ":": "colon", **dict.fromkeys("()[]", "bracket"), **dict.fromkeys('"“”«»', "quote"),
    **dict.fromkeys("-–—", "dash"), **dict.fromkeys(".!?…", "stop"), "'s": "possessive", "’s": "possessive",
}  # fmt: skip
_LISTS: tuple[tuple[Part, frozenset[str]], ...] = (
    ("adverb", ADVERBS | closed("nonetheless nevertheless meanwhile alone further furthermore altogether")),
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
_SUBJECTS = frozenset({"name", "noun", "number", "bracket"})
_OBJECTS = frozenset({"determiner", "pronoun", "relative", "quantifier"})
_BEFORE_NOUNS = frozenset({"determiner", "quantifier", "of", "possessive", "preposition"})


@dataclass(frozen=True, slots=True)
class Token:
    """The characters `start` to `end` of a sentence, in lower case with plain apostrophes in `lower`."""

    start: int
    end: int
    lower: str
    part: Part
    is_word: bool


_START = Token(0, 0, "", "stop", is_word=False)


def tokens(sentence: str) -> list[Token]:
    """Return the words and signs of a sentence in order."""
    found = [(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(sentence)]
    lowers = [text.lower().replace("’", "'") for _, _, text in found]
    guesses = [_guess(text, lower) for (_, _, text), lower in zip(found, lowers, strict=True)]
    result: list[Token] = []
    for (start, end, text), lower, guess, after in zip(found, lowers, guesses, [*guesses[1:], "stop"], strict=False):
        part = _settled(text, lower, guess, result[-1] if result else _START, after)
        result.append(Token(start, end, lower, part, part != "possessive" and (text[-1].isalnum() or text[-1] == "%")))
    return result


def _guess(text: str, lower: str) -> Part:
    """Return the part of a word by itself."""
    if text in _SIGNS:
        return _SIGNS[text]
    if not (text[-1].isalnum() or (text[-1] == "%" and len(text) > 1)):
        return "sign"
    if any(letter.isdigit() for letter in text):
        return "number"
    if lower in _PARTS:
        return _PARTS[lower]
    return "name" if text[0].isupper() else _by_form(lower)


def _by_form(lower: str) -> Part:
    if lower.endswith("ly") and len(lower) > 4:
        return "adverb"
    forms = _forms(lower)
    if "ing" in forms or (lower.endswith("ing") and len(lower) > 5 and not forms):
        return "ing"
    if (forms & {"past", "participle"} and "base" not in forms) or (lower.endswith("ed") and len(lower) > 4):
        return "past"
    return "verb" if forms else "noun"


def _settled(text: str, lower: str, guess: Part, before: Token, after: Part) -> Part:
    """Return the part of a word among its neighbours; those behind it are only guessed."""
    if text[0].isupper():
        return _capitalised(lower, guess, before, after)
    if guess in ("past", "ing", "adverb") and before.part in ("determiner", "of", "possessive"):
        return guess if lower.endswith("ly") else "noun"
    if guess != "verb":
        return guess
    if before.part in ("to", "auxiliary"):
        return "verb"
    if before.part in _BEFORE_NOUNS:
        return "noun"
    return "finite" if _is_finite(lower, before, after) else "noun"


def _capitalised(lower: str, guess: Part, before: Token, after: Part) -> Part:
    """Return the part of a capitalised word: at the beginning of a sentence it need not be a name."""
    begins = before.part in ("stop", "quote")
    if guess == "name":
        return "ing" if begins and "ing" in _forms(lower) else guess
    return "name" if before.part == "name" or (not begins and (after == "name" or lower in _ALSO_NAMES)) else guess


def _is_finite(lower: str, before: Token, after: Part) -> bool:
    """Say whether a word that may be a noun or a verb is the verb of the subject before it."""
    if before.part in ("pronoun", "relative", "adverb"):
        return True
    is_s = "s" in _forms(lower)
    if before.part not in _SUBJECTS:
        return False
    if before.part == "name" and is_s:
        return True
    return after in _OBJECTS or (after == "name" and (is_s or is_plural(before.lower)))


def _forms(lower: str) -> set[str]:
    return {form for _, form in FORMS.get(lower, ())}
