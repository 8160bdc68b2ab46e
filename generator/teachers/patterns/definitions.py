"""What is X? What does X mean?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed, is_plural
from generator.teachers.grammar.segments import Segment
from generator.teachers.grammar.tokens import Token
from generator.teachers.statement import Candidate, Statement, tidy

ATTRIBUTES = closed(
    "aim purpose goal role function task job default value size length limit maximum minimum number name rate "
    "cost price capital height width depth weight age date duration time timeout threshold licence license format "
    "type unit range order result meaning definition difference cause reason advantage disadvantage benefit "
    "drawback effect rule formula symbol colour color population area language owner author maker symptom remedy "
    "cure sign measure basis origin motto headquarters password path location extension interval temperature "
    "speed distance dimension capacity penalty fee deadline requirement condition exception alternative strength "
    "weakness risk danger cornerstone syntax"
)
_WEAK = closed(
    "problem mistake matter must good bad common fact reason result question example case way lot kind sort type "
    "part number few little bit one great shared brand-new opponent supporter outspoken sponsor member founding "
    "right normal ordinary possible exception big huge major responsibility priority challenge key critical "
    "essential vital central integral component leader subject further step choice important same way "
    "second third fourth fifth another"
)
_LOOSE_LINKS = closed("too also therefore")
_TELLING = closed("that which who where used of for with in")
_SUPERLATIVE = re.compile(r"the (?:\S+['’]s )?(?:[\w-]+est|most|least|only|first|last|final) ")


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
        and any(t.tag in ("NUM", "CODE") for t in _kept(statement))
    ):
        yield Candidate(
            tidy(f"What {'does' if clause.form == 's' else 'do'} {statement.subject} {clause.base}") + "?",
            statement.sentence,
            "definition",
            "easy",
            0.8 * statement.weight,
            "mean",
        )


def _what_is(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if _names_subject(statement) and _tells_kind(statement) and (clause.aux == "is" or _tells_kinds(statement)):
        yield Candidate(
            f"What {clause.aux} {statement.subject}?",
            statement.sentence,
            "definition",
            "easy",
            _base(statement) * statement.weight,
            "definition",
        )


def _names_subject(statement: Statement) -> bool:
    """Tell whether the subject is one thing that a question can name."""
    kept = _kept(statement)
    qualified = statement.clause.subject.end > statement.clause.subject.head + 1
    indefinite = kept[0].lower in ("a", "an")
    if statement.subject[:1] in "\"“'‘" or (indefinite and qualified):
        return False
    if len(kept) > 7 or statement.head.tag == "NUM" or (statement.head.lower in ATTRIBUTES and qualified):
        return False
    return not any(t.lower in ("and", "or") or t.text == "," or (t.tag == "PREP" and t.lower != "of") for t in kept)


def _tells_kind(statement: Statement) -> bool:
    """Tell whether the complement says what the subject is, not only something about it."""
    clause = statement.clause
    if not statement.segments or statement.segments[0].kind != "np" or clause.end - clause.rest < 4:
        return False
    said = clause.tokens[clause.rest : clause.end]
    opens = said[0].lower in ("a", "an", "the", "one") or (clause.aux == "are" and said[0].tag in ("NOM", "NUM"))
    if not opens or any(t.lower in _WEAK for t in said[:2]) or any(t.lower in _LOOSE_LINKS for t in said):
        return False
    if _is_instance(statement) or any(s.kind in ("and", "tail") and _has_verb(statement, s) for s in statement.breaks):
        return False
    if any(s.kind == "and" for s in statement.breaks[:1]) and _TELLING.isdisjoint(t.lower for t in said):
        return False
    return statement.standing >= 0.5 or any(t.tag == "REL" or t.lower == "that" for t in said)


def _is_instance(statement: Statement) -> bool:
    """Tell whether the complement is an instance ("a debtor's testimony") or an image ("the builder of an empire")."""
    clause, first = statement.clause, statement.segments[0]
    said = clause.tokens[first.start : first.end]
    if any(t.text in ("'s", "’s") for t in (*said, *_kept(statement))):
        return True
    if _SUPERLATIVE.match(clause.span(clause.rest, clause.end)):
        return True
    kept = _kept(statement)
    if len(kept) == 2 and kept[0].lower == said[0].lower == "the" and kept[1].tag == "NOM":
        return not any(t.tag == "REL" or t.lower == "that" for t in clause.tokens[clause.rest : clause.end])
    bare = clause.tokens[clause.subject.start].tag not in ("DET", "CODE") and len(_kept(statement)) == 1
    return bare and said[0].lower == "the" and any(t.lower.endswith(("er", "or")) for t in said[1:3])


def _has_verb(statement: Statement, segment: Segment) -> bool:
    """Tell whether a further clause with a verb of its own follows, which would be no part of the definition."""
    found = statement.clause.tokens[segment.start : segment.end]
    end = next((i for i, t in enumerate(found) if t.tag in ("REL", "SUB") or t.lower == "that"), len(found))
    return any(t.tag in ("BE", "MODAL", "HAVE", "DO") for t in found[:end])


def _tells_kinds(statement: Statement) -> bool:
    """Tell whether the complement of "are" is a plural noun with something that marks its kind."""
    clause = statement.clause
    first, second = clause.tokens[clause.rest], clause.tokens[clause.rest + 1]
    if first.tag == "NUM" or second.tag == "PUNCT" or clause.end - clause.rest < 5:
        return False
    if first.tag in ("NOM", "NAME") and not _plural_complement(statement):
        return False
    marks = (s.kind in ("pp", "to", "rel") or {"that", "of"} & set(statement.of(s).split()) for s in statement.segments)
    return first.lower == "the" or any(marks)


def _base(statement: Statement) -> float:
    clause = statement.clause
    said = [t.lower for t in clause.tokens[clause.rest : clause.end]]
    telling = not _TELLING.isdisjoint(said)
    base = 0.95 if said[0] in ("a", "an") and telling else 0.8 if telling else 0.6
    if clause.subject.end > clause.subject.head + 1 and clause.tokens[clause.subject.head + 1].text != "(":
        base -= 0.15
    if said[0] == "one" or said[:2] in (["the", "most"], ["the", "only"], ["the", "best"], ["the", "same"]):
        base -= 0.25
    return base


def _plural_complement(statement: Statement) -> bool:
    clause, at = statement.clause, statement.clause.rest
    while at + 1 < clause.end and clause.tokens[at + 1].nominal:
        at += 1
    return is_plural(clause.tokens[at].text)


def _kept(statement: Statement) -> list[Token]:
    phrase = statement.clause.subject
    inside = range(phrase.start, phrase.end)
    return [statement.clause.tokens[i] for i in inside if not any(start <= i < end for start, end in phrase.cut)]
