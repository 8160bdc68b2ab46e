"""What does ABC stand for?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed
from generator.teachers.statement import Candidate

_SMALL = closed("of the and for in to on a an de la by with at")
_AFTER = re.compile(
    r"\(\s*(?:or |the |called |abbreviated(?: as| to)? |“|\")?([A-Z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*)s?(?:”|"
    r"\")?\s*(?:for short)?\s*\)"
)
_BEFORE = re.compile(r"\b([A-Z][A-Za-z]*[A-Z][A-Za-z]*)\s\(([A-Z][^()]{5,70})\)")
_STANDS = re.compile(
    r"\b([A-Z][A-Za-z]*[A-Z]+[A-Za-z]*)\s(?:stands for|is (?:short|an abbreviation|an acronym) for|"
    r"is the abbreviation of)\s(?:the\s)?[“\"]?([A-Za-z][A-Za-z -]{4,70}?)[”\"]?(?=[.,;(]|\s(?:and|which)\b|$)"
)


def propose(text: str) -> Iterator[Candidate]:
    """Yield the acronyms that a sentence spells out; the letters have to be the initials of the words."""
    for match in _AFTER.finditer(text):
        words = text[: match.start()].split()
        short = match[1]
        plural = short.endswith("s") and short[:-1].isupper()
        if long := _expansion(words, short.removesuffix("s") if plural else short):
            yield _candidate(short[:-1], long.removesuffix("s")) if plural else _candidate(short, long)
    for pattern in (_BEFORE, _STANDS):
        for match in pattern.finditer(text):
            long = _expansion(match[2].split(), match[1])
            if long and long == match[2].strip():
                yield _candidate(match[1], long)


def _candidate(short: str, long: str) -> Candidate:
    return Candidate(f"What does {short} stand for?", long, "definition", "easy", 0.6, "acronym")


def _expansion(words: list[str], short: str) -> str:
    """Return the words at the end of a list whose initials spell the acronym, or nothing."""
    letters = [char.lower() for char in short if char.isupper()]
    if not 2 <= len(letters) <= 7 or any(char.isdigit() for char in short) or sum(char.islower() for char in short) > 2:
        return ""
    for size in range(2, min(len(words), len(letters) + 4) + 1):
        chosen = words[-size:]
        if chosen[0].lower() in _SMALL or any(re.search(r"[^\w’'-]", word) for word in chosen):
            continue
        parts = [part for word in chosen for part in word.split("-") if part and (part.lower() not in _SMALL)]
        if [part[0].lower() for part in parts] == letters:
            return re.sub(r"['’]s?\Z", "", " ".join(chosen))
    return ""
