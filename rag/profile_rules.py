"""Plain rules for what a user says of themselves and of how they want answers, in English.

They take only what is said outright and in the first person; questions say nothing of who asks them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from doceo.core.records import ProfileEntry, Record
from doceo.text.sentences import sentence_spans

EntryKind = Literal["fact", "preference", "style"]
LENGTHS: dict[Literal["brief", "detailed"], str] = {
    "brief": "The user wants brief answers.",
    "detailed": "The user wants detailed answers.",
}


class Proposed(Record):
    """An entry that could be put into a profile; `days` is how long it holds, None where nothing is said of that."""

    kind: EntryKind
    text: str
    days: float | None = None


_LANGUAGES = (
    "Arabic|Chinese|Czech|Danish|Dutch|English|Finnish|French|German|Greek|Hebrew|Hindi|Hungarian|Italian|Japanese"
    "|Korean|Norwegian|Polish|Portuguese|Romanian|Russian|Spanish|Swedish|Turkish|Ukrainian"
)
_ANSWER = (
    r"(?:answer|reply|respond|explain|write|be|keep\s+(?:it|them|(?:the|your|all)?\s*(?:answers|replies|responses)))"
)
_BRIEF = (
    r"(?:brief(?:ly)?|short(?:er|ly)?|concise(?:ly)?|to the point|in (?:one|a single|a few|few) (?:sentences?|words?))"
)
_LONG = r"(?:detailed|in (?:more |full |great )?detail|at length|long(?:er)?|thorough(?:ly)?|comprehensive(?:ly)?)"
_BETWEEN = (
    r"(?:\s+(?:me|to|us|always|more|very|everything|things|it|them|all|your|answers?|please|with|in|as|only|using))*\s+"
)
_REPLIES = r"\s+(?:answers|replies|responses)"
_PLAIN = r"(?:(?:simple|plain|easy)\s+(?:words|language|terms|english)|without jargon|simply)"
_ENDS = r"(?=\W*$|\s*[,.;!]|\s+(?:please|from|and|but|when|if|always|for|today|as|to)\b)"
"""What follows where answers in general are meant, and not "the detailed balance" or "how long answers are scored"."""
_NOT = re.compile(r"\b(?:not|don['’]t|never|no longer)\b", re.I)
_STYLES = (
    (
        rf"\b{_ANSWER}{_BETWEEN}{_BRIEF}\b{_ENDS}|(?<!how ){_BRIEF}{_REPLIES}{_ENDS}",
        LENGTHS["brief"],
    ),
    (
        rf"\b{_ANSWER}{_BETWEEN}{_LONG}\b{_ENDS}|(?<!how ){_LONG}{_REPLIES}{_ENDS}",
        LENGTHS["detailed"],
    ),
    (rf"\b{_ANSWER}{_BETWEEN}(?:bullet points|lists?){_ENDS}", "The user wants answers as lists."),
    (rf"\b{_ANSWER}{_BETWEEN}(?:step by step|steps){_ENDS}", "The user wants answers step by step."),
    (rf"\b{_ANSWER}{_BETWEEN}{_PLAIN}{_ENDS}|\bno jargon\b", "The user wants answers in plain words."),
)
_STYLE = tuple((re.compile(pattern, re.I), text) for pattern, text in _STYLES)
_LANGUAGE = re.compile(rf"\b(?:answer|reply|respond|write|speak)\b(?:\s+\w+){{0,3}}?\s+in\s+({_LANGUAGES})\b")
_ASKS_FOR_STYLE = re.compile(
    r"^\W*(?:please|always|from now on|can you|could you|would you|will you|i want|i['’]d like)\b", re.I
)
_ORDERS = re.compile(rf"^\W*(?:{_ANSWER}|{_BRIEF}|{_LONG}|no jargon)\b", re.I)

_CALLED = re.compile(
    r"\b(?:call me|(?i:my name is|my name's|i am called|i'm called))\s+"
    r"([A-Z][\w'’-]*(?:\s+(?:(?:van|von|de|der|di|da|del|la|le|bin|al)\s+)?[A-Z][\w'’-]*){0,2})"
)
_CALL_ME = re.compile(r"(?i:\bcall\s+me)\s+([A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*){0,2})")
_LEAD = r"^\W*(?:(?:and|but|so|well|also|by the way|please note that|just so you know)\W+){0,2}"
_PREFERS = re.compile(
    _LEAD + r"i(?:\s+(?:really|much|generally|always|usually)|\s+would|['’]d)*\s+(?:(prefer)|(dislike|hate|avoid)"
    r"|(?:do not|don['’]t)\s+(?:like|want))\s+(.+)",
    re.I,
)
_VERBS = ("prefers", "dislikes", "does not like")
_IS = re.compile(_LEAD + r"(?:i am|i['’]m)\s+((?:an?|the|from)\s+(?!(?:bit|little|lot|tad|fan|while|few)\b).+)", re.I)
_DOES = re.compile(_LEAD + r"i\s+(work|study|live|teach)\s+((?:as|at|in|for|on|with|near)\s+.+)", re.I)
_OWN = re.compile(_LEAD + r"(?:we|i)\s+(use|own|run|drive)\s+(?:an?|the|our|my)\s+(.+)", re.I)
_REMEMBER = re.compile(r"^\W*(?:please\s+)?(?:remember|keep in mind|note)\s+(?:that\s+)(.+)", re.I)
_THIRD = {"study": "studies", "teach": "teaches"}
_DAYS = (
    (re.compile(r"\b(?:today|tonight|for now)\b", re.I), 1.0),
    (re.compile(r"\bthis week\b", re.I), 7.0),
    (re.compile(r"\b(?:this month|at the moment|currently|right now|these days)\b", re.I), 30.0),
    (re.compile(r"\bthis year\b", re.I), 365.0),
)
_OTHERS = {
    "i": "they", "me": "them", "my": "their", "mine": "theirs", "myself": "themselves", "i'm": "they are",
    "i've": "they have", "we": "they", "our": "their", "us": "them", "am": "are",
}  # fmt: skip
_CLAUSE = re.compile(
    r"\s*(?:[.;!?](?=\s|$)|,?\s+(?:so|but|because|and i|and please|please|what|how|when|where|who|can you)\b).*",
    re.I | re.S,
)
_FEW = 16
"""Words that are taken of what follows "I prefer" and the like."""
_SPEAKS = re.compile(
    r"\b(?:i|i['’]m|me|my|mine|we|our|us|please|always|from now on|remember|answers?|ich|mir|mein\w*|bitte|je|moi"
    r"|mon|ma|yo|mi|por favor|io|mio)\b",
    re.I,
)


def may_hold_something(message: str) -> bool:
    """Say whether a message could tell something of its writer, so that it is worth asking a model."""
    return bool(_SPEAKS.search(message)) or not message.isascii()


def by_rules(message: str) -> list[Proposed]:
    """Return what a message says of its writer, by rules; each text once."""
    found: dict[str, Proposed] = {}
    for start, end in sentence_spans(message):
        sentence = message[start:end]
        days = next((days for pattern, days in _DAYS if pattern.search(sentence)), None)
        for kind, text in _said(sentence):
            found.setdefault(text, Proposed(kind=kind, text=text, days=days))
    return list(found.values())


def says_nothing_else(message: str) -> bool:
    """Say whether every sentence of a message tells something of its writer, so that there is nothing to answer."""
    if "?" in message or "？" in message:
        return False
    spans = sentence_spans(message)
    return bool(spans) and all(any(True for _ in _said(message[start:end])) for start, end in spans)


def length_of(entry: ProfileEntry) -> Literal["brief", "detailed"] | None:
    """Return how long an entry wants answers to be, if it speaks of that."""
    if entry.kind != "style" or _NOT.search(entry.text):
        return None
    if re.search(rf"\b{_BRIEF}\b", entry.text, re.I):
        return "brief"
    return "detailed" if re.search(rf"\b{_LONG}\b", entry.text, re.I) else None


def slot(kind: EntryKind, text: str) -> str:
    """Return what an entry is about where a profile can hold only one of it: a name, a length, a language."""
    if kind == "fact" and re.match(r"(?i)the user(?:['’]s name is| is called| wants to be called)\b", text):
        return "name"
    if kind == "style" and re.search(rf"\b(?:{_BRIEF}|{_LONG})\b", text, re.I):
        return "length"
    return "language" if kind == "style" and re.search(rf"\b(?:{_LANGUAGES})\b", text) else ""


def _said(sentence: str) -> Iterator[tuple[EntryKind, str]]:
    question = sentence.rstrip().endswith(("?", "？"))
    if not _NOT.search(sentence) and (_ASKS_FOR_STYLE.search(sentence) or (_ORDERS.search(sentence) and not question)):
        yield from _style(sentence)
    if name := _CALL_ME.search(sentence) or _CALLED.search(sentence):
        yield "fact", f"The user's name is {name[1]}."
        rest = re.sub(r"^\W*(?:and|und|et|y|e)\b\W*", "", sentence[name.end() :], flags=re.I)
        if rest != sentence[name.end() :]:
            yield from _said(rest)
        return
    if wish := _PREFERS.match(sentence):
        verb = next((_VERBS[at] for at in range(2) if wish[at + 1]), _VERBS[2])
        yield from _sentence("preference", verb, wish[3])
    elif (noted := _REMEMBER.match(sentence)) and not question:
        yield "fact", f"The user said: {_about(noted[1])}."
    else:
        yield from _facts(sentence)


def _style(sentence: str) -> Iterator[tuple[EntryKind, str]]:
    for pattern, text in _STYLE:
        if pattern.search(sentence):
            yield "style", text
    if language := _LANGUAGE.search(sentence):
        yield "style", f"The user wants answers in {language[1]}."


def _facts(sentence: str) -> Iterator[tuple[EntryKind, str]]:
    if found := _IS.match(sentence):
        yield from _sentence("fact", "is", found[1])
    for pattern in (_DOES, _OWN):
        if found := pattern.match(sentence):
            verb = found[1].lower()
            article = "a " if pattern is _OWN else ""
            yield from _sentence("fact", _THIRD.get(verb, f"{verb}s"), article + found[2])


def _sentence(kind: EntryKind, verb: str, rest: str) -> Iterator[tuple[EntryKind, str]]:
    if said := _about(rest):
        yield kind, f"The user {verb} {said}."


def _about(text: str) -> str:
    """Return what was said up to the end of its clause, told of another person: my dog, their dog."""
    words = _CLAUSE.sub("", text).split()[:_FEW]
    return " ".join(_OTHERS.get(word.lower(), word) for word in words).rstrip(",:;. ")
