"""Whom a sentence means that opens with a pronoun, where the sentence before leaves no doubt.

After the observation that a subject pronoun mostly takes up the subject before it (Hobbs 1978; Brennan et al. 1987,
centering): here only where number and kind agree, and where no other noun of the sentence before could be meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from doceo.text.words import closed
from generator.teachers.grammar.clause import Clause
from generator.teachers.grammar.people import is_person, may_be_person
from generator.teachers.grammar.plain import Plain

_OPENS = re.compile(r"(?P<word>He|She|It|They|His|Her|Its|Their)\s(?=[a-z])")
_EMPTY = re.compile(
    r"It\s(?:(?:is|was|has been|may be|can be|will be|would be|remains|becomes|became)\s(?!(?:a|an|the|one|located|"
    r"based|made|used|written|part|known|called|named|found|founded|built|published|released|designed)\b)|seems|appears|follows|"
    r"takes|turns|happens|should|must|may|can|makes|depends|does|did|also)"
)
_DEFINITE = re.compile(r"The ([a-z]+) (?!of\b)(?=[a-z])")
_OPENING = 20_000
_TITLE = re.compile(r"[A-Z][\w-]+(?: (?:of |the |for )?[\w-]+)+")
_OWNERS = closed("his her its their")


@dataclass(frozen=True, slots=True)
class Antecedent:
    """The subject that later pronouns may take up: its name, number, and what it can be."""

    name: str
    plural: bool
    person: bool
    thing: bool
    owner: bool


def antecedent(clause: Clause, name: str, standing: float) -> Antecedent | None:
    """Return what the pronouns after a statement may mean, or None where more than one thing could be meant."""
    phrase = clause.subject
    found = clause.tokens[phrase.start : phrase.head + 1]
    if standing < 0.9 or len(name.split()) > 6 or phrase.end - phrase.head > 9:
        return None
    person = is_person(found)
    plain = all(t.tag == "NAME" and t.text.isalpha() and not t.text.isupper() for t in found)
    others = clause.tokens[clause.rest : clause.end]
    alone = not any(may_be_person(others[i : i + 2]) for i in range(len(others)))
    one = not any(is_person(others[i : i + 2]) for i in range(len(others)))
    stays = (clause.copular and clause.aux in ("is", "are", "was", "were")) or clause.passive
    return Antecedent(
        name=name,
        plural=phrase.plural,
        person=not phrase.plural and ((person and one) or (plain and alone)),
        thing=stays and not person and not may_be_person(found),
        owner=not phrase.plural and not person and not may_be_person(found) and found[0].tag == "NAME",
    )


def titled(sentence: Plain, title: str) -> Plain:
    """Return a sentence that opens with "The program" with its document's name "the Apollo program" in its place."""
    match = _DEFINITE.match(sentence.text)
    if match is None or not title or title.rsplit(" ", 1)[-1].lower() != match[1]:
        return sentence
    said = title[:1].upper() + title[1:]
    by = len(said) + 1 - match.end()
    code = tuple((start + by, end + by) for start, end in sentence.code)
    return Plain(f"{said} {sentence.text[match.end() :]}", code, sentence.marked)


def name_of(title: str, text: str) -> str:
    """Return a document's title as its text writes it, with or without "the"; nothing where it is no name in it."""
    if not 2 <= len(title.split()) <= 5 or not _TITLE.fullmatch(title) or title not in text[:_OPENING]:
        return ""
    with_article = len(re.findall(rf"\b[Tt]he {re.escape(title)}\b", text[:_OPENING]))
    return f"the {title}" if 2 * with_article >= text[:_OPENING].count(title) else title


def resolved(sentence: Plain, meant: Antecedent) -> Plain | None:
    """Return a sentence with its opening pronoun replaced, or None where it has none or it is not sure."""
    match = _OPENS.match(sentence.text)
    if match is None or _EMPTY.match(sentence.text):
        return None
    word = match["word"].lower()
    if word in ("he", "she", "his", "her"):
        fits = meant.person
    elif word == "its":
        fits = meant.owner or (meant.thing and not meant.plural)
    else:
        fits = meant.thing and meant.plural == (word != "it")
    if not fits:
        return None
    said = meant.name[:1].upper() + meant.name[1:]
    if word in _OWNERS:
        said += "'" if said.endswith("s") else "'s"
    by = len(said) - len(match["word"])
    code = tuple((start + by, end + by) for start, end in sentence.code)
    return Plain(said + sentence.text[len(match["word"]) :], code, sentence.marked)
