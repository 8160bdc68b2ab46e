"""Headings: how deep one stands and what it is called."""

from __future__ import annotations

import re

_ATX = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_NUMBERED = re.compile(r"^\s*(?:[A-Z](?=\.)|\d+)((?:\.\d+)*)\.?\s+(?=\S)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_PLAIN_LEVEL, _RULE_LEVEL = 2, 7
_LINES = frozenset("=-~*")


def heading_of(text: str) -> tuple[int, str]:
    """Return (level, title) of a heading block: `#` signs, an underline, a number such as 2.1, or level 2.

    A rule across the page is below all levels and has no title.
    """
    lines = text.split("\n")
    if len(lines) == 1 and set(text.strip()) <= _LINES:
        return _RULE_LEVEL, ""
    if atx := _ATX.match(lines[0]):
        return len(atx.group(1)), _plain(atx.group(2))
    if len(lines) > 1 and set(lines[-1].strip()) <= _LINES:
        return (1 if lines[-1].strip().startswith("=") else 2), _plain(" ".join(lines[:-1]))
    if numbered := _NUMBERED.match(text):
        return min(6, 1 + numbered.group(1).count(".")), _plain(" ".join(lines))
    return _PLAIN_LEVEL, _plain(" ".join(lines))


def _plain(heading: str) -> str:
    return " ".join(re.sub(r"[*_`]+|\{#[^}]*\}|¶", "", _LINK.sub(r"\1", heading)).split())
