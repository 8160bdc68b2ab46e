"""Why does it happen? What is it for? How is it done?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.verbs import VERBS, base_of
from doceo.text.words import closed
from generator.teachers.grammar.segments import Segment
from generator.teachers.grammar.standing import PRONOUN, refers_elsewhere
from generator.teachers.statement import Candidate, Statement, full, tidy

_USED = {
    "use": "used for",
    "need": "needed for",
    "design": "designed for",
    "intend": "intended for",
    "mean": "meant for",
}
_CAUSE = re.compile(
    r"(?P<word>because(?: of)?|due to|owing to|thanks to|in order to|so that|since(?=\s[a-z]))\b(?P<rest>.*)", re.S
)
_OPENING = re.compile(r"(?:because|due to|owing to|thanks to|as a result of|in order to|to)\s", re.I)
_INFINITIVE = closed(
    "want ask tell allow enable cause require force order help expect find need permit lead persuade convince "
    "urge encourage invite believe consider take get have give teach win award hold say sign compel prompt "
    "advise instruct leave claim make see"
)
_NEEDS_MORE = closed(
    "attempt attempts plan plans right rights ability decision effort efforts agreement opportunity guarantee "
    "refusal power powers desire order permission need way ways time failure authority offer proposal intention "
    "license chance ability incentive duty obligation tendency freedom reason campaign bid first last only able "
    "difficult easy possible law bill resolution contract contracts technology technologies"
)
_PARTLY = closed("merely only simply just solely partly mainly")
_ENDING = closed("end start begin work learn improve succeed fail operate")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield reasons (because, so that), purposes (used to, designed to) and means (by doing)."""
    if statement.standing < 0.5 or statement.clause.aux in ("might", "could", "would"):
        return
    if statement.clause.intro[1]:
        yield from _opening(statement)
        return
    yield from _why(statement)
    yield from _aim(statement)
    yield from _purpose(statement)
    yield from _means(statement)


def _why(statement: Statement) -> Iterator[Candidate]:
    clause, core = statement.clause, statement.core
    if not statement.breaks or not _is_event(statement):
        return
    cause = statement.breaks[0]
    text = statement.of(cause)
    found = _CAUSE.fullmatch(text)
    if found is None or len(text.split()) < 4:
        return
    if found["word"] == "since" and (clause.past or cause.word != "," or re.search(r"\d{4}", text)):
        return
    answer = f"Because{found['rest']}" if found["word"] == "since" else text
    yield Candidate(statement.ask("Why", *core), full(answer), "reason", "hard", 0.9 * statement.weight, "why")


def _opening(statement: Statement) -> Iterator[Candidate]:
    """Yield why, from a statement that opens with its cause or its purpose."""
    clause, intro = statement.clause, statement.intro
    found = _OPENING.match(intro)
    if found is None or statement.standing < 0.7 or len(intro.split()) < 3 or not statement.core:
        return
    if clause.tokens[clause.intro[0]].tag == "TO" and clause.tokens[1].lower not in VERBS:
        return
    if any(s.kind not in ("np", "pp", "to", "that", "paren") for s in statement.core) or _points(intro):
        return
    if any(s.kind in ("colon", "tail") for s in statement.breaks[:1]) or (clause.copular and clause.aux == "is"):
        return
    question = statement.ask("Why", *statement.core, bare=True)
    yield Candidate(question, full(intro), "reason", "hard", 0.8 * statement.weight, "why first")


def _points(text: str) -> bool:
    return bool(PRONOUN.search(text) and len(text.split()) < 6) or refers_elsewhere(text)


def _aim(statement: Statement) -> Iterator[Candidate]:
    """Yield why, from a deed with its purpose: "Duquesne sent forces to relieve the fort"."""
    clause, core = statement.clause, [s for s in statement.core if s.kind != "paren"]
    if not clause.past or clause.copular or clause.negated or clause.base in _INFINITIVE or statement.standing < 0.85:
        return
    if len(core) < 2 or core[-1].kind != "to" or any(s.kind not in ("np", "pp") for s in core[:-1]):
        return
    before = clause.tokens[core[-1].start - 1]
    if any(s.word == "for" for s in core[1:-1]) or clause.tokens[core[-1].start + 1].lower in ("be", "have"):
        return
    if core[0].kind != "np" or before.lower in _NEEDS_MORE or clause.tokens[core[0].start].tag in ("PRON", "ADV"):
        return
    if len(core) == 2 and core[0].end - core[0].start < 2:
        return
    question = statement.ask("Why", *core[:-1])
    yield Candidate(question, full(statement.of(core[-1])), "reason", "hard", 0.74 * statement.weight, "aim")


def _is_event(statement: Statement) -> bool:
    """Tell whether one can ask why a statement holds; not of a definition, nor of a cause that is only a part."""
    clause, core = statement.clause, statement.core
    if not core:
        return not clause.passive
    if clause.copular and core[0].kind == "np" and clause.tokens[clause.rest].tag == "DET":
        return False
    return clause.tokens[core[-1].end - 1].lower not in _PARTLY


def _purpose(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if not clause.passive or clause.negated or clause.base not in _USED or clause.aux not in ("is", "are"):
        return
    if not statement.core or statement.standing < 0.6 or any(s.kind == "colon" for s in statement.breaks):
        return
    first = statement.core[0]
    told = statement.of(first)
    infinitive = first.kind == "to" and not re.match(r"to be\b", told)
    if not infinitive and (first.word != "for" or clause.base in ("need", "mean")):
        return
    if len(told.split()) > 2:
        question = tidy(f"What {clause.aux} {statement.subject} {_USED[clause.base]}") + "?"
        answer = full(statement.of(*statement.core))
        yield Candidate(question, answer, "reason", "medium", 0.85 * statement.weight, "purpose")


def _means(statement: Statement) -> Iterator[Candidate]:
    clause, core = statement.clause, statement.core
    if clause.copular or clause.negated or clause.base == "have":
        return
    if any(clause.tokens[i].lower == "also" for i in clause.middle):
        return
    at = next((n for n, segment in enumerate(core) if _is_means(statement, segment)), None)
    if at is None or (at == 0 and not clause.passive and clause.base not in _ENDING):
        return
    if any(s.kind in ("and", "colon", "tail") for s in statement.breaks):
        return
    question = statement.ask("How", *core[:at], drop_adverbs=True)
    yield Candidate(question, full(statement.of(*core[at:])), "procedure", "medium", 0.85 * statement.weight, "how by")


def _is_means(statement: Statement, segment: Segment) -> bool:
    tokens, at = statement.clause.tokens, segment.start + 1
    return (
        segment.kind == "pp"
        and segment.word == "by"
        and at < segment.end
        and base_of(tokens[at].lower, "ing") is not None
    )
