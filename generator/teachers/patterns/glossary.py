"""Rows of tables and entries of glossaries: what a term means, what an option does, which value something has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from doceo.text.verbs import base_of
from doceo.text.words import closed, is_plural
from generator.teachers.patterns.definitions import ATTRIBUTES
from generator.teachers.statement import Candidate, full, tidy

_MEANING = re.compile(
    r"(?:meaning|description|definition|explanation|purpose|what it (?:does|is|means)|it is|means)", re.I
)
_ENTRY = re.compile(r"(?P<term>[^:–—]{2,40}?)\s?(?::|\s[–—-])\s(?P<text>\S.{12,400})", re.S)
_FLAG = re.compile(r"-{1,2}[A-Za-z][\w-]*(?:[ =][A-Z<][\w>]*)?")
_NO_HEADER = closed(
    "notes note comment comments description remarks details no nr id example examples reference references source link"
)
_COLUMNS = closed("year country symbol")
_CELL = re.compile(r"[A-Za-z][A-Za-z /-]{2,30}")


def rows(
    header: Sequence[str], keys: Sequence[str], row: Sequence[str], is_name: Callable[[str], bool]
) -> Iterator[Candidate]:
    """Yield the questions that one row of a table answers, given its header and the first cells of all rows."""
    if len(header) != len(row) or not 2 <= len(header) <= 7 or len(set(keys)) != len(keys) or len(keys) < 2:
        return
    key, subject = row[0], header[0]
    if not re.search(r"[A-Za-z]{2}", key) or len(key.split()) > 5 or not _CELL.fullmatch(subject):
        return
    for name, cell in zip(header[1:], row[1:], strict=True):
        if not cell or cell in ("-", "–", "—", "?", "n/a") or len(cell.split()) > 40:
            continue
        if _MEANING.fullmatch(name):
            yield from _meaning(subject, key, cell)
        elif _is_value(subject, name) and _is_named(key, is_name):
            yield from _value(key, name, cell)


def _is_value(subject: str, name: str) -> bool:
    return bool(_CELL.fullmatch(name)) and name.lower() not in _NO_HEADER and not is_plural(subject)


def _meaning(subject: str, key: str, cell: str) -> Iterator[Candidate]:
    if len(cell.split()) < 3:
        return
    subject = subject.lower()
    if subject in ("term", "terms", "word", "concept"):
        yield Candidate(f"What does the term {key} mean?", full(cell), "definition", "easy", 0.8, "row meaning")
    elif re.fullmatch(r"[a-z]+(?: [a-z]+)?", subject):
        ask = "do" if base_of(cell.split()[0].lower(), "s") else "mean"
        yield Candidate(
            f"What does the {subject} {key} {ask}?", full(cell), "definition", "medium", 0.78, "row meaning"
        )


def _is_named(key: str, is_name: Callable[[str], bool]) -> bool:
    """Tell whether a row is about something with a name, rather than about a common word with a capital."""
    words = key.split()
    if len(words) > 4:
        return False
    return all(re.search(r"\d|\w[A-Z]|[_./-]", word) or (word[:1].isupper() and is_name(word)) for word in words)


def _value(key: str, name: str, cell: str) -> Iterator[Candidate]:
    if len(cell.split()) > 8 or "," in key:
        return
    name = name if name.isupper() else name[:1].lower() + name[1:]
    if is_plural(name) and re.match(r"[\d~]", cell):
        yield Candidate(f"How many {name} does {key} have?", cell, "quantity", "medium", 0.75, "row count")
    elif name.lower() in ATTRIBUTES or name.lower() in _COLUMNS:
        yield Candidate(f"What is the {name} of {key}?", cell, "fact", "medium", 0.72, "row value")


def entry(text: str, marked: Sequence[str], *, is_code: bool) -> Iterator[Candidate]:
    """Yield what a list entry such as "Term: a definition" explains."""
    match = _ENTRY.fullmatch(text)
    if match is None:
        return
    term, meaning = match["term"].strip(" .:"), match["text"].strip()
    words = meaning.split()
    if (
        len(words) < 4
        or len(term.split()) > 5
        or not re.search(r"[A-Za-z]{2}", term)
        or words[0].lower() in ("see", "the", "this", "these", "and")
    ):
        return
    if not (is_code or any(mark.strip(" :.") == term for mark in marked) or _FLAG.fullmatch(term)):
        return
    if base_of(words[0].lower(), "s") and (is_code or _FLAG.fullmatch(term)):
        yield Candidate(f"What does {term} do?", full(meaning), "fact", "medium", 0.78, "entry does")
    elif words[0].lower() in ("a", "an"):
        yield Candidate(tidy(f"What is {_article(term)}") + "?", full(meaning), "definition", "easy", 0.8, "entry")


def _article(term: str) -> str:
    if not re.fullmatch(r"[A-Z]?[a-z]+(?: [a-z]+)*", term) or is_plural(term):
        return term
    lower = term[:1].lower() + term[1:]
    return ("an " if lower[0] in "aeiou" else "a ") + lower
