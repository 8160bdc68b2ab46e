"""The runs of words in a sentence that may be an answer: names, amounts, noun phrases, lists, clauses."""

from __future__ import annotations

from collections.abc import Sequence

from rag.tokens import Part, Token

Place = tuple[int, int]
"""The first and the last token of a run, both in it."""

_LONGEST = 9
"""Words of a run that is no clause."""
_LONGEST_CLAUSE = 26
_MOST_COMMAS = 4
_NEVER_FIRST: frozenset[Part] = frozenset(
    {"determiner", "preposition", "of", "to", "conjunction", "auxiliary", "relative", "pronoun", "possessive", "finite"}
)
_NEVER_LAST: frozenset[Part] = _NEVER_FIRST | {"quantifier", "adverb", "verb"}
_NEVER_INSIDE: frozenset[Part] = frozenset({"auxiliary", "relative", "pronoun", "bracket", "finite"})
_BEGINS_CLAUSE: frozenset[Part] = frozenset({"to", "preposition", "determiner", "verb", "ing"})
_ENDS_CLAUSE: frozenset[Part] = frozenset({"comma", "colon", "bracket", "stop", "quote"})
_IN_PLACE_LISTS: frozenset[Part] = frozenset({"name", "number", "comma"})
_JOINS = frozenset("'&/+.°")


def runs(tokens: Sequence[Token]) -> list[Place]:
    """Return the runs of a sentence that may be an answer, each once, in order."""
    found = {place for at in range(len(tokens)) for place in _phrases(tokens, at)}
    found |= {place for at in range(len(tokens)) for place in _clauses(tokens, at)}
    return sorted(found)


def _phrases(tokens: Sequence[Token], first: int) -> list[Place]:
    """Return the runs that begin at a token and are made of nouns, names, numbers and what joins them."""
    if tokens[first].part in _NEVER_FIRST or not tokens[first].is_word:
        return []
    found: list[Place] = []
    words = commas = 0
    joined = False
    plain = True
    for last in range(first, len(tokens)):
        token = tokens[last]
        if token.part in _NEVER_INSIDE or words == _LONGEST or commas == _MOST_COMMAS:
            break
        if token.part in ("quote", "stop", "sign", "comma", "colon", "dash"):
            if not _goes_on(token):
                break
            commas += token.part == "comma"
            continue
        words += token.is_word
        joined = joined or token.part == "conjunction"
        plain = plain and token.part in _IN_PLACE_LISTS
        if token.part not in _NEVER_LAST and (not commas or joined or plain):
            found.append((first, last))
    return found


def _goes_on(token: Token) -> bool:
    """Say whether a phrase may go on behind a sign."""
    return token.lower == "," or token.part == "dash" or token.lower in _JOINS


def _clauses(tokens: Sequence[Token], first: int) -> list[Place]:
    """Return the runs from "to", "because", a preposition, an article or a verb to the next signs, or the end."""
    is_reason = "because" in (tokens[first].lower, tokens[max(first - 1, 0)].lower)
    if not (is_reason or tokens[first].part in _BEGINS_CLAUSE) or not tokens[first].is_word:
        return []
    found: list[Place] = []
    for last in range(first + 1, min(len(tokens), first + _LONGEST_CLAUSE)):
        if tokens[last].lower in (";", ":"):
            break
        ends = last + 1 == len(tokens) or tokens[last + 1].part in _ENDS_CLAUSE
        if ends and tokens[last].is_word and last - first >= 2:
            found.append((first, last))
    return found
