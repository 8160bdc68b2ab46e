"""Whether two answers to one question agree, as far as that can be told without a model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache
from itertools import chain

from doceo.text.words import STOP_WORDS, WORD, stem
from generator.languages import SMALL_WORDS, WIDE
from generator.support import NUMERALS

NO_ANSWER = "NO ANSWER"
"""What a model replies that finds no answer, in any language."""
_NO_ANSWER = re.compile(r"[\s\"'“*_`(]*no[ _]answer\b", re.IGNORECASE)
_ARTICLES = frozenset({"a", "an", "the", "der", "die", "das", "le", "la", "les", "el", "los", "las"})
_NEGATION = re.compile(
    r"\b(?:not?|never|none|nor|without|cannot|nicht|kein\w*|nie|ohne|pas|jamais|sans|nunca|sin)\b|n['’]t\b|[不没無未非]",
    re.IGNORECASE,
)
_YES = re.compile(r"^(?:yes|ja|oui|sí|是的?|对|会|可以|有)(?![\w])", re.IGNORECASE)
_NO = re.compile(r"^(?:no|nein|non|不是?|否|没有|不会|不可以)(?![\w])", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+\Z")
_UNITS = {
    "percent": "%", "prozent": "%", "pourcent": "%", "kilometre": "km", "kilometer": "km", "metre": "m", "meter": "m",
    "kilogram": "kg", "gram": "g", "dollar": "$", "usd": "$", "euro": "€", "eur": "€", "pound": "£", "degree": "°",
    "january": "1", "february": "2", "march": "3", "april": "4", "june": "6", "july": "7", "august": "8",
    "september": "9", "october": "10", "november": "11", "december": "12",
}  # fmt: skip
_WORD_OR_SIGN = re.compile(r"[%$€£°]|(?<!\w)\d+(?:[.,:]\d+)+(?!\w)|" + WORD.pattern)
_PARTS = re.compile(r"\d+(?:[.,:]\d+)*|[^\d]+")
_WIDE_PARTS = re.compile(r"\d+(?:[.,]\d+)*|[a-z]+|[^\W_]")
_MARKS = "-._'’"
_SHORT = 5
_ROOT = 6
_EMPTY = STOP_WORDS | SMALL_WORDS


class Agreement(Enum):
    """What a comparison by rule says."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "unclear"


def is_no_answer(reply: str) -> bool:
    """Return whether a reply says that there is no answer."""
    return _NO_ANSWER.match(reply) is not None


def agree(question: str, expected: str, given: str, least: float = 0.5) -> Agreement:
    """Compare two answers.

    They are the same where they are equal after normalising (case, articles, punctuation, written numbers, units), or
    where all figures agree and the words that the question does not hold overlap: token F1 of at least `least`
    (Rajpurkar et al. 2016), or a short answer is in the other whole. They are different where one is no answer, or
    one says yes and the other no. All else is unclear and for a model to say: other figures (which may be the same in
    another unit), a negation in one alone, too few words in common.

    Args:
        question: The question; what it holds already tells nothing.
        expected: The pair's answer.
        given: The answer that it is compared with.
        least: Least token F1, 0 to 1.
    """
    if is_no_answer(given) or not given.strip():
        return Agreement.DIFFERENT
    truth = _truth(expected), _truth(given)
    if None not in truth and truth[0] != truth[1]:
        return Agreement.DIFFERENT
    first, second = tokens(expected), tokens(given)
    if first == second:
        return Agreement.SAME
    negated = len(_NEGATION.findall(expected)) != len(_NEGATION.findall(given))
    if _figures(first) != _figures(second) or (negated and None in truth):
        return _contained(question, first, second) if not negated else Agreement.UNCLEAR
    if None not in truth:
        return Agreement.SAME
    new_first, new_second = _new(first, question), _new(second, question)
    if token_f1(new_first, new_second) >= least or _inside(new_first, new_second):
        return Agreement.SAME
    return Agreement.UNCLEAR


def overlap(question: str, expected: str, given: str) -> float | None:
    """Return the token F1 by which two answers that agree were found to, 0 to 1.

    None where another rule found it, so that the line of `agree` has no say.
    """
    first, second = tokens(expected), tokens(given)
    new_first, new_second = _new(first, question), _new(second, question)
    if first == second or _figures(first) != _figures(second) or _inside(new_first, new_second):
        return None
    return token_f1(new_first, new_second) if None in (_truth(expected), _truth(given)) else None


def tokens(text: str) -> list[str]:
    """Return the normalised words, numbers and unit signs of an answer; letters where a script has no spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    of_word = _wide_tokens if WIDE.search(folded) else _word_tokens
    return list(chain.from_iterable(map(of_word, _WORD_OR_SIGN.findall(folded))))


def roots(text: str) -> frozenset[str]:
    """Return the first six letters of the tokens of a text that carry meaning, for seeing what two texts share."""
    return frozenset(token[:_ROOT] for token in set(tokens(text)) - _EMPTY)


def token_f1(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the F1 of two bags of tokens, 0 to 1; two empty ones are equal."""
    if not first or not second:
        return float(first == second)
    common = (Counter(first) & Counter(second)).total()
    return 2 * common / (len(first) + len(second))


def _wide_tokens(word: str) -> Iterable[str]:
    return map(_number, _WIDE_PARTS.findall(word)) if WIDE.search(word) else _word_tokens(word)


@lru_cache(maxsize=32768)
def _word_tokens(word: str) -> tuple[str, ...]:
    """Return the tokens of a word between spaces: parts of letters and parts of digits; none of an article."""
    parts = [] if word in _ARTICLES else _PARTS.findall(word)
    found = [_number(part) if part[0].isdecimal() else _plain(part) for part in parts]
    return tuple(token for token in found if token.strip(_MARKS))


def _plain(word: str) -> str:
    word = word.strip(_MARKS)
    if word in NUMERALS:
        return NUMERALS[word]
    bare = stem(word)
    return _UNITS.get(word) or _UNITS.get(bare) or _UNITS.get(bare + "e") or bare


def _number(token: str) -> str:
    if not token[:1].isdigit():
        return token
    if _GROUPED.match(token):
        return re.sub(r"[.,]", "", token)
    bare = token.replace(",", ".")
    return bare.lstrip("0") or "0"


def _figures(found: Sequence[str]) -> Counter[str]:
    return Counter(dict.fromkeys((token for token in found if _NUMBER.match(token)), 1))


def _contained(question: str, first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Decide where figures differ: the same if the second has all of the first's, adds others, and the words agree."""
    extra = _figures(second) - _figures(first)
    missing = _figures(first) - _figures(second)
    if missing or not extra:
        return Agreement.UNCLEAR
    return Agreement.SAME if _inside(_new(first, question), second) else Agreement.UNCLEAR


def _new(found: Sequence[str], question: str) -> list[str]:
    """Return the tokens that carry meaning and are not in the question; all of them where nothing is left."""
    asked = set(tokens(question))
    new = [token for token in found if token not in asked and token not in _EMPTY]
    return new or list(found)


def _inside(first: Sequence[str], second: Sequence[str]) -> bool:
    """Return whether a short answer is in the other whole."""
    return 0 < len(first) <= _SHORT and not Counter(first) - Counter(second)


def _truth(answer: str) -> bool | None:
    """Return whether an answer begins with yes or no, None where with neither."""
    bare = answer.strip().lstrip("\"'“")
    return True if _YES.match(bare) else False if _NO.match(bare) else None
