"""Noun phrases: where the subject of a statement ends, and which verb is its finite one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doceo.text.verb_lists import NOUN_LIKE
from doceo.text.verbs import base_of
from doceo.text.words import is_plural
from generator.teachers.grammar.tokens import Token

FINITE = ("BE", "HAVE", "DO", "MODAL")
_OPENS_OBJECT = ("DET", "POSS", "QUANT", "DEM", "NUM", "PRON", "CODE")
_BEGINS = ("DET", "POSS", "QUANT", "NUM")
_MOST = 24


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """The tokens `start` to `end` of a sentence, its head noun, and whether it is plural.

    `cut` holds the (start, end) token ranges that can be left out: remarks in brackets or between commas.
    """

    start: int
    end: int
    head: int
    plural: bool
    cut: tuple[tuple[int, int], ...] = ()


def subject_phrase(tokens: Sequence[Token], start: int) -> NounPhrase | None:
    """Return the noun phrase that begins at a token and is followed by its finite verb, else None."""
    opening = tokens[start] if start < len(tokens) else None
    if (
        opening is None
        or opening.tag == "ADV"
        or (opening.has_form("past", "participle") and not opening.has_form("base"))
    ):
        return None
    first = _phrase(tokens, start)
    if first is None:
        return None
    end, head, plural, cut = first
    while end < len(tokens) and end - start <= _MOST:
        token = tokens[end]
        if token.lower in ("and", "or") and (more := _phrase(tokens, end + 1)):
            end, cut = more[0], cut + more[3]
            plural = plural or token.lower == "and" or more[2]
        elif token.text == "," and (listed := _listed(tokens, end)):
            end, plural = listed, True
        elif token.text == "," and (after := _remark(tokens, end)):
            cut += ((end, after),)
            end = after
        elif ((token.tag == "REL" and token.lower != "whose") or token.lower == "that") and (
            after := _relative(tokens, end)
        ):
            end = after
        else:
            break
    if end >= len(tokens) or end - start > _MOST:
        return None
    return NounPhrase(start, end, head, plural, cut)


def _phrase(
    tokens: Sequence[Token], at: int, outer: bool | None = None
) -> tuple[int, int, bool, tuple[tuple[int, int], ...]] | None:
    """Return (end, head, plural, cut) of determiner, nominals, bracketed remark and prepositional phrases.

    `outer` says whether the noun that this phrase belongs to is plural, where there is one: the verb agrees with it.
    """
    start = at
    while at < len(tokens) and tokens[at].tag in ("DET", "QUANT", "DEM", "POSS"):
        at += 1
    begun = at
    while at < len(tokens) and (_inside(tokens, at) and not (at > begun and is_finite(tokens, at, begun, outer))):
        at += 1
    if at == begun:
        return None
    head = at - 1
    plural = (
        is_plural(tokens[head].text) or (tokens[begun].tag == "NUM" and tokens[begun].lower not in ("one", "1"))
    ) and tokens[head].tag != "CODE"
    if tokens[start].lower in ("each", "every", "a", "an"):
        plural = False
    cut: tuple[tuple[int, int], ...] = ()
    if at < len(tokens) and tokens[at].text == "(" and (close := _closing(tokens, at)):
        cut += ((at, close),)
        at = close
    while (
        at < len(tokens) and tokens[at].tag in ("PREP", "TO") and tokens[at].lower not in ("than", "like", "as", "out")
    ):
        inner = _phrase(tokens, at + 1, plural if outer is None else outer)
        if inner is None:
            break
        if tokens[inner[0] - 1].lower.endswith("ing") and inner[0] < len(tokens) and tokens[inner[0]].tag in _BEGINS:
            inner = _phrase(tokens, inner[0], plural if outer is None else outer) or inner
        at, cut = inner[0], cut + inner[3]
    return at, head, plural, cut


def _inside(tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    if token.nominal:
        return True
    if token.tag == "ADV":
        return at + 1 < len(tokens) and (tokens[at + 1].nominal) and token.lower.endswith("ly")
    return token.text in ("'s", "’s", "&") or (token.text == "'" and at > 0 and tokens[at - 1].lower.endswith("s"))


def _closing(tokens: Sequence[Token], at: int) -> int | None:
    for end in range(at + 1, min(at + 16, len(tokens))):
        if tokens[end].text == ")":
            return end + 1
    return None


def _listed(tokens: Sequence[Token], comma: int) -> int | None:
    """Return the end of a list "a, b and c" whose first comma is given and which a finite verb follows."""
    at, joined = comma, False
    while at < len(tokens) and not joined:
        at += 1
        if at < len(tokens) and tokens[at].lower in ("and", "or"):
            at, joined = at + 1, True
        part = _phrase(tokens, at)
        if part is None:
            return None
        at = part[0]
        if at < len(tokens) and tokens[at].lower in ("and", "or") and not joined:
            last = _phrase(tokens, at + 1)
            return last[0] if last and last[0] < len(tokens) and is_finite(tokens, last[0], comma) else None
        if at < len(tokens) and not joined and tokens[at].text != ",":
            return None
    return at if joined and at < len(tokens) and is_finite(tokens, at, comma) else None


def _remark(tokens: Sequence[Token], comma: int) -> int | None:
    """Return the end of a remark between two commas that is followed by a finite verb."""
    for end in range(comma + 2, min(comma + 20, len(tokens) - 1)):
        if tokens[end].text == ",":
            after = end + 1
            while after < len(tokens) - 1 and tokens[after].tag == "ADV":
                after += 1
            return end + 1 if is_finite(tokens, after, comma) else None
        if tokens[end].text in ";:.":
            return None
    return None


def _relative(tokens: Sequence[Token], at: int) -> int | None:
    """Return the end of a restrictive relative clause, which is where the main clause's auxiliary stands."""
    verb_first = at + 1 < len(tokens) and (tokens[at + 1].tag in FINITE or tokens[at + 1].has_form("s", "base", "past"))
    seen_verb, seen_after = False, not verb_first
    for end in range(at + 1, min(at + 16, len(tokens))):
        token = tokens[end]
        if token.tag in FINITE and seen_verb and seen_after:
            return end
        if token.tag in ("SUB", "REL", "CONJ", "PUNCT") or token.lower == "that":
            return None
        if seen_verb and token.tag in ("NOM", "NAME", "CODE", "NUM", "PRON"):
            seen_after = True
        if not seen_verb and (token.tag in FINITE or token.has_form("s", "base", "past")):
            seen_verb = True
    return None


def is_finite(tokens: Sequence[Token], at: int, begun: int, outer: bool | None = None) -> bool:
    """Tell whether a token after a noun phrase's first word is the finite verb of its clause.

    Nouns that can be verbs are taken for verbs only where number and what follows agree with it. `outer` is the
    number of the head noun where the phrase before the token only qualifies it.
    """
    token = tokens[at]
    if token.tag in FINITE:
        return True
    if not _may_be_verb(tokens, at, begun):
        return False
    plural = _is_plural_run(tokens, at, begun) if outer is None else outer
    if base := base_of(token.lower, "s"):
        return not plural and _takes(tokens, at, base)
    if plural and (base := base_of(token.lower, "base")):
        return _takes(tokens, at, base)
    past = base_of(token.lower, "past") is not None and tokens[at + 1].lower != "by"
    return past and not _finite_later(tokens, at + 1)


def _may_be_verb(tokens: Sequence[Token], at: int, begun: int) -> bool:
    """Tell whether a token stands where a finite verb can stand: after a noun, before what it takes."""
    token, before = tokens[at], tokens[at - 1]
    if token.tag != "NOM" or not token.text.islower() or at <= begun or at + 1 >= len(tokens):
        return False
    if before.tag == "NUM" and not (at - 2 >= begun and tokens[at - 2].tag in ("NOM", "NAME")):
        return False
    if before.tag in ("DET", "POSS", "QUANT", "DEM", "PREP", "TO") or before.text in ("'s", "’s", "'"):
        return False
    after = tokens[at + 1]
    if after.text == "(":
        return not {token.lower, token.lower[:-1]} & NOUN_LIKE
    return after.tag != "PUNCT" or after.text in ("“", '"')


def _is_plural_run(tokens: Sequence[Token], at: int, begun: int) -> bool:
    before = tokens[at - 1]
    if tokens[max(begun - 1, 0)].lower in ("a", "an", "each", "every"):
        return False
    if before.tag == "ADV" and at >= 2:
        before = tokens[at - 2]
    return before.tag != "CODE" and is_plural(before.text)


def _takes(tokens: Sequence[Token], at: int, base: str) -> bool:
    after = tokens[at + 1]
    if base not in NOUN_LIKE:
        return after.tag not in ("CONJ",) and not (_finite_later(tokens, at + 1) and after.tag in ("PREP", "TO"))
    if at + 2 < len(tokens) and _is_noun_before(after, tokens[at + 2]):
        return False
    opens = after.tag in _OPENS_OBJECT or after.lower in ("that", "whether", "how", "which", "what")
    return opens or not _finite_later(tokens, at + 1)


def _is_noun_before(after: Token, further: Token) -> bool:
    """Tell whether a word that may be noun or verb is the noun, as "changes" in "ABI changes that are"."""
    if after.lower == "that":
        return further.tag in FINITE or further.has_form("s", "base", "past")
    base = base_of(after.lower, "base") if after.tag == "NOM" else None
    return base is not None and (
        further.tag in (*_OPENS_OBJECT, "PREP", "TO") or (further.nominal and base not in NOUN_LIKE)
    )


def _finite_later(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether another sure finite verb stands in the same clause after a token."""
    for token in tokens[at:]:
        if (
            token.text in (",", ";", ":", "—", "–")
            or token.tag in ("SUB", "REL")
            or token.lower in ("that", "as", "than")
        ):
            return False
        if token.tag in FINITE:
            return True
        if token.tag == "NOM" and (base := base_of(token.lower, "s")) and base not in NOUN_LIKE:
            return True
    return False
