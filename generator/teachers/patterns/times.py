"""When did it happen?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doceo.text.figures import DATE, YEAR
from doceo.text.words import closed
from generator.teachers.grammar.segments import Segment
from generator.teachers.statement import Candidate, Statement, capital

_TIME = re.compile(
    rf"(?:in|on)(?:\s(?:early|mid|late|about|around))?\s(?:the\s(?:early|mid|late)?\s?)?"
    rf"(?:{DATE.pattern}|{YEAR.pattern})",
    re.I,
)
_PERIOD = re.compile(
    rf"(?:during|after|before|until|since)\s(?:the\s)?(?:\w+\s){{0,2}}?(?:{DATE.pattern}|{YEAR.pattern}|[A-Z]\w+\s[A-Z]\w+)\b.*"
)
_INTRANSITIVE = closed("die begin start end open close launch happen occur emerge collapse appear arrive retire resign")
_LOST = re.compile(r"\b(?:\w+est|first|only|most|despite|although|regardless)\b", re.I)
_SPELL = re.compile(r"\b(?:few|several|many|\w+) (?:days|weeks|months|years)\Z")
_ADJECTIVE = re.compile(r"\w+-\w+|\w+(?:al|ive|ous|ic|able)")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the date that a statement in the past gives for its event."""
    clause, core = statement.clause, [s for s in statement.core if s.kind != "paren"]
    if not clause.past or clause.negated or statement.standing < 0.6 or clause.form == "have":
        return
    if clause.copular and not any(s.kind == "np" for s in core):
        return
    if clause.intro[1]:
        if not any(s.kind == "colon" for s in statement.breaks[:1]):
            when = statement.intro if _TIME.fullmatch(statement.intro) else _first(statement)
            if when:
                yield from _asked(statement, when, core)
        return
    dated = [s for s in core if s.kind == "pp" and _TIME.fullmatch(statement.of(s))]
    if len(dated) == 1:
        rest = [s for s in core if s.end <= dated[0].start or (s.start > dated[0].start and s.kind == "pp")]
        yield from _asked(statement, statement.of(dated[0]), rest)
    elif not dated and core and core[-1].kind == "pp" and _PERIOD.fullmatch(period := statement.of(core[-1])):
        yield from _period(statement, period, core[:-1])


def _first(statement: Statement) -> str:
    """Return the date that opens a statement where more stands before its subject: "In 1961, after the war, ..."."""
    opening = statement.intro.split(", ")[0]
    return opening if "," in statement.intro and _TIME.fullmatch(opening) else ""


def _period(statement: Statement, period: str, rest: Sequence[Segment]) -> Iterator[Candidate]:
    """Yield the question that a phrase such as "during World War II" at the end answers."""
    asked = statement.of(*rest)
    if len(period.split()) > 10 or any(s.kind not in ("np", "pp") for s in rest) or _LOST.search(asked):
        return
    if (not rest and not statement.clause.passive) or statement.breaks or statement.standing < 0.85:
        return
    question = statement.ask("When", *rest, drop_adverbs=True, bare=True)
    yield Candidate(question, capital(period), "date", "medium", 0.72 * statement.weight, "period")


def _asked(statement: Statement, when: str, rest: Sequence[Segment]) -> Iterator[Candidate]:
    whole = [s for s in rest if s.kind != "paren"]
    rest = [s for s in whole if s.kind in ("np", "pp", "that")][:3]
    asked, clause = statement.of(*rest), statement.clause
    if _LOST.search(asked) and (len(whole) > len(rest) or statement.breaks or clause.intro[1]):
        return
    if any(s.kind == "to" for s in whole) and asked.split() and not clause.passive:
        rest = whole[:4]
        asked = statement.of(*rest)
    if _SPELL.search(asked) or _names_later(statement, rest):
        return
    if not rest and any(s.kind in ("to", "that") for s in whole):
        return
    if " despite " in f" {asked} ":
        return
    if YEAR.search(asked) or not YEAR.search(when) or _is_cut_short(statement, rest):
        return
    if not rest and not clause.passive and clause.base not in _INTRANSITIVE:
        return
    score = 0.9 * statement.weight - 0.01 * max(0, len(asked.split()) - 8)
    question = statement.ask("When", *rest, drop_adverbs=True, bare=True)
    yield Candidate(question, when.split(" ", 1)[1], "date", "medium", score, "when")


def _names_later(statement: Statement, rest: Sequence[Segment]) -> bool:
    """Tell whether the name of what "a series" is follows it between commas, and would be left out."""
    tokens = statement.clause.tokens
    if not rest or not statement.breaks or tokens[rest[0].start].lower not in ("a", "an"):
        return False
    first = statement.breaks[0].start
    return tokens[first].text == "," and first + 1 < len(tokens) and tokens[first + 1].tag == "NAME"


def _is_cut_short(statement: Statement, rest: Sequence[Segment]) -> bool:
    """Tell whether what is left out belongs to a name or a list: "the Great Place to Work Institute"."""
    tokens = statement.clause.tokens
    if any(s.kind == "to" and tokens[s.start - 1].tag == "NAME" for s in statement.core):
        return True
    last = tokens[rest[-1].end - 1].lower if rest else ""
    return any(s.kind == "tail" for s in statement.breaks[:1]) and _ADJECTIVE.fullmatch(last) is not None
