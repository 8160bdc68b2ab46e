"""Statements: an opening phrase, a subject, a group of verbs and what follows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from doceo.text.verbs import base_of
from doceo.text.words import closed
from generator.teachers.grammar.phrases import FINITE, NounPhrase, is_finite, subject_phrase
from generator.teachers.grammar.tokens import Token

_ASIDE = closed(
    "however therefore thus hence moreover furthermore also additionally consequently nevertheless finally following "
    "according due today meanwhile nowadays first second third since until once later instead similarly"
)
_DATED = closed("in on by during since until from around")


@dataclass(frozen=True, slots=True)
class Clause:
    """One parsed statement over the tokens of a sentence.

    Attributes:
        text: The sentence.
        tokens: Its tokens.
        intro: (start, end) of an opening phrase before a comma, or (0, 0).
        subject: The subject.
        auxiliary: Index of the first auxiliary, or None where the main verb is finite.
        middle: Token indices between auxiliary and main verb, in order (not, also, been).
        main: Index of the main verb, or None where `be` or `have` is the main verb.
        base: Base form of the main verb.
        form: Which form the main verb has: base, s, past, participle, ing; for `be` its own.
        passive: Whether the main verb is a participle after `be`.
        rest: Index of the first token after the verbs.
        end: Index after the last token, the final stop left out.
    """

    text: str
    tokens: Sequence[Token]
    intro: tuple[int, int]
    subject: NounPhrase
    auxiliary: int | None
    middle: tuple[int, ...]
    main: int | None
    base: str
    form: str
    passive: bool
    rest: int
    end: int

    @property
    def negated(self) -> bool:
        """Whether the verbs are negated."""
        return any(self.tokens[i].tag == "NEG" for i in self.middle) or self.aux == "cannot" or "n't" in self.aux

    @property
    def aux(self) -> str:
        """The first auxiliary in lower case, or nothing."""
        return "" if self.auxiliary is None else self.tokens[self.auxiliary].lower

    @property
    def copular(self) -> bool:
        """Whether `be` is the main verb."""
        return self.base == "be"

    @property
    def past(self) -> bool:
        """Whether the statement is told in the past."""
        return self.form == "past" if self.auxiliary is None else self.aux in ("was", "were", "had", "did")

    def span(self, start: int, end: int) -> str:
        """Return the text of the tokens `start` to `end`."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end] if end > start else ""

    def without(self, start: int, end: int, cut: Sequence[tuple[int, int]]) -> str:
        """Return the text of the tokens `start` to `end` less some ranges of them."""
        parts, at = [], start
        for cut_start, cut_end in sorted(cut):
            if start <= cut_start < end:
                parts.append(self.span(at, cut_start))
                at = cut_end
        parts.append(self.span(at, end))
        return " ".join(part for part in parts if part)


def parse(text: str, tokens: Sequence[Token], start: int = 0) -> Clause | None:
    """Return the statement that the tokens make from `start`, or None where no rule is sure of it."""
    end = len(tokens)
    while end > start and tokens[end - 1].text in (".", "!", ";", ":", ","):
        end -= 1
    if end - start < 3:
        return None
    body = tokens[:end]
    intro = _intro(body, start)
    subject = subject_phrase(body, intro[1] + (body[intro[1]].text == ",") if intro[1] else start)
    if subject is None:
        return None
    return _verbs(text, body, intro, subject, end)


def _intro(tokens: Sequence[Token], start: int) -> tuple[int, int]:
    """Return the range of an opening phrase, its comma excluded, or (0, 0). Two phrases in a row are one."""
    end = _opening(tokens, start)
    if not end:
        return (0, 0)
    after = end + (tokens[end].text == ",")
    if tokens[end].text == "," and (second := _opening(tokens, after)) and tokens[second].text == ",":
        end = second
    return (start, end)


def _opening(tokens: Sequence[Token], start: int) -> int:
    """Return the end of a phrase that opens a clause, its comma excluded, or 0."""
    first = tokens[start]
    if first.tag not in ("PREP", "SUB", "TO") and first.lower not in _ASIDE:
        after = tokens[start + 1] if start + 1 < len(tokens) else first
        return start + 1 if first.tag == "ADV" and (after.text == "," or after.tag in ("DET", "NAME")) else 0
    if first.tag == "ADV" and start + 1 < len(tokens) and tokens[start + 1].tag == "DET":
        return start + 1
    depth = 0
    for i in range(start, min(start + 25, len(tokens) - 2)):
        depth += {"(": 1, ")": -1}.get(tokens[i].text, 0)
        if tokens[i].text == "," and depth == 0 and not _in_list(tokens, i):
            return i
    return _dated(tokens, start)


def _dated(tokens: Sequence[Token], start: int) -> int:
    """Return the end of an opening date that no comma follows, as in "In 2010 the forest dried", or 0."""
    if tokens[start].lower not in _DATED:
        return 0
    for at in range(start + 1, min(start + 4, len(tokens) - 3)):
        token, after = tokens[at], tokens[at + 1]
        if re.fullmatch(r"(?:1\d|20)\d\ds?", token.text):
            named = after.tag == "NAME" and tokens[start].lower != "during"
            common = after.tag == "NOM" and after.text.islower()
            return at + 1 if named or common or after.tag in ("DET", "POSS") else 0
    return 0


def _in_list(tokens: Sequence[Token], comma: int) -> bool:
    """Tell whether a comma parts a list or a date rather than the opening phrase from its clause."""
    after = tokens[comma + 1]
    return (after.tag == "NUM" and tokens[comma - 1].tag in ("NUM", "NAME")) or after.lower in ("and", "or")


@dataclass(frozen=True, slots=True)
class _Group:
    """The helping verbs of a clause: the first, all that follow it, the last, and the token after them."""

    auxiliary: int
    middle: tuple[int, ...]
    last: Token
    at: int


def _verbs(text: str, tokens: Sequence[Token], intro: tuple[int, int], subject: NounPhrase, end: int) -> Clause | None:
    at = subject.end
    while at < end and tokens[at].tag in ("ADV", "NEG"):
        at += 1
    before = tuple(range(subject.end, at))
    outer = subject.plural if subject.end > subject.head + 1 else None
    if at >= end or not is_finite(tokens, at, subject.start, outer):
        return None
    if tokens[at].tag not in FINITE:
        base, form = _finite_form(tokens[at].lower, plural=subject.plural)
        return Clause(text, tokens, intro, subject, None, before, at, base, form, False, at + 1, end)
    group = _helpers(tokens, at, before, end)
    following = tokens[group.at] if group.at < end else None
    found = _main(tokens, group, following)
    if found is None:
        return None
    base, form, passive = found
    if form in ("be", "have"):
        middle, at = (group.middle, group.at) if form == "have" else _without_adverbs(tokens, group)
        return Clause(text, tokens, intro, subject, group.auxiliary, middle, None, base, form, False, at, end)
    at = group.at
    return Clause(text, tokens, intro, subject, group.auxiliary, group.middle, at, base, form, passive, at + 1, end)


def _helpers(tokens: Sequence[Token], auxiliary: int, before: tuple[int, ...], end: int) -> _Group:
    middle, last, at = list(before), tokens[auxiliary], auxiliary + 1
    while at < end and (tokens[at].tag in ("ADV", "NEG", "HAVE") or tokens[at].lower in ("be", "been", "being")):
        if tokens[at].tag not in ("ADV", "NEG"):
            last = tokens[at]
        middle.append(at)
        at += 1
    return _Group(auxiliary, tuple(middle), last, at)


def _main(tokens: Sequence[Token], group: _Group, following: Token | None) -> tuple[str, str, bool] | None:
    """Return base, form and voice of the main verb after its helpers; `be` and `have` stand for themselves."""
    if group.last.tag == "BE" or group.last.lower in ("be", "been", "being"):
        if following is not None and (base := _participle(following)):
            return base, "participle", True
        base = base_of(following.lower, "ing") if following is not None and following.tag == "NOM" else None
        return (base, "ing", False) if base else ("be", "be", False)
    if group.last.tag == "HAVE":
        base = base_of(following.lower, "participle") if following is not None and following.tag == "NOM" else None
        if base:
            return base, "participle", False
        return ("have", "have", False) if group.last is tokens[group.auxiliary] else None
    base = base_of(following.lower, "base") if following is not None else None
    return (base, "base", False) if base and following is not None and following.tag not in ("NAME", "CODE") else None


def _without_adverbs(tokens: Sequence[Token], group: _Group) -> tuple[tuple[int, ...], int]:
    """Give the adverbs after `be` back to the complement: "is very small"."""
    middle, at = list(group.middle), group.at
    while middle and middle[-1] == at - 1 and tokens[at - 1].tag == "ADV":
        at = middle.pop()
    return tuple(middle), at


def _finite_form(word: str, *, plural: bool) -> tuple[str, str]:
    if base := base_of(word, "s"):
        return base, "s"
    if plural and (base := base_of(word, "base")):
        return base, "base"
    return base_of(word, "past") or word, "past"


def _participle(token: Token) -> str | None:
    if token.tag != "NOM" or not token.text.islower():
        return None
    if base := base_of(token.lower, "participle"):
        return base
    if token.lower.endswith("ed") and len(token.lower) > 4 and not token.lower.endswith("eed"):
        return token.lower
    return None
