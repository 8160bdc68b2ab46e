"""The same question in other words, by template."""

from __future__ import annotations

import re
from collections.abc import Callable

from doceo.core.records import Kind
from doceo.text.verbs import VERBS, base_of
from doceo.text.words import BE, DO, MODALS, PREPOSITIONS
from generator.teachers.attribute_words import MEASURES, attribute, be_of, limit
from generator.teachers.uninverted import uninverted

Template = tuple[re.Pattern[str], Callable[[re.Match[str], str], str | None]]


_LOOSE_ADVERB = re.compile(r"\b(?:always|usually|often|also|now|never|normally|generally|typically|sometimes)\b")


def reword(question: str, kind: Kind, answer: str) -> str | None:
    """Return a question in clearly other words with the same meaning, or None where no template fits."""
    for pattern, write in (*(_DEFINITIONS if kind == "definition" else ()), *_TEMPLATES):
        if (match := pattern.fullmatch(question)) and (again := write(match, answer)):
            if _LOOSE_ADVERB.search(question) and "By what means" not in again and "reason" not in again:
                return None
            return again if again.endswith("?") else again + "?"
    return None


def _define(x: str) -> str:
    if re.match(r"the\s", x):
        return f"What is meant by {x}?"
    return f"How would you {'define' if x[:1].islower() else 'describe'} {x}?"


def _passive(match: re.Match[str], _answer: str) -> str | None:
    """What does X contain? -> What is contained in X?"""
    base = match["verb"]
    if base not in VERBS or base in ("do", "stand", "refer", "need", "cause", "prefer", "expect"):
        return None
    if re.search(r"\b(?:always|never|also|now|\w+ly)$", match["x"]):
        return None
    participle = VERBS[base].participle
    by = {"contain": "in", "include": "in"}.get(base, "by")
    if match["aux"] in ("must", "should", "can", "may"):
        return f"What {match['aux']} be {participle} {by} {match['x']}?"
    return f"What is {participle} {by} {match['x']}?"


def _when(match: re.Match[str], answer: str) -> str | None:
    """When did X begin? -> What was the year in which X began?"""
    event = match["event"]
    if re.fullmatch(r"\d{4}", answer):
        preposition, unit = "in", "year"
    elif re.search(r"\d{4}s", answer):
        preposition, unit = "in", "decade"
    elif re.fullmatch(r"[A-Z][a-z]+\.?,?\s\d{4}", answer):
        preposition, unit = "in", "month"
    elif re.search(r"[A-Z][a-z]+\s\d{1,2}|\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?[A-Z]", answer):
        preposition, unit = "on", "date"
    else:
        return None
    told = uninverted(event)
    if told:
        return f"What was the {unit} {preposition} which {told}?"
    return f"{preposition.capitalize()} {'what' if unit == 'date' else 'which'} {unit} {event}?"


def _why(match: re.Match[str], _answer: str) -> str | None:
    """Why does X help? -> What is the reason why X helps?"""
    if match["rest"].startswith(("may ", "can ")):
        return None
    told = uninverted(match["rest"])
    return f"What is the reason why {told}?" if told else f"For what reason {match['rest']}?"


def _who(match: re.Match[str], _answer: str) -> str | None:
    base = base_of(match["verb"], "past") or base_of(match["verb"], "s")
    if base in (None, "be", "have"):
        return None
    past = base_of(match["verb"], "past") is not None
    x = match["x"]
    if x.split()[0] in PREPOSITIONS:
        return None
    words = x.split()
    end = next((i for i, w in enumerate(words) if w in PREPOSITIONS and w != "of"), len(words))
    head = " ".join(words[:end])
    be = ("were" if be_of(head) == "are" else "was") if past else be_of(head)
    rest = x[len(head) :]
    return f"By whom {be} {head} {VERBS[base].participle}{rest}?"


def _it(match: re.Match[str], _answer: str) -> str | None:
    """What did X buy in 1974? -> What was it that X bought in 1974?"""
    told = uninverted(match["rest"])
    return (
        f"What {'was' if match['rest'].startswith(('did ', 'was ', 'were ')) else 'is'} it that {told}?"
        if told
        else None
    )


def _many(match: re.Match[str], _answer: str) -> str | None:
    """How many layers does X have? -> What is the number of layers that X has?"""
    told = uninverted(match["rest"])
    return f"What is the number of {match['what'].strip()} that {told}?" if told else None


def _which(match: re.Match[str], _answer: str) -> str | None:
    """Which college ended the program? -> What is the name of the college that ended the program?"""
    if match["n"] in DO | BE | MODALS or not base_of(match["told"].split()[0], "past"):
        return None
    return f"What is the name of the {match['n']} that {match['told']}?"


def _difference(match: re.Match[str], _answer: str) -> str | None:
    return f"How do {match['a']} and {match['b']} differ?"


_OUTCOME = {
    "happens": "What is the consequence",
    "should happen": "What should be done",
}
_DEFINITIONS: tuple[Template, ...] = (
    (re.compile(r"What (?:is|are) (?P<x>(?!the\s\w+\sof\s).+)\?"), lambda m, _: _define(m["x"])),
    (re.compile(r"(?:Who (?:is|was)|What (?:was|were)) (?P<x>.+)\?"), lambda m, _: f"How would you describe {m['x']}?"),
)
_TEMPLATES: tuple[Template, ...] = (
    (
        re.compile(r"What (?P<v>happens|should happen) (?P<w>if|when) (?P<c>.+)\?"),
        lambda m, _: f"{_OUTCOME[m['v']]} {m['w']} {m['c']}?",
    ),
    (re.compile(r"What is the difference between (?P<a>.+?) and (?P<b>.+)\?"), _difference),
    (re.compile(r"What is the (?P<kind>default|maximum|minimum) (?P<n>.+)\?"), lambda m, _: limit(m["kind"], m["n"])),
    (re.compile(r"What is the (?P<n>\w+(?: \w+)?) of (?P<x>.+)\?"), attribute),
    (re.compile(r"What does the term (?P<x>.+) mean\?"), lambda m, _: f"How would you explain the word {m['x']}?"),
    (re.compile(r"What (?:do|does) (?P<x>.+) stand for\?"), lambda m, _: f"What is the full form of {m['x']}?"),
    (re.compile(r"What (?:do|does) (?P<x>.+) mean\?"), lambda m, _: f"How is {m['x']} to be understood?"),
    (re.compile(r"What does (?P<x>.+)(?<! to) do\?"), lambda m, _: f"What is the function of {m['x']}?"),
    (re.compile(r"What do (?P<x>.+)(?<! to) do\?"), lambda m, _: f"What is the function of {m['x']}?"),
    (
        re.compile(r"What (?P<be>is|are|was|were) (?P<x>.+) (?:used|needed|required) for\?"),
        lambda m, _: (
            f"What purpose {'does' if m['be'] == 'is' else 'do' if m['be'] == 'are' else 'did'} {m['x']} serve?"
        ),
    ),
    (
        re.compile(r"What (?P<be>is|are|was|were) (?P<x>.+) (?:designed|intended|meant) for\?"),
        lambda m, _: f"What is the intended purpose of {m['x']}?",
    ),
    (
        re.compile(r"What (?P<be>is|are|was|were) (?P<x>.+) (?:called|known as|named)\?"),
        lambda m, _: f"Which name {m['be']} given to {m['x']}?" if m["be"] in ("is", "was") else None,
    ),
    (re.compile(r"What (?P<aux>does|do|must|should|can|may) (?P<x>.+) (?P<verb>[a-z]+)\?"), _passive),
    (re.compile(r"What (?P<rest>(?:did|does|do|is|are|was|were|can|must|should|may|will) .+)\?"), _it),
    (re.compile(r"Which (?P<n>[a-z]+) (?P<told>[a-z]+ .+)\?"), _which),
    (
        re.compile(rf"How (?P<q>{'|'.join(MEASURES)}) (?P<be>is|are|was|were) (?P<x>.+)\?"),
        lambda m, _: f"What {'was' if m['be'] in ('was', 'were') else 'is'} the {MEASURES[m['q']]} of {m['x']}?",
    ),
    (re.compile(r"When (?P<event>(?:did|was|were) .+)\?"), _when),
    (
        re.compile(r"How many (?P<what>(?:[\w-]+ ){1,3}?)(?P<rest>(?:does|do|did|is|are|was|were|must|can) .+)\?"),
        _many,
    ),
    (
        re.compile(r"How long (?P<rest>(?:does|do|did|can|may) .+)\?"),
        lambda m, _: f"How much time {m['rest']}?" if m["rest"].endswith("take") or " take " in m["rest"] else None,
    ),
    (re.compile(r"Who (?P<verb>[a-z]+) (?P<x>.+)\?"), _who),
    (
        re.compile(r"Why (?P<rest>(?:do|does|did|is|are|was|were|can|must|should|may|will) .+)\?"),
        _why,
    ),
    (
        re.compile(r"How (?:does|do) (?P<a>.+) differ from (?P<b>.+)\?"),
        lambda m, _: f"What is the difference between {m['a']} and {m['b']}?",
    ),
    (re.compile(r"How do you (?P<c>.+)\?"), lambda m, _: f"What is the way to {m['c']}?"),
    (
        re.compile(r"How (?P<rest>(?:do|does|did|is|are|was|were|can|must|should|may) .+)\?"),
        lambda m, _: f"By what means {m['rest']}?",
    ),
    (
        re.compile(r"Where (?P<rest>(?:is|are|was|were|must|should|can|may) .+)\?"),
        lambda m, _: f"In what place {m['rest']}?",
    ),
    (
        re.compile(r"Which (?P<be>is|are) (?P<more>.+?), (?P<a>.+) or (?P<b>.+)\?"),
        lambda m, _: f"Of {m['a']} and {m['b']}, which {m['be']} {m['more']}?",
    ),
    (
        re.compile(r"Which (?P<n>\w+) (?P<what>.+?) (?P<do>does|do) (?P<x>.+) have\?"),
        lambda m, _: f"What are the {m['n']} {m['what']} of {m['x']}?",
    ),
    (
        re.compile(r"May (?P<x>.+) be (?P<rest>\w+(?: .+)?)\?"),
        lambda m, _: f"Is it allowed that {m['x']} {be_of(m['x'])} {m['rest']}?",
    ),
    (
        re.compile(r"Can (?P<x>.+) be (?P<rest>\w+(?: .+)?)\?"),
        lambda m, _: f"Is it possible for {m['x']} to be {m['rest']}?",
    ),
)
