"""What did X build, say, decide to do, lead to? The object of an ordinary statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doceo.text.words import closed
from generator.teachers.grammar.people import is_person
from generator.teachers.grammar.segments import Segment
from generator.teachers.grammar.tokens import Token
from generator.teachers.statement import MONTH, SETTING, Candidate, Statement, full, tidy, unquoted

_LIGHT = closed(
    "take make have give get play do let put set see come go mean become remain seem appear be keep find face "
    "like work live go fall rise grow die exist sleep sit stand happen occur want need know think feel leave "
    "help bring turn hold follow ask tell urge order permit expect hear watch notice deserve lack"
)
_MAKES = closed("allow enable cause require force lead permit encourage drive")
_SAID = closed(
    "say argue state claim show suggest find believe report conclude note propose explain write declare announce "
    "observe assert discover estimate maintain predict demonstrate prove reveal confirm indicate warn hold imply "
    "teach postulate hypothesize theorize rule determine recommend specify require emphasize stress"
)
_TRIED = closed(
    "decide agree plan try attempt refuse choose seek intend promise threaten aim offer want fail propose vow "
    "prepare strive resolve"
)
_WITH: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        closed("contribute convert respond belong lead refer switch correspond apply adhere bind"), ("to",)
    ),
    **dict.fromkeys(closed("suffer originate arise stem emerge graduate"), ("from",)),
    **dict.fromkeys(closed("compete deal merge comply contend experiment interfere"), ("with",)),
    **dict.fromkeys(closed("participate specialize invest engage"), ("in",)),
    **dict.fromkeys(closed("depend rely focus concentrate"), ("on",)),
    **dict.fromkeys(closed("serve act"), ("as",)),
    "consist": ("of",),
    "derive": ("from",),
    "develop": ("into", "from"),
    "differ": ("from",),
    "evolve": ("from", "into"),
    "react": ("with", "to"),
    "result": ("in", "from"),
}
_NEW_SPEAKER = re.compile(r",? (?:and|but|while|so) (?:that |[A-Z]\w+ [A-Z]|he |she |they |it )")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield what the subject of an active statement acts on, says, decides or leads to."""
    clause = statement.clause
    if clause.passive or clause.copular or clause.negated or clause.form == "ing":
        return
    if statement.standing < (0.85 if clause.past and clause.tokens[clause.subject.start].lower != "the" else 0.7):
        return
    if clause.base == "have" or not statement.core or any(s.kind == "colon" for s in statement.breaks):
        return
    if not statement.opens_freely:
        return
    first = statement.core[0]
    if first.kind == "np" and clause.base not in _LIGHT:
        yield from _acted_on(statement)
    elif first.kind == "that" and clause.base in _SAID:
        yield from _said(statement)
    elif first.kind == "to" and clause.base in _TRIED:
        yield from _decided(statement)
    elif first.kind == "pp" and first.word in _WITH.get(clause.base, ()):
        yield from _with(statement)


def _acted_on(statement: Statement) -> Iterator[Candidate]:
    clause, core = statement.clause, statement.core
    found = clause.tokens[core[0].start : core[0].end]
    if found[0].tag in ("PRON", "QUANT", "DEM", "ADV", "NEG", "SUB") or found[0].lower in ("both", "much", "more"):
        return
    if is_person(found) or _runs_on(clause.tokens[core[0].start : core[-1].end]) or len(found) < 2:
        return
    kinds = ("np", "pp", "paren", "to") if clause.base in _MAKES else ("np", "pp", "paren")
    if any(s.kind not in kinds for s in core) or sum(s.kind == "np" for s in core) > 1:
        return
    at = next((n for n, s in enumerate(core) if n and is_setting(statement, s)), len(core))
    asked = core[at:]
    if breaks_off(statement) or not _is_specific(statement, asked):
        return
    answer = unquoted(tidy(statement.of(*core[:at])))
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
    if len(answer.split()) < 5 or not _is_specific(statement, ()) or _NEW_SPEAKER.search(answer):
        return
    yield _candidate(statement, statement.ask("What"), full(answer), 0.74, "said")


def _decided(statement: Statement) -> Iterator[Candidate]:
    answer = statement.of(*statement.core)
    if len(answer.split()) < 4 or not _is_specific(statement, ()) or breaks_off(statement):
        return
    question = tidy(statement.ask("What").removesuffix("?") + " to do") + "?"
    if statement.setting:
        question = tidy(question.replace(f" {statement.setting} to do?", f" to do {statement.setting}?"))
    yield _candidate(statement, question, full(answer), 0.7, "decided")


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
