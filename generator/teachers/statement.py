"""One sentence, read: what the patterns work on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from doceo.core.records import Difficulty, Kind
from doceo.text.figures import YEAR
from doceo.text.verbs import VERBS
from doceo.text.words import closed
from generator.teachers.grammar.clause import Clause, parse
from generator.teachers.grammar.plain import Plain
from generator.teachers.grammar.segments import Segment, segments
from generator.teachers.grammar.standing import phrase_standing
from generator.teachers.grammar.terms import Terms
from generator.teachers.grammar.tokens import Token, tokens

_BREAKS = ("sub", "rel", "and", "colon", "tail")
MONTH = re.compile(r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b")
"""A month by its name."""
_SPOKEN = re.compile(r"[,!?][”\"]\s(?!and\b)|\A[“\"][^”\"]*\Z")
_JOINS = closed("and but while whereas")
_LINKING = closed("also then later eventually subsequently finally soon thus therefore however still")
_FREE = closed("however meanwhile although though while whereas despite following today later nowadays therefore thus")
_FREE_PAIRS = ("in addition", "as a", "in contrast", "in particular", "as such", "in fact", "in general", "for this")
SETTING = ("in", "on", "at", "during", "since", "until", "after", "before", "by")
"""Prepositions that open a time or a place."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question with its answer, before the checks. `pattern` names the rule, `score` (0 to 1) ranks it."""

    question: str
    answer: str
    kind: Kind
    difficulty: Difficulty
    score: float
    pattern: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence whose clause is understood.

    `standing` says how well its subject stands alone; `segments` are what follows its verbs.
    """

    plain: Plain
    clause: Clause
    segments: Sequence[Segment]
    standing: float
    terms: Terms

    @property
    def weight(self) -> float:
        """What a pattern's score is multiplied with for how well the subject stands alone."""
        return 0.6 + 0.4 * self.standing

    @property
    def sentence(self) -> str:
        """The whole sentence in plain text, with a full stop."""
        text = self.plain.text.rstrip(" :;,")
        return text if text[-1:] in ".!?" or text[-2:-1] in ".!?" else text + "."

    @property
    def subject(self) -> str:
        """The subject as it stands inside a question."""
        phrase = self.clause.subject
        return self.lowered(self.clause.without(phrase.start, phrase.end, phrase.cut), self.clause.tokens[phrase.start])

    @property
    def head(self) -> Token:
        """The head noun of the subject."""
        return self.clause.tokens[self.clause.subject.head]

    @property
    def core(self) -> Sequence[Segment]:
        """The segments before the first dependent or further clause."""
        for n, segment in enumerate(self.segments):
            if segment.kind in _BREAKS:
                return self.segments[:n]
        return self.segments

    @property
    def breaks(self) -> Sequence[Segment]:
        """The segments from the first dependent or further clause on."""
        return self.segments[len(self.core) :]

    @property
    def intro(self) -> str:
        """The opening phrase, or nothing."""
        return self.clause.span(*self.clause.intro)

    @property
    def name(self) -> str:
        """The subject as it stands, remarks left out."""
        phrase = self.clause.subject
        return tidy(self.clause.without(phrase.start, phrase.end, phrase.cut))

    @property
    def setting(self) -> str:
        """The opening phrase as it can end a question, such as "in 1974"; nothing where it says no time or place."""
        start, end = self.clause.intro
        first = self.clause.tokens[start]
        if not end or first.lower not in SETTING:
            return ""
        end = next((i for i in range(start, end) if self._parts(i)), end)
        named = any(t.tag == "NAME" or t.text[:4].isdigit() for t in self.clause.tokens[start + 1 : end])
        text = self.clause.span(start, end)
        if MONTH.search(text) and not YEAR.search(text):
            return ""
        return text[:1].lower() + text[1:] if named and len(text.split()) <= 8 else ""

    @property
    def opens_freely(self) -> bool:
        """Whether a question may leave the opening phrase out, or take it along: it sets no condition."""
        start, end = self.clause.intro
        if not end or self.setting:
            return True
        first = self.clause.tokens[start]
        if first.tag == "ADV" or first.lower in _FREE:
            return True
        return " ".join(self.intro.lower().split()[:2]) in _FREE_PAIRS and end - start < 5

    def _parts(self, comma: int) -> bool:
        """Tell whether a comma parts two opening phrases, rather than the parts of a date."""
        tokens = self.clause.tokens
        return tokens[comma].text == "," and tokens[comma + 1].tag != "NUM"

    @property
    def is_topic(self) -> bool:
        """Whether a corpus says so much about a subject that one statement cannot be the whole answer."""
        phrase = self.clause.subject
        core = [t for t in self.clause.tokens[phrase.start : phrase.head + 1] if t.tag not in ("DET", "QUANT")]
        if len(core) < 2:
            return self.terms.count(self.head.lower) > (15 if self.head.tag == "NAME" else 60)
        return len(core) <= 3 and self.terms.together(core[-2].lower, core[-1].lower) > 15

    def of(self, *chosen: Segment) -> str:
        """Return the text of segments, joined."""
        parts = [self.clause.span(s.start, s.end).strip(" ,") for s in chosen]
        return " ".join(part for part in parts if part)

    def lowered(self, text: str, first: Token) -> str:
        """Return a text that begins with a token with a small letter, where that token is no name."""
        if first.tag in ("NAME", "CODE") or (first.text.isupper() and len(first.text) > 1):
            return text
        second = text.split(" ", 2)[1:2]
        if first.tag == "NOM" and second and second[0][:1].isupper():
            return text
        return text[:1].lower() + text[1:]

    def ask(self, wh: str, *rest: Segment, drop_adverbs: bool = False, bare: bool = False) -> str:
        """Return the question that a question word, the inverted clause and some of its segments make.

        An opening date or place comes last, unless the question is `bare`.
        """
        clause = self.clause
        kept = [clause.tokens[i] for i in clause.middle if clause.tokens[i].lower not in _LINKING]
        middle = [token.text for token in kept if not (drop_adverbs and token.tag == "ADV")]
        aux = clause.tokens[clause.auxiliary].text if clause.auxiliary is not None else ""
        main = clause.tokens[clause.main].text if clause.main is not None else ""
        if aux == "cannot":
            aux, middle = "can", ["not", *middle]
        if clause.base == "have" and clause.main is None and clause.aux in ("has", "have", "had"):
            aux, main = {"has": "does", "have": "do", "had": "did"}[clause.aux], "have"
        elif not aux:
            aux, main = {"s": "does", "base": "do", "past": "did"}[clause.form], clause.base
        words = [wh, aux, self.subject, *middle, main, self.of(*rest), "" if bare else self.setting]
        return tidy(" ".join(word for word in words if word)) + "?"


def read(sentence: Plain, terms: Terms) -> Statement | None:
    """Return the statement that a plain sentence makes, or None where the rules are not sure of it."""
    if _SPOKEN.search(sentence.text):
        return None
    found = tokens(sentence, terms)
    if len(found) < 4:
        return None
    clause = parse(sentence.text, found)
    if clause is None or (clause.base not in VERBS and not clause.passive):
        return None
    if (clause.aux in ("is", "was", "has", "does") and clause.subject.plural) or (
        clause.aux in ("are", "were", "have", "do") and not clause.subject.plural
    ):
        return None
    if clause.auxiliary is None and clause.form == "s" and clause.subject.plural:
        return None
    return Statement(sentence, clause, segments(clause), phrase_standing(clause, clause.subject, terms), terms)


def further(statement: Statement) -> Plain | None:
    """Return the second main clause of a sentence, such as what follows ", and" or ";", where there is one."""
    clause = statement.clause
    opened = next((s for s in statement.breaks if s.kind in ("and", "tail", "sub")), None)
    if opened is None or (opened.kind == "sub" and opened.word not in ("while", "whereas", ",")):
        return None
    at, passed = opened.start, []
    while at < clause.end and (clause.tokens[at].text in (",", ";") or clause.tokens[at].lower in _JOINS):
        passed.append(clause.tokens[at].lower)
        at += 1
    joined = ";" in passed or ("," in passed and _JOINS & set(passed))
    if at + 4 > clause.end or not joined or clause.tokens[at].tag not in ("DET", "NAME"):
        return None
    start, text = clause.tokens[at].start, statement.plain.text
    code = tuple((begin - start, end - start) for begin, end in statement.plain.code if begin >= start)
    return Plain(text[start:], code, ())


def tidy(text: str) -> str:
    """Return a text with single spaces and none before a mark."""
    text = " ".join(text.split()).strip(" ,;:")
    for mark in (",", ".", "'s", "’s", ")"):
        text = text.replace(f" {mark} ", f"{mark} ") if mark != ")" else text.replace(" )", ")")
    return text.replace("( ", "(")


def capital(text: str) -> str:
    """Return a text with a capital first letter, unless its first word is no ordinary word."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.strip(",;").isalpha() and first.islower() else text


def unquoted(text: str) -> str:
    """Return a text without the quotation marks around the whole of it."""
    return (
        text[1:-1]
        if len(text) > 2 and text[0] in '"“' and text[-1] in '"”' and not set(text[1:-1]) & set('"“”')
        else text
    )


def full(text: str) -> str:
    """Return a text as a sentence: a capital first letter and a full stop."""
    text = capital(tidy(text))
    return text if text.endswith((".", "!", "?", '."', ".”", ".)")) else text + "."
