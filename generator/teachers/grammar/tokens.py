"""Tokens of a plain sentence, each with a tag from closed word lists, and the forms it may have as a verb."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from doceo.text import words as w
from doceo.text.verbs import FORMS
from doceo.text.words import closed
from generator.teachers.grammar.plain import Plain
from generator.teachers.grammar.terms import Terms

Tag = Literal[
    "DET",
    "QUANT",
    "DEM",
    "POSS",
    "PRON",
    "PREP",
    "TO",
    "MODAL",
    "BE",
    "HAVE",
    "DO",
    "SUB",
    "REL",
    "CONJ",
    "NUM",
    "ADV",
    "NEG",
    "PUNCT",
    "CODE",
    "NAME",
    "NOM",
]

_TOKEN = re.compile(
    r"[“\"][^“”\"]{1,60}[”\"]|[$€£]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?(?!\w)|"
    r"[\w./~$%@:+#=&*-]*[\w/%$+#*](?:['’]\w+)?|['’]s\b|\.\.\.|—|–|[^\w\s]"
)
_NUMBER = re.compile(r"[-+±~$€£]?\d[\d,.]*(?:%|st|nd|rd|th)?")
_CODE_LIKE = re.compile(r"[/_@=+#$~*]|\w[.:]\w|^-")
_SLASHED = re.compile(r"\w+/\w+")
_LISTS: tuple[tuple[Tag, frozenset[str]], ...] = (
    ("NEG", frozenset({"not", "never", "n't"})),
    ("DET", w.DETERMINERS),
    ("DEM", w.DEMONSTRATIVES),
    ("POSS", w.POSSESSIVES),
    ("MODAL", w.MODALS),
    ("BE", w.BE),
    ("HAVE", w.HAVE),
    ("DO", w.DO),
    ("QUANT", w.QUANTIFIERS),
    ("TO", frozenset({"to"})),
    (
        "SUB",
        frozenset(
            {
                "because",
                "although",
                "though",
                "while",
                "whereas",
                "if",
                "unless",
                "when",
                "whenever",
                "where",
                "wherever",
                "whether",
                "until",
                "once",
                "how",
                "why",
                "what",
                "so",
            }
        ),
    ),
    ("REL", frozenset({"which", "who", "whom", "whose"})),
    ("CONJ", w.CONJUNCTIONS),
    ("PRON", w.PRONOUNS),
    ("PREP", w.PREPOSITIONS),
    ("NUM", w.NUMERALS),
    ("ADV", w.ADVERBS),
)
_CLOSED: dict[str, Tag] = {}
for _tag, _list in _LISTS:
    for _word in _list:
        _CLOSED.setdefault(_word, _tag)
_NOT_ADVERBS = closed(
    "family supply reply assembly anomaly early only daily weekly monthly yearly friendly likely apply multiply "
    "rely imply comply fly july italy"
)


class Token(NamedTuple):
    """One token: its text, where it stands in the sentence, its lower-case form, its tag."""

    text: str
    start: int
    end: int
    lower: str
    tag: Tag

    def has_form(self, *forms: str) -> bool:
        """Tell whether the token may be one of these forms of a listed verb."""
        return self.tag in ("NOM", "PREP", "SUB", "NUM") and any(form in forms for _, form in FORMS.get(self.lower, ()))

    @property
    def nominal(self) -> bool:
        """Whether the token can stand inside a noun phrase as noun, adjective, name, code or number."""
        return self.tag in ("NOM", "NAME", "CODE", "NUM")


def tokens(sentence: Plain, terms: Terms) -> list[Token]:
    """Return the tokens of a plain sentence in order; a piece of code is one token."""
    found: list[Token] = []
    text = sentence.text
    at = 0
    for start, end in (*sentence.code, (len(text), len(text))):
        for match in _TOKEN.finditer(text, at, start):
            found.extend(_split(match, terms, first=not found))
        if end > start:
            found.append(Token(text[start:end], start, end, text[start:end].lower(), "CODE"))
        at = end
    return found


def _split(match: re.Match[str], terms: Terms, *, first: bool) -> list[Token]:
    text, start = match.group(), match.start()
    if text.isalpha():
        return [Token(text, start, match.end(), text.lower(), _tag_of_word(text, terms, first=first))]
    trimmed = text.rstrip(".:=*") if len(text) > 1 and text[0] not in '"“' and text != "..." else text
    if not trimmed:
        trimmed = text
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", trimmed):
        trimmed = text[: len(trimmed) + 1]
    made = [
        Token(
            trimmed,
            start,
            start + len(trimmed),
            trimmed.lower().replace("’", "'"),
            _tag_of(trimmed, terms, first=first),
        )
    ]
    for offset, char in enumerate(text[len(trimmed) :], start + len(trimmed)):
        made.append(Token(char, offset, offset + 1, char, "PUNCT"))
    return made


def _tag_of(text: str, terms: Terms, *, first: bool) -> Tag:
    if text.isalpha():
        return _tag_of_word(text, terms, first=first)
    lower = text.lower().replace("’", "'")
    if text[0] in '"“':
        return "NAME"
    if not any(char.isalnum() for char in text):
        return "CODE" if len(text) > 2 and text != "..." else "PUNCT"
    if _NUMBER.fullmatch(text):
        return "NUM"
    if "n't" in lower:
        return "MODAL"
    if _CODE_LIKE.search(text) and not _SLASHED.fullmatch(text):
        return "CODE"
    return _tag_of_word(text, terms, first=first)


def _tag_of_word(text: str, terms: Terms, *, first: bool) -> Tag:
    lower = text.lower()
    closed = _CLOSED.get(lower)
    if closed and len(text) > 1 and text.isupper():
        return "NAME"
    if closed and (first or text[0].islower() or len(text) == 1 or closed not in ("MODAL", "NUM")):
        return closed
    if lower.endswith("ly") and len(lower) > 4 and lower not in _NOT_ADVERBS and (first or text[0].islower()):
        return "ADV"
    if text[0].isupper() and (not first or terms.is_name(text)):
        return "NAME"
    return "NOM"
