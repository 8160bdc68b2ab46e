"""What does X do? What does X contain, require, mean ...? Where is it? What is it called?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed
from generator.teachers.grammar.segments import Segment
from generator.teachers.statement import Candidate, Statement, capital, tidy, unquoted

ASKED = closed(
    "contain include provide require define describe specify list store hold measure return produce create "
    "support control determine indicate represent show display print generate replace ensure guarantee state "
    "imply prevent protect reject accept remove add record count combine compare affect influence cover offer "
    "prohibit forbid limit prefer recommend govern permit save write report check verify cause need use enable "
    "improve reduce avoid assume collect compute calculate"
)
_WITH = {
    "depend": "on",
    "rely": "on",
    "consist": "of",
    "refer": "to",
    "lead": "to",
    "belong": "to",
    "correspond": "to",
    "result": "in",
    "focus": "on",
    "differ": "from",
    "apply": "to",
    "point": "to",
    "stand": "for",
}
_DOERS = re.compile(
    r"(?:er|or|command|option|gate|stage|program|tool|script|function|method|module|library|package|directive|"
    r"field|file|daemon|service|utility|planner|filter|plugin|target|key|flag|variable|table|agency|office|"
    r"department|committee|layer|switch|verb|page|report|metric|parser|register|ledger|journal|index|clause|"
    r"attribute|parameter|setting|statement|value|keyword|operator|mode|format)s?"
)
_STATIVE = closed(
    "note argue claim suggest report observe conclude state believe explain characterize object carry continue "
    "work play face serve strive seek operate act look rely correspond increase grow apply point reside result "
    "take hold be have mean need want know contain consist depend belong exist seem appear become remain stand "
    "lie cost weigh include require say happen come go get see make like love hope think believe feel refer"
)
_PLACES = closed("store locate find keep install place write headquarter base hold bear save put")
_RUNS_ON = re.compile(r",? (?:and|but|so) (?:it|they|he|she|this|then)\b")
_PLACED = ("in", "at", "under", "inside", "on")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield what the subject of a statement does, holds, needs; where it is; what it is called."""
    clause = statement.clause
    if clause.intro[1] or statement.standing < 0.6 or not statement.core:
        return
    if clause.passive:
        yield from _where(statement)
        yield from _called(statement)
        return
    if clause.copular or clause.base == "have" or clause.form == "ing" or clause.negated:
        return
    if any(s.kind == "colon" for s in statement.breaks) or _is_topic(statement):
        return
    asked = list(_object(statement))
    yield from asked or _does(statement)


def _object(statement: Statement) -> Iterator[Candidate]:
    clause, first = statement.clause, statement.core[0]
    preposition = _WITH.get(clause.base)
    if (
        clause.past
        or clause.aux in ("could", "would", "might", "will", "may")
        or any(clause.tokens[i].tag == "ADV" for i in clause.middle)
    ):
        return
    if preposition:
        if first.kind != "pp" or first.word != preposition:
            return
        answer = statement.of(*statement.core).split(" ", 1)[-1]
        question = tidy(statement.ask("What")[:-1] + f" {preposition}") + "?"
    elif clause.base in ASKED and first.kind in ("np", "that"):
        token = clause.tokens[first.start]
        if token.tag in ("PRON", "ADV", "NEG") or token.lower in ("only", "both", "more", "much"):
            return
        if any(s.kind == "to" for s in statement.core) and clause.base in (
            "enable",
            "require",
            "cause",
            "permit",
            "expect",
            "use",
            "need",
            "recommend",
        ):
            return
        if _holds_clause(statement, first):
            return
        answer, question = statement.of(*statement.core), statement.ask("What")
    else:
        return
    kinds = [s.kind for s in statement.breaks]
    if (
        (kinds and (kinds[0] in ("and", "tail") or kinds[0] == "sub"))
        or len(answer.split()) < 2
        or _RUNS_ON.search(answer)
        or f" {clause.tokens[clause.main or 0].lower} " in answer
        or clause.subject.end - clause.subject.start > 9
    ):
        return
    score = 0.8 if clause.aux in ("must", "should") else 0.75
    yield Candidate(question, unquoted(tidy(answer)), "fact", "medium", score * statement.weight, "object")


def _is_topic(statement: Statement) -> bool:
    """Tell whether a corpus says so much about a subject that one statement cannot be the whole answer."""
    clause, phrase = statement.clause, statement.clause.subject
    core = [t for t in clause.tokens[phrase.start : phrase.end] if t.tag not in ("DET", "QUANT")]
    if len(core) == 1:
        return statement.terms.count(core[0].lower) > (25 if core[0].tag == "NAME" else 60)
    return len(core) <= 3 and statement.terms.together(core[-2].lower, core[-1].lower) > 15


def _holds_clause(statement: Statement, segment: Segment) -> bool:
    """Tell whether an object is a clause whose "that" is left out: "indicates the file is empty"."""
    found = statement.clause.tokens[segment.start : segment.end]
    verb = next((i for i, token in enumerate(found) if token.tag in ("BE", "MODAL", "HAVE", "DO")), None)
    return (
        segment.kind == "np"
        and verb is not None
        and not any(t.tag in ("REL", "SUB") or t.lower == "that" for t in found[:verb])
    )


def _does(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if (
        clause.auxiliary is not None
        or clause.form not in ("s", "base")
        or clause.base in _STATIVE
        or statement.standing < 0.6
        or clause.middle
    ):
        return
    if clause.tokens[clause.rest].tag == "PRON":
        return
    head = statement.head
    agent = (
        head.tag == "CODE"
        or _DOERS.fullmatch(head.lower.rsplit("-", 1)[-1])
        or (head.tag == "NAME" and clause.subject.head == clause.subject.start)
    )
    if (
        not agent
        or (clause.subject.end > clause.subject.head + 1 and clause.tokens[clause.subject.head + 1].text != "(")
        or clause.end - clause.rest < 3
    ):
        return
    if head.lower.endswith(("er", "or")) and head.lower in (
        "number",
        "paper",
        "order",
        "letter",
        "error",
        "factor",
        "matter",
        "member",
        "power",
        "character",
        "chapter",
        "layer",
        "parameter",
        "color",
        "floor",
        "water",
        "winter",
    ):
        return
    question = tidy(f"What {'does' if clause.form == 's' else 'do'} {statement.subject} do") + "?"
    yield Candidate(question, statement.sentence, "fact", "medium", 0.72 * statement.weight, "does")


def _where(statement: Statement) -> Iterator[Candidate]:
    clause, core = statement.clause, statement.core
    first = core[0]
    if (
        clause.base not in _PLACES
        or first.kind != "pp"
        or first.word not in _PLACED
        or clause.negated
        or (clause.past and statement.standing < 0.9)
    ):
        return
    text = statement.of(*[s for s in core if s.kind == "pp"])
    if (
        re.search(
            rf"{first.word}\s(?:\w+\s)?\d{{4}}\b|Materials|Appendix|Handbook|Manual|Guide|[Ss]ection|evidence|"
            rf"basis|order|advance|case|the same|general|detail|way|terms|form|more than|a single|favou?r|time|many",
            text,
        )
        or len(text.split()) < 2
    ):
        return
    if any(
        s.kind in ("and", "colon") or (s.kind == "sub" and clause.aux not in ("is", "are", "was", "were"))
        for s in statement.breaks
    ):
        return
    if (clause.base == "base" and first.word == "on") or "whose" in text.split():
        return
    yield Candidate(
        statement.ask("Where", drop_adverbs=True),
        capital(tidy(text)),
        "fact",
        "medium",
        0.82 * statement.weight,
        "where",
    )


def _called(statement: Statement) -> Iterator[Candidate]:
    clause, first = statement.clause, statement.core[0]
    called = (clause.base in ("call", "name", "term", "dub") and first.kind == "np") or (
        clause.base == "know" and first.word == "as"
    )
    if (
        not called
        or clause.negated
        or clause.aux not in ("is", "are", "was", "were")
        or clause.subject.end - clause.subject.start < 2
    ):
        return
    answer = statement.of(first).removeprefix("as ")
    if len(answer.split()) > 6 or any(s.kind in ("and", "colon") for s in statement.breaks):
        return
    word = "known as" if clause.base == "know" else clause.tokens[clause.main].text if clause.main is not None else ""
    yield Candidate(
        tidy(f"What {clause.aux} {statement.subject} {word}") + "?",
        unquoted(tidy(answer)),
        "entity",
        "medium",
        0.75 * statement.weight,
        "called",
    )
