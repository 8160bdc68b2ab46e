"""Text that reads like an instruction to a model rather than to a person: names of known patterns and where they stand.

A flag is a hint, shown and weighed, and never a proof: a page about such attacks holds them too, and an attack in
words of its own has none. Patterns are looked for in letters folded to plain ones: case, width, accents, look-alike
letters of other alphabets, digits for letters, letters spaced out, and base64.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from doceo.text.injection_languages import OTHERS
from doceo.text.injection_patterns import ENGLISH

PATTERNS = ENGLISH + OTHERS
ENCODED, SPELLED = "encoded", "spelled-out"
_WHOLE = 20_000
"""Characters of a text that are looked at together; a longer one is looked at in stretches that overlap."""
_OVERLAP = 400
_MIXED = re.compile(r"\b(?=\w*[a-z])(?=\w*[\u0370-\u04ff])\w+\b")
_ALIKE = str.maketrans("асеорхуіјѕԁӏвнкмтɡαεικνορτυχ", "aceopxyijsdlbhkmtgaeiknoptux")
"""Cyrillic and Greek letters that look like Latin ones (of Unicode's confusables, the common ones)."""
_WITHIN = re.compile(r"[a-z][013457@$]{1,2}[a-z]")
_DIGITS = re.compile(r"\b(?=\w*[a-z])(?=\w*[013457])\w{4,}\b")
_LEET = str.maketrans("013457@$", "oieastas")
_SPACED = re.compile(r"(?<!\w)(?:\w[ \t._*·-]{1,2}){8,200}\w(?!\w)")
_COMPACT = re.compile(
    r"(?:ignore|disregard|forget|override)\w{0,24}?(?:previous|prior|above|earlier|your|all)\w{0,12}?(?:instruction|prompt|rule|direct)"
    r"|systemprompt|(?:answer|respond|reply)(?:only|every\w{0,12}|all\w{0,12})with"
)
_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{24,4000}={0,2}(?![\w+/])")


class Injection(NamedTuple):
    """A pattern found: its name, and the characters `start` to `end` of the text."""

    name: str
    start: int
    end: int


class _Folded(dict[int, int]):
    """A table for `str.translate` that gives every character its plain, lower-case form, one for one."""

    def __missing__(self, code: int) -> int:
        letter = unicodedata.normalize("NFKC", chr(code)).casefold()
        plain = unicodedata.normalize("NFD", letter)
        if "a" <= plain[:1] <= "z" and all(map(unicodedata.combining, plain[1:])):
            letter = plain[0]
        self[code] = ord(letter) if len(letter) == 1 else code
        return self[code]


_FOLD = _Folded({ord("’"): ord("'"), ord("‘"): ord("'"), ord("“"): ord('"'), ord("”"): ord('"')})


@lru_cache(maxsize=8192)
def flags(text: str) -> tuple[str, ...]:
    """Return the names of the patterns in a text, each once, sorted; nothing for most texts.

    Costs a few microseconds for a passage without any of the words that patterns begin with; results are kept.
    """
    return tuple(sorted({found.name for found in injections(text)}))


def injections(text: str) -> list[Injection]:
    """Return what in a text looks like an instruction to a model, in order; those of different names may overlap."""
    found: set[Injection] = set()
    for at in range(0, max(len(text), 1), _WHOLE - _OVERLAP):
        part = text[at : at + _WHOLE]
        found.update(Injection(name, start + at, end + at) for name, start, end in _in_part(part))
        if at + _WHOLE >= len(text):
            break
    return sorted(found, key=lambda one: (one.start, one.end, one.name))


def _in_part(text: str) -> list[Injection]:
    folded = text.translate(_FOLD)
    found = _matches(folded)
    plain = folded if folded.isascii() else _MIXED.sub(lambda word: word.group().translate(_ALIKE), folded)
    if len(_WITHIN.findall(plain)) > 1:
        plain = _DIGITS.sub(lambda word: word.group().translate(_LEET), plain)
    if plain != folded:
        found += [one for one in _matches(plain) if one not in found]
    return found + _spelled_out(folded) + _encoded(text)


def _matches(folded: str) -> list[Injection]:
    flat = folded.replace("\n", " ")
    return [
        Injection(pattern.name, match.start(), match.end())
        for pattern in PATTERNS
        if all(any(stem in flat for stem in group) for group in pattern.stems)
        for match in pattern.regex.finditer(folded)
    ]


def _spelled_out(folded: str) -> list[Injection]:
    """Find patterns in runs of single letters, such as "i g n o r e"."""
    return [
        Injection(SPELLED, run.start(), run.end())
        for run in _SPACED.finditer(folded)
        if _COMPACT.search("".join(filter(str.isalnum, run.group())))
    ]


def _encoded(text: str) -> list[Injection]:
    """Find base64 of a text that has a pattern in it."""
    found = []
    for match in _BASE64.finditer(text):
        try:
            inside = base64.b64decode(match.group() + "=" * (-len(match.group()) % 4)).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if inside.isprintable() and _matches(inside.translate(_FOLD)):
            found.append(Injection(ENCODED, match.start(), match.end()))
    return found
