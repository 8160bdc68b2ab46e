"""Figures in a text: dates, years, quantities with their units, amounts of money, percentages, and names. By rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

FigureKind = Literal["date", "year", "quantity", "percent", "money", "number", "name"]

# Every pattern looks at its first character before all else: most places are left at once, in a third of the time.
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)"
)
_YEAR = r"(?:1[0-9]|20)\d{2}"
_DAY = r"(?:[0-3]?\d)(?:st|nd|rd|th)?"
DATE = re.compile(
    rf"\b(?=[ADFJMNOS\d])(?:{_MONTH}\s+{_DAY},?\s+{_YEAR}|{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}|"
    rf"{_MONTH},?\s+{_YEAR}|{_YEAR}-[01]\d-[0-3]\d|{_MONTH}\s+{_DAY}|{_DAY}\s+{_MONTH})\b"
)
"""A calendar date with a month, such as July 5, 2002 or 5 July 2002 or July 2002."""
YEAR = re.compile(rf"(?=[1-9])(?<![\w.,/-])(?:{_YEAR}s?|(?:[1-9]\d{{0,3}})\s+(?:BC|AD|BCE|CE))(?![\w/-]|[.,]\d)")
"""A year of four digits from 1000 to 2099, a decade, or a year with its era."""
_DIGITS = r"(?=[-+±~≈\d])(?<![\w.,/-])[-+±~≈]?(?:\d{1,3}(?:[ ,]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_WORDED = (
    r"\b(?=[bdefhmnst])(?:(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    r"sixteen|seventeen|eighteen|nineteen|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|dozen)(?:[ -]|\b))+"
)
NUMBER = re.compile(
    rf"(?:{_DIGITS})(?:\s+(?:thousand|million|billion|trillion))?(?![\w-]|[.,]\d)|{_WORDED}(?<=\w)", re.I
)
"""A number in digits or in words."""
_UNITS = (
    r"(?:%|percent|per cent|bytes?|bits?|[kKMGTP]i?B|[kMG]?Hz|ms|µs|ns|seconds?|minutes?|hours?|days?|weeks?|"
    r"months?|years?|"
    r"tokens?|characters?|words?|pages?|rows?|lines?|pixels?|dpi|[kcmn]?m|km|miles?|feet|foot|inches|inch|kg|"
    r"g|mg|pounds?|lbs?|"
    r"°C|°F|degrees|[kM]?W|[kM]?Wh|V|A|people|employees|users|times|parameters|layers|steps|USD|EUR|dollars|euros)"
)
QUANTITY = re.compile(rf"(?:{_DIGITS})\s?{_UNITS}(?!\w)|{_WORDED}(?<=\w)\s{_UNITS}(?!\w)")
"""A number with its unit."""
PERCENT = re.compile(rf"(?:{_DIGITS})\s?(?:%|percent\b|per cent\b)")
MONEY = re.compile(
    rf"[$€£¥]\s?\d[\d,]*(?:\.\d+)?(?:\s(?:thousand|million|billion|trillion))?|(?:{_DIGITS})(?:\s(?:million|"
    rf"billion))?\s(?:dollars|euros|USD|EUR)\b"
)
NAME = re.compile(
    r"\b(?=[A-Z])(?:"
    r"(?!(?:By|In|On|At|The|A|An|For|From|To|With|And|Of|As|When|If|After|Before|Since|But|This|That|It|He|She)\s)"
    r"[A-Z][\w'’-]*[a-z][\w'’-]*(?:\s(?:(?:of|the|de|van|von|for|&)\s)?(?:[A-Z]\.\s)?[A-Z][\w'’-]*)+|"
    r"(?:[A-Z]\.\s)+[A-Z][a-z]+|[A-Z]{2,}[\w-]*|[A-Z][a-z]+[A-Z]\w*)"
)
"""Two or more capitalised words, initials with a surname, an acronym, or a word in camel case."""
_ORDER: tuple[tuple[FigureKind, re.Pattern[str]], ...] = (
    ("date", DATE),
    ("money", MONEY),
    ("percent", PERCENT),
    ("quantity", QUANTITY),
    ("year", YEAR),
    ("number", NUMBER),
    ("name", NAME),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """The characters `start` to `end` of a text and what stands there."""

    start: int
    end: int
    kind: FigureKind


def figures(text: str) -> list[Figure]:
    """Return the dates, amounts, numbers and names of a text in order, without overlap; the more telling kind wins."""
    taken = bytearray(len(text))
    found: list[Figure] = []
    for kind, pattern in _ORDER:
        for match in pattern.finditer(text):
            start, end = match.span()
            if end > start and not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(Figure(start, end, kind))
    return sorted(found, key=lambda figure: figure.start)
