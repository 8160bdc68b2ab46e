"""The full names of a document: whom a bare surname means, and what an acronym is short for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from generator.teachers.grammar.people import BODIES, GIVEN
from generator.teachers.grammar.plain import Plain

_READ = 300_000
_PERSON = re.compile(
    # Looked at first: capitalised words in a row. The long list of given names is tried at those places alone.
    r"\b(?=[A-Z][a-zé]+\s(?:[A-Z]\.\s|[A-Z][a-z]+\s)?[A-Z][a-zé]{2,})"
    rf"(?P<full>(?P<given>{'|'.join(sorted(name.capitalize() for name in GIVEN))})\s"
    r"(?:[A-Z]\.\s|[A-Z][a-z]+\s)?(?P<last>[A-Z][a-zé]{2,}))\b"
)
_ACRONYM = re.compile(
    r"\b(?P<long>(?:[A-Z][\w’'-]*\s(?:(?:of|for|and|the|on|in|to)\s)*){2,8})\((?P<short>[A-Z]{3,7})\)"
)
_OPENS = re.compile(r"(?:\A|(?<=, ))(?P<word>[A-Z][A-Za-zé]{2,})(?=\s[a-z])")
_SMALL = ("of", "for", "and", "the", "on", "in", "to")


@lru_cache(maxsize=4096)
def full_names(title: str, text: str) -> Mapping[str, str]:
    """Return the full name behind each surname and acronym of a document, or "" where a surname has several.

    The opening of the document is read. A surname that stands in the title, such as "Harvard", names the topic.
    """
    names: dict[str, dict[str, str]] = {}
    for match in _PERSON.finditer(text, 0, _READ):
        if match["last"].lower() not in BODIES and match["last"] not in title:
            names.setdefault(match["last"], {})[match["given"]] = " ".join(match["full"].split())
    found = {last: "" if len(full) > 1 else next(iter(full.values())) for last, full in names.items()}
    longs: dict[str, set[str]] = {}
    for match in _ACRONYM.finditer(text, 0, _READ):
        if long := _spelled_by(match["long"].split(), match["short"]):
            longs.setdefault(match["short"], set()).add(long)
    for short, several in longs.items():
        long = next(iter(several))
        body = {long.split()[0].lower(), long.split()[-1].lower()} & BODIES
        if len(several) == 1 and (body or " of " in long):
            found[short] = f"the {long}"
    return found


def _spelled_by(words: list[str], short: str) -> str:
    """Return the last of some words whose initials are the letters of an acronym, or nothing."""
    for start in range(len(words) - 1):
        initials = "".join(word[0] for word in words[start:] if word not in _SMALL)
        if initials == short and words[start] not in _SMALL:
            return " ".join(words[start:])
    return ""


def spelled(sentence: Plain, names: Mapping[str, str]) -> Plain | None:
    """Return a sentence whose subject is a bare surname or acronym with the full name in its place.

    None where a surname may mean several people.
    """
    match = _OPENS.search(sentence.text)
    full = names.get(match["word"]) if match else None
    if match is None or full is None:
        return sentence
    if not full:
        return None
    if full in sentence.text:
        return sentence
    said = full if match.start() else full[:1].upper() + full[1:]
    by = len(said) - len(match["word"])
    at = match.start()
    code = tuple((s + by, e + by) if s >= at else (s, e) for s, e in sentence.code)
    return Plain(sentence.text[:at] + said + sentence.text[match.end() :], code, sentence.marked)
