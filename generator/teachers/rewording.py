"""The same question in other words, by template."""

from __future__ import annotations

import re
from collections.abc import Callable

from doceo.core.records import Kind
from doceo.text.verbs import VERBS, base_of
from doceo.text.words import is_plural

Template = tuple[re.Pattern[str], Callable[[re.Match[str], str], str | None]]


_LOOSE_ADVERB = re.compile(r"\b(?:always|usually|often|also|now|never|normally|generally|typically|sometimes)\b")


def reword(question: str, kind: Kind, answer: str) -> str | None:
    """Return a question in clearly other words with the same meaning, or None where no template fits."""
    for pattern, write in _TEMPLATES:
        if (match := pattern.fullmatch(question)) and (again := write(match, answer)):
            if _LOOSE_ADVERB.search(question) and "By what means" not in again and "reason" not in again:
                return None
            return again if again.endswith("?") else again + "?"
    return None


def _is(noun: str) -> str:
    head = re.split(r"\s(?:of|for|in|on|with|to|from|at|that|which)\s", noun)[0]
    return "are" if is_plural(head.split()[-1]) and not re.match(r"(?:a|an|each|every)\s", head) else "is"


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
    event = match["event"]
    if re.fullmatch(r"\d{4}", answer):
        return f"In which year {event}?"
    if re.search(r"\d{4}s", answer):
        return f"In which decade {event}?"
    if re.fullmatch(r"[A-Z][a-z]+\.?,?\s\d{4}", answer):
        return f"In which month {event}?"
    if re.search(r"[A-Z][a-z]+\s\d{1,2}|\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?[A-Z]", answer):
        return f"On what date {event}?"
    return None


def _who(match: re.Match[str], _answer: str) -> str | None:
    base = base_of(match["verb"], "past") or base_of(match["verb"], "s")
    if base is None:
        return None
    past = base_of(match["verb"], "past") is not None
    x = match["x"]
    head = re.split(r"\s(?:in|on|at|from|to|for|with|as|of)\s", x)[0]
    be = ("were" if _is(head) == "are" else "was") if past else _is(head)
    rest = x[len(head) :]
    return f"By whom {be} {head} {VERBS[base].participle}{rest}?"


def _many(match: re.Match[str], _answer: str) -> str | None:
    return (
        f"What is the number of {match['what']} {match['rest']}?"
        if False
        else f"What number of {match['what']} {match['rest']}?"
    )


_ATTRIBUTE: dict[str, str] = {
    "purpose": "What purpose does {x} serve?", "aim": "What is {x} meant to achieve?", "goal": "What is {x} meant to achieve?",
    "size": "How large is {x}?", "length": "How long is {x}?", "name": "How is {x} called?", "cost": "How much does {x} cost?",
    "price": "How much does {x} cost?", "number": "How many {x} are there?", "role": "What part does {x} play?",
    "licence": "Under which licence is {x} released?", "license": "Under which license is {x} released?", "maker": "Who makes {x}?",
    "author": "Who wrote {x}?", "advantage": "What speaks for {x}?", "disadvantage": "What speaks against {x}?",
    "cause": "What causes {x}?", "reason": "What explains {x}?", "parameters": "How many parameters does {x} have?", "capital": "Which city is the capital of {x}?",
}  # fmt: skip


def _attribute(match: re.Match[str], _answer: str) -> str | None:
    template = _ATTRIBUTE.get(match["n"])
    return template.format(x=match["x"]) if template else None


def _limit(kind: str, noun: str) -> str | None:
    if kind == "default":
        return (
            f"What value does {noun[3:]} have by default?"
            if noun.startswith("of ")
            else f"Which {noun} is used by default?"
        )
    return (
        None
        if noun.startswith("of ")
        else f"What is the {'upper' if kind == 'maximum' else 'lower'} limit of the {noun}?"
    )


def _difference(match: re.Match[str], _answer: str) -> str | None:
    return f"How do {match['a']} and {match['b']} differ?"


_TEMPLATES: tuple[Template, ...] = (
    (re.compile(r"What is the difference between (?P<a>.+?) and (?P<b>.+)\?"), _difference),
    (re.compile(r"What (?:is|are) the (?P<n>\w+) of (?P<x>.+)\?"), _attribute),
    (re.compile(r"What is the (?P<kind>default|maximum|minimum) (?P<n>.+)\?"), lambda m, _: _limit(m["kind"], m["n"])),
    (re.compile(r"What does the term (?P<x>.+) mean\?"), lambda m, _: f"How would you explain the word {m['x']}?"),
    (re.compile(r"What (?:do|does) (?P<x>.+) stand for\?"), lambda m, _: f"What is the full form of {m['x']}?"),
    (re.compile(r"What (?:do|does) (?P<x>.+) mean\?"), lambda m, _: f"How is {m['x']} to be understood?"),
    (re.compile(r"What does (?P<x>.+) do\?"), lambda m, _: f"What is the function of {m['x']}?"),
    (re.compile(r"What do (?P<x>.+) do\?"), lambda m, _: f"What is the function of {m['x']}?"),
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
    (re.compile(r"What (?:is|are) (?P<x>(?!the\s\w+\sof\s).+)\?"), lambda m, _: _define(m["x"])),
    (re.compile(r"When (?P<event>(?:did|was|were) .+)\?"), _when),
    (
        re.compile(r"How many (?P<what>(?:[\w-]+ ){1,3}?)(?P<rest>(?:does|do|did|is|are|was|were|must|can) .+)\?"),
        lambda m, _: (
            f"What is the number of {m['what'].strip()} that {_statement(m['rest'])}?"
            if _statement(m["rest"])
            else None
        ),
    ),
    (
        re.compile(r"How long (?P<rest>(?:does|do|did|can|may) .+)\?"),
        lambda m, _: f"How much time {m['rest']}?" if m["rest"].endswith("take") or " take " in m["rest"] else None,
    ),
    (re.compile(r"Who (?P<verb>[a-z]+) (?P<x>.+)\?"), _who),
    (
        re.compile(r"Why (?P<rest>(?:do|does|did|is|are|was|were|can|must|should|may|will) .+)\?"),
        lambda m, _: f"For what reason {m['rest']}?",
    ),
    (
        re.compile(r"What (?P<v>happens|should happen|can happen) (?P<w>if|when) (?P<c>.+)\?"),
        lambda m, _: (
            f"What is the consequence {m['w']} {m['c']}?"
            if m["v"] == "happens"
            else f"What should be done {m['w']} {m['c']}?"
            if m["v"] == "should happen"
            else f"What may follow {m['w']} {m['c']}?"
        ),
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
        re.compile(r"How (?:does|do) (?P<a>.+) differ from (?P<b>.+)\?"),
        lambda m, _: f"What is the difference between {m['a']} and {m['b']}?",
    ),
    (
        re.compile(r"Which (?P<n>\w+) (?P<what>.+?) (?P<do>does|do) (?P<x>.+) have\?"),
        lambda m, _: f"What are the {m['n']} {m['what']} of {m['x']}?",
    ),
    (
        re.compile(r"May (?P<x>.+) be (?P<rest>\w+(?: .+)?)\?"),
        lambda m, _: f"Is it allowed that {m['x']} {_is(m['x'])} {m['rest']}?",
    ),
    (
        re.compile(r"Can (?P<x>.+) be (?P<rest>\w+(?: .+)?)\?"),
        lambda m, _: f"Is it possible for {m['x']} to be {m['rest']}?",
    ),
)


def _statement(inverted: str) -> str | None:
    """Return "X has" for "does X have", or None."""
    if match := re.fullmatch(r"(?P<do>does|do|did) (?P<x>.+) (?P<verb>[a-z]+)", inverted):
        if match["verb"] not in VERBS:
            return None
        verb = VERBS[match["verb"]]
        return f"{match['x']} {verb.s if match['do'] == 'does' else verb.past if match['do'] == 'did' else verb.base}"
    return None
