"""Headings: how deep one stands and what it is called."""

from __future__ import annotations

import re
from typing import NamedTuple

_ATX = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_NUMBERED = re.compile(r"^\s*(?:[A-Z](?=\.)|\d+)((?:\.\d+)*)\.?\s+(?=\S)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_PLAIN_LEVEL, _RULE_LEVEL = 2, 7
_LINES = frozenset("=-~*")


class Heading(NamedTuple):
    """How deep a heading stands, what it is called, and whether a sign or an underline says that it is one."""

    level: int
    title: str
    marked: bool = False


def heading_of(text: str) -> Heading:
    """Return the heading of a block: `#` signs, an underline, a number such as 2.1, or level 2.

    A rule across the page is below all levels and has no title.
    """
    lines = text.split("\n")
    if len(lines) == 1 and set(text.strip()) <= _LINES:
        return Heading(_RULE_LEVEL, "")
    if atx := _ATX.match(lines[0]):
        return Heading(len(atx.group(1)), _plain(atx.group(2)), marked=True)
    if len(lines) > 1 and set(lines[-1].strip()) <= _LINES:
        return Heading(1 if lines[-1].strip().startswith("=") else 2, _plain(" ".join(lines[:-1])), marked=True)
    if numbered := _NUMBERED.match(text):
        return Heading(min(6, 1 + numbered.group(1).count(".")), _plain(" ".join(lines)))
    return Heading(_PLAIN_LEVEL, _plain(" ".join(lines)))


def _plain(heading: str) -> str:
    return " ".join(re.sub(r"[*_`]+|\{#[^}]*\}|¶", "", _LINK.sub(r"\1", heading)).split())
