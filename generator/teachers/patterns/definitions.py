"""What is X? What does X mean?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed, is_plural
from generator.teachers.grammar.tokens import Token
from generator.teachers.statement import Candidate, Statement, tidy

ATTRIBUTES = closed(
    "aim purpose goal role function task job default value size length limit maximum minimum number name rate "
    "cost price capital height width depth weight age date duration time timeout threshold licence license format "
    "type unit range order result meaning definition difference cause reason advantage disadvantage benefit "
    "drawback effect rule formula symbol colour color population area language owner author maker symptom remedy "
    "cure sign measure basis origin motto headquarters password path location extension interval temperature "
    "speed distance dimension capacity penalty fee deadline requirement condition exception alternative strength "
    "weakness risk danger cornerstone"
)
_WEAK = closed(
    "problem mistake matter must good bad common fact reason result question example case way lot kind sort type "
    "part number few little bit one great opponent supporter outspoken sponsor member normal ordinary possible "
    "exception big huge major responsibility priority challenge key critical essential vital central integral "
    "component leader subject further step choice important same way"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the definition that a statement gives of its subject."""
    clause = statement.clause
    indefinite = clause.tokens[clause.subject.start].lower in ("a", "an")
    if clause.negated or statement.standing < (0.45 if indefinite else 0.5) or clause.intro[1]:
        return
    if clause.copular and clause.aux in ("is", "are") and not clause.middle:
        yield from _what_is(statement)
    if (
        clause.base in ("mean", "denote")
        and clause.form in ("s", "base")
        and clause.auxiliary is None
        and statement.segments
        and statement.standing > 0.7
    ):
        yield Candidate(
            tidy(f"What {'does' if clause.form == 's' else 'do'} {statement.subject} {clause.base}") + "?",
            statement.sentence, "definition", "easy", 0.8 * _weight(statement), "mean",
        )  # fmt: skip


def _what_is(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if not statement.segments or statement.segments[0].kind != "np" or len(_kept(statement)) > 7:
        return
    first = clause.tokens[clause.rest]
    after = [t.lower for t in clause.tokens[clause.rest : clause.rest + 4]]
    if first.lower not in ("a", "an", "the", "one") and not (clause.aux == "are" and first.tag in ("NOM", "NUM")):
        return
    if any(word in _WEAK for word in after[:2]) or (
        statement.head.lower in ATTRIBUTES and clause.subject.end > clause.subject.head + 1
    ):
        return
    if any(t.lower in ("too", "also", "therefore") for t in clause.tokens[clause.rest : clause.end]):
        return
    if clause.aux == "are" and first.tag in ("NOM", "NAME") and not _plural_complement(statement):
        return
    if any(t.lower in ("and", "or") or t.text == "," for t in _kept(statement)):
        return
    if any(t.tag == "PREP" and t.lower != "of" for t in _kept(statement)):
        return
    of_one = (
        after[:2] in (["one", "of"], ["the", "most"], ["the", "only"], ["the", "best"], ["the", "same"])
        or first.lower == "one"
    )
    size = clause.end - clause.rest
    if (
        size < 4
        or statement.head.tag == "NUM"
        or (clause.aux == "are" and (first.tag == "NUM" or size < 5 or clause.tokens[clause.rest + 1].tag == "PUNCT"))
    ):
        return
    if (
        clause.aux == "are"
        and first.lower not in ("the",)
        and not any(
            s.kind in ("pp", "to", "rel") or "that" in statement.of(s).split() or " of " in statement.of(s)
            for s in statement.segments
        )
    ):
        return
    if statement.standing < 0.5 and not any(
        t.tag == "REL" or t.lower == "that" for t in clause.tokens[clause.rest : clause.end]
    ):
        return
    telling = any(
        word in {t.lower for t in clause.tokens[clause.rest : clause.end]}
        for word in ("that", "which", "who", "where", "used", "of", "for", "with", "in")
    )
    base = 0.95 if first.lower in ("a", "an") and telling else 0.8 if telling else 0.6
    if clause.subject.end > clause.subject.head + 1 and clause.tokens[clause.subject.head + 1].text != "(":
        base -= 0.15
    if re.match(r"the (?:\S+['’]s )?(?:\w+est|most|least|only|first) ", clause.span(clause.rest, clause.end)):
        base -= 0.2
    if of_one:
        base -= 0.25
    yield Candidate(
        f"What {clause.aux} {statement.subject}?",
        statement.sentence,
        "definition",
        "easy",
        base * _weight(statement),
        "definition",
    )


def _plural_complement(statement: Statement) -> bool:
    clause, at = statement.clause, statement.clause.rest
    while at + 1 < clause.end and clause.tokens[at + 1].nominal:
        at += 1
    return is_plural(clause.tokens[at].text)


def _kept(statement: Statement) -> list[Token]:
    phrase = statement.clause.subject
    inside = range(phrase.start, phrase.end)
    return [statement.clause.tokens[i] for i in inside if not any(start <= i < end for start, end in phrase.cut)]


def _weight(statement: Statement) -> float:
    return 0.6 + 0.4 * statement.standing
