"""What did X build, say, lead to? The object of an ordinary statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doceo.text.figures import YEAR
from doceo.text.words import MODALS, closed
from generator.teachers.grammar.people import is_person
from generator.teachers.grammar.segments import Segment
from generator.teachers.grammar.tokens import Token
from generator.teachers.statement import MONTH, SETTING, Candidate, Statement, full, tidy, unquoted

DEEDS = closed(
    "found create invent design develop write build introduce discover patent publish establish launch coin compose "
    "paint acquire buy purchase sell win release defeat rename adopt abolish deprecate ban produce conquer capture "
    "annex direct premiere unveil replace form construct open sign ratify translate compile author record cede "
    "overthrow besiege banish execute marry inherit demolish cancel"
)
"""What is done to so few things that "What did X do ... to?" has one answer."""
_OPEN = closed(
    "take make have give get play do let put set see come go mean become remain seem appear be keep find face like "
    "work live fall rise grow die exist sleep sit stand happen occur want need know think feel leave help bring turn "
    "hold follow ask tell urge order permit expect hear watch notice deserve lack say argue use contain include "
    "support provide plan promote agree continue address seek receive offer show state claim allow enable cause "
    "require concentrate focus consider represent increase reduce improve strengthen emphasize prioritize experience "
    "suffer prefer encourage oppose criticize discuss describe try utilize employ apply extend meet serve add change"
)
_TELLING = closed("indicate denote form mark signal identify represent designate")
"""What a thing that is described at length does as its only meaning."""
_DECLARED = closed("announce reveal report unveil declare confirm")
_SAID = closed(
    "argue show suggest find conclude propose declare announce assert discover demonstrate prove reveal confirm warn "
    "postulate hypothesize theorize rule determine report"
)
_WITH: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(closed("contribute convert lead switch adhere"), ("to",)),
    **dict.fromkeys(closed("originate arise stem emerge graduate"), ("from",)),
    "merge": ("with",),
    "specialize": ("in",),
    "serve": ("as",),
    "consist": ("of",),
    "derive": ("from",),
    "develop": ("into", "from"),
    "differ": ("from",),
    "evolve": ("from", "into"),
    "react": ("with",),
    "result": ("in", "from"),
}
_BARE_ANSWER = re.compile(r"\Athe(?: [a-z-]+){1,2}\Z|\Athe [a-z]+['’]s\b|\bdespite\b")
_DAY = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)?(?:, | of )?.*\b\d{4}\b")
_NEW_SPEAKER = re.compile(r",? (?:and|but|while|so) (?:that |[A-Z]\w+ [A-Z]|he |she |they |it )")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield what the subject of an active statement acts on, says or leads to, where one answer fits."""
    clause = statement.clause
    if clause.passive or clause.copular or clause.negated or clause.form == "ing":
        return
    if statement.standing < (0.85 if clause.past and clause.tokens[clause.subject.start].lower != "the" else 0.7):
        return
    if (
        clause.aux in MODALS
        or clause.base == "have"
        or not statement.core
        or any(s.kind == "colon" for s in statement.breaks)
    ):
        return
    if not statement.opens_freely:
        return
    first = statement.core[0]
    proper = is_proper(statement)
    if first.kind == "np" and _is_closed(statement, proper=proper):
        yield from _acted_on(statement)
    elif first.kind == "that" and clause.base in _SAID and proper and YEAR.search(statement.setting):
        yield from _said(statement)
    elif (
        first.kind == "pp"
        and first.word in _WITH.get(clause.base, ())
        and (proper or YEAR.search(f"{statement.setting} {statement.of(*statement.core)}"))
    ):
        yield from _with(statement)


def is_proper(statement: Statement) -> bool:
    """Tell whether the subject is a proper name that says who or what is meant.

    That is a name of two or more words, one with capitals inside such as "AutoGen", or one that the corpus is about.
    """
    phrase, tokens = statement.clause.subject, statement.clause.tokens
    found = [t for t in tokens[phrase.start : phrase.head + 1] if t.tag != "DET"]
    if found[0].tag != "NAME" and found[-1].tag != "NAME":
        return False
    names = [t for t in tokens[phrase.start : phrase.end] if t.tag == "NAME"]
    if len(names) > 1 or any(t.text[1:].lower() != t.text[1:] and not t.text.isupper() for t in names):
        return True
    return len(found) == 1 and statement.is_topic


def _is_closed(statement: Statement, *, proper: bool) -> bool:
    """Tell whether the verb of a statement leaves one answer open, or a date does."""
    clause = statement.clause
    if not clause.past:
        phrase = clause.subject
        return clause.base in _TELLING and (phrase.end - phrase.start > 3 or proper)
    if not proper or clause.base in _OPEN:
        return False
    when = [statement.setting, *(statement.of(s) for s in statement.core[1:] if is_setting(statement, s))]
    if clause.base in _DECLARED:
        return any(_DAY.search(text) for text in when)
    return clause.base in DEEDS or any(YEAR.search(text) for text in when)


def _acted_on(statement: Statement) -> Iterator[Candidate]:
    clause, core = statement.clause, statement.core
    found = clause.tokens[core[0].start : core[0].end]
    if (
        found[0].has_form("ing")
        or found[0].tag in ("PRON", "QUANT", "DEM", "ADV", "NEG", "SUB")
        or found[0].lower in ("both", "much", "more")
    ):
        return
    if is_person(found) or _runs_on(clause.tokens[core[0].start : core[-1].end]) or len(found) < 2:
        return
    if any(s.kind not in ("np", "pp", "paren") for s in core) or sum(s.kind == "np" for s in core) > 1:
        return
    at = next((n for n, s in enumerate(core) if n and is_setting(statement, s)), len(core))
    asked = core[at:]
    if breaks_off(statement) or not _is_specific(statement, asked):
        return
    if any(s.word not in ("at", "during") and not YEAR.search(statement.of(s)) for s in asked):
        return
    answer = unquoted(tidy(statement.of(*core[:at])))
    if _BARE_ANSWER.search(answer):
        return
    telling = any(t.tag in ("NAME", "NUM", "CODE") for t in clause.tokens[clause.rest : core[-1].end])
    base = 0.72 if telling or not clause.past or len(found) > 4 else 0.5
    yield _candidate(statement, statement.ask("What", *asked), answer, base, "acted on")


def _runs_on(found: Sequence[Token]) -> bool:
    """Tell whether another finite verb follows that no "that" or "which" opens: the sentence was not understood."""
    end = next((i for i, t in enumerate(found) if t.tag in ("REL", "SUB") or t.lower == "that"), len(found))
    return any(t.tag in ("BE", "MODAL", "HAVE", "DO") for t in found[:end])


def _said(statement: Statement) -> Iterator[Candidate]:
    told = statement.core[0]
    answer = statement.of(told).removeprefix("that ")
    if statement.clause.base in _DECLARED and not _DAY.search(statement.setting):
        return
    if not 5 <= len(answer.split()) <= 35 or not _is_specific(statement, ()) or _NEW_SPEAKER.search(answer):
        return
    yield _candidate(statement, statement.ask("What"), full(answer), 0.74, "said")


def _with(statement: Statement) -> Iterator[Candidate]:
    core = statement.core
    at = next((n for n, s in enumerate(core) if n and is_setting(statement, s)), len(core))
    asked = core[at:]
    if any(s.kind not in ("pp", "paren") for s in core) or not _is_specific(statement, asked) or breaks_off(statement):
        return
    answer = statement.of(*core[:at]).split(" ", 1)[-1]
    if len(answer.split()) < 2 or is_person(statement.clause.tokens[core[0].start + 1 : core[0].end]):
        return
    rest = " ".join(part for part in (core[0].word, statement.of(*asked), statement.setting) if part)
    question = tidy(f"{statement.ask('What', bare=True).removesuffix('?')} {rest}") + "?"
    yield _candidate(statement, question, answer, 0.72, "with")


def _candidate(statement: Statement, question: str, answer: str, base: float, pattern: str) -> Candidate:
    score = base * statement.weight - 0.01 * max(0, len(question.split()) - 14)
    return Candidate(question, answer, "fact", "medium", score, pattern)


def is_setting(statement: Statement, segment: Segment) -> bool:
    """Tell whether a phrase says when or where: a preposition of time or place before a name or a year."""
    if segment.kind != "pp" or segment.word not in SETTING:
        return False
    tokens = [t for t in statement.clause.tokens[segment.start + 1 : segment.end] if t.tag != "DET"]
    if any(t.tag == "NUM" and len(t.text) == 4 for t in tokens):
        return len(tokens) <= 7
    if MONTH.search(statement.of(segment)):
        return False
    return bool(tokens) and tokens[0].tag == "NAME" and segment.word != "by" and len(tokens) <= 6


def _is_specific(statement: Statement, asked: Sequence[Segment]) -> bool:
    """Tell whether a question has one answer: its subject is rare, or it says when or where."""
    return bool(asked) or bool(statement.setting) or not statement.is_topic


def breaks_off(statement: Statement) -> bool:
    """Tell whether what follows a phrase may belong to it: an answer would be cut short."""
    breaks, tokens = statement.breaks, statement.clause.tokens
    if not breaks:
        return False
    relative = any(t.tag == "REL" or t.lower == "that" for t in tokens[statement.clause.rest : breaks[0].start])
    after = breaks[0].start + 1
    if breaks[0].kind == "and" and after < statement.clause.end and tokens[after].tag in ("NAME", "NUM"):
        return True
    if breaks[0].kind == "tail" and after < statement.clause.end and tokens[after].tag == "NAME":
        return True
    if breaks[0].kind == "tail":
        return relative or tokens[breaks[0].start].text != ","
    return breaks[0].word in ("as", "so", "until", "unless", "than") or (relative and breaks[0].kind != "sub")
