"""What kind of thing a question asks for, by its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from doceo.text.verbs import FORMS
from doceo.text.words import BE, DO, HAVE, MODALS, closed, is_plural
from rag.tokens import Token, tokens

Asked = Literal[
    "date", "year", "number", "quantity", "percent", "money", "person", "place", "reason", "manner", "definition",
    "boolean", "thing",
]  # fmt: skip

Role = Literal["subject", "object", "copula", "other"]

_WH = r"(?:what|which|who|whom|whose|when|where|why|how)"
_LEADS = (
    r"(?:and|so|but|or|in|at|on|by|from|of|to|for|with|under|during|since|until|through|about|into|between|against|"
    r"within|after|before|as|over|around|starting|beginning|exactly|approximately|near)"
)
_AT_START = re.compile(rf"\W*(?:{_LEADS}\s+)*({_WH})\b", re.I)
_AFTER_CLAUSE = re.compile(rf",\s+(?:{_LEADS}\s+)*({_WH})\b", re.I)
_ANYWHERE = re.compile(rf"\b{_WH}\b", re.I)
_AT_END = re.compile(rf"\b({_WH})(?:\s+[\w'-]+){{0,3}}\s*\W*$", re.I)
_SUBORDINATE = closed("when where how")
_BOOLEAN = re.compile(rf"\W*(?:{'|'.join(sorted(BE | DO | HAVE | MODALS))})\b", re.I)
_PATTERNS: tuple[tuple[Asked, str], ...] = (
    ("date", r"how long ago\b|when\b"),
    ("money", r"how much\s+(?:\w+\s+){0,2}(?:money|cost|pay|paid|spen[dt]|worth|charge)"),
    ("money", r"how much (?:do|does|did|is|was|were|would|will)\b.*\b(?:cost|pay|earn|worth|spend|sell|charge)\b"),
    ("money", r"what\b.*\b(?:price|salary|cost|fee)\b"),
    ("quantity", r"how (?:long|old|far|tall|high|deep|wide|large|big|small|fast|quickly|heavy|hot|cold|often|late)\b"),
    ("number", r"how\s+(?:many|much|few)\b"),
    ("person", r"who(?:m|se)?\b"),
    ("place", r"where\b"),
    ("reason", r"why\b|how come\b|what\b(?:\s+\w+){0,4}\s+caused?\b"),
    ("reason", r"what (?:is|are|was|were) the (?:\w+ )?(?:causes?|reasons?)\b"),
    ("manner", r"how\b"),
    ("definition", r"what (?:is|are|was|were) (?:an? |the )?[\w-]+(?: [\w-]+){0,3}\W*$"),
    ("definition", r"what does [\w -]+ (?:mean|stand for)\W*$"),
)
_RULES = tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _PATTERNS)
_NOUNS: tuple[tuple[Asked, str], ...] = (
    ("year", "year years decade decades"),
    ("date", "date dates day month century season time times"),
    ("percent", "percent percentage share fraction proportion"),
    ("money", "price prices salary cost costs fee fees budget revenue income wage"),
    ("number", "number numbers amount quantity total population enrollment count score"),
    ("quantity", "speed height length distance size weight temperature width area depth age duration altitude"),
    ("person", "person people man woman king queen president author leader actor actress singer emperor writer"),
    ("person", "director philosopher scientist physicist mathematician general minister historian economist"),
    ("person", "producer composer founder chairman engineer professor alumnus astronaut inventor"),
    ("person", "poet ruler governor mayor pope"),
    ("place", "city cities country countries state states town towns place places continent continents county"),
    ("place", "province location locations street nation nations island district region regions village neighborhood"),
    ("reason", "reason reasons cause causes"),
)  # fmt: skip
_BY_NOUN = {noun: kind for kind, nouns in _NOUNS for noun in nouns.split()}
_FIGURES = frozenset({"percent", "money", "number", "quantity"})
_HOLLOW = closed("type types kind kinds sort sorts form forms name names")
"""Nouns of which the one behind "of" says more."""
_HELPERS = DO | MODALS | HAVE
_VERBS = frozenset({"past", "finite", "verb", "ing"})
_LONGEST_HEAD = 4
_ENDS_HEAD = frozenset(
    {"auxiliary", "preposition", "of", "to", "finite", "past", "verb", "relative", "pronoun", "determiner"}
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks for, its question word and the noun beside that ("which *river* ..."), its role, its verb.

    The word is empty where there is none, as in other languages. The role is the question word's: `subject` ("What
    burns oil?"), `object` ("What does the lamp burn?"), `copula` ("What is the lamp?"); it says on which side of the
    verb the answer stands. `verb` is the last verb, or nothing; `plural` says that the noun asks for several.
    """

    asked: Asked
    word: str = ""
    head: str = ""
    role: Role = "other"
    verb: str = ""
    plural: bool = False


def understand(question: str) -> Question:
    """Return what a question asks for, going by the question word that governs it."""
    at = _question_word(question)
    if at is None:
        return Question("boolean" if _BOOLEAN.match(question) else _imperative(question), verb=_verb(tokens(question)))
    rest = question[at:]
    words = [token for token in tokens(rest) if token.is_word]
    head, end = _head(words)
    noun = head[-1] if head else _predicate(words)
    role = _role(words, end)
    verb = _verb(words[end:]) or (words[end].lower if role == "subject" else "")
    return Question(
        _asked(rest, head, noun), words[0].lower, " ".join(head), role, verb, bool(noun) and is_plural(noun)
    )


def _question_word(question: str) -> int | None:
    """Return where the question word that governs stands: at the start, else at the end, else the first."""
    start = _AT_START.match(question)
    if start:
        inner = _AFTER_CLAUSE.search(question) if start[1].lower() in _SUBORDINATE else None
        return inner.start(1) if inner else start.start(1)
    if _BOOLEAN.match(question):
        return None
    end = _AT_END.search(question)
    anywhere = _ANYWHERE.search(question)
    return end.start(1) if end else anywhere.start() if anywhere else None


def _imperative(question: str) -> Asked:
    return "definition" if re.match(r"\W*(?:define|explain)\b", question, re.I) else "thing"


def _asked(rest: str, head: list[str], noun: str) -> Asked:
    first = rest.split(maxsplit=1)[0].lower()
    if first in ("what", "which"):
        kind = _BY_NOUN.get(noun)
        if kind is not None and (head or kind in _FIGURES or kind == "year"):
            return kind
    return next((kind for kind, pattern in _RULES if pattern.match(rest)), "thing")


def _head(words: list[Token]) -> tuple[list[str], int]:
    """Return the words of the noun phrase beside what, which, whose, how many, how much, and where it ends."""
    begin = 2 if len(words) > 1 and words[0].lower == "how" and words[1].lower in ("many", "much", "few") else 1
    if begin == 1 and words[0].lower not in ("what", "which", "whose"):
        return [], 1
    found: list[str] = []
    for at in range(begin, len(words)):
        word, behind = words[at], words[at + 1].part if at + 1 < len(words) else "auxiliary"
        is_noun = at == begin and word.part == "finite" and (_is_form(word, "base") or behind in ("auxiliary", "of"))
        ends = word.part in _ENDS_HEAD and not is_noun
        if word.part == "of" and found and found[-1] in _HOLLOW:
            found.clear()
        elif ends or len(found) == _LONGEST_HEAD or _is_its_verb(word, found, behind):
            return found, at
        else:
            found.append(word.lower)
    return found, len(words)


def _is_its_verb(word: Token, noun: list[str], behind: str) -> bool:
    """Say whether a word is the verb of the noun before it: "which courts apply", "which river flows"."""
    if not noun or behind in ("auxiliary", "of"):
        return False
    return _is_form(word, "base" if is_plural(noun[-1]) else "s")


def _is_form(word: Token, form: str) -> bool:
    return any(name == form for _, name in FORMS.get(word.lower, ()))


def _predicate(words: list[Token]) -> str:
    """Return the noun of "what is the population of ...", or nothing."""
    if len(words) < 3 or words[0].lower != "what" or words[1].lower not in BE or words[2].part != "determiner":
        return ""
    noun = ""
    for word in words[3:7]:
        if word.part in _ENDS_HEAD:
            break
        noun = word.lower
    return noun


def _role(words: list[Token], head: int) -> Role:
    if words[0].lower not in ("what", "which", "who", "whom", "whose") or head == len(words):
        return "other"
    verb = words[head].lower
    return "object" if verb in _HELPERS else "copula" if verb in BE else "subject"


def _verb(words: list[Token]) -> str:
    """Return the last word that is a verb; behind "did" and "can" one in base form, whatever it looks like."""
    for before, word in reversed(list(pairwise(words))):
        helped = any(other.lower in _HELPERS for other in words)
        if word.part in _VERBS or (helped and before.part in ("noun", "name") and _is_form(word, "base")):
            return word.lower
    return words[0].lower if words and words[0].part in _VERBS else ""
