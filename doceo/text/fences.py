"""Fenced code of Markdown (CommonMark 4.5), and whether it is code at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARK = re.compile(r"^[ \t]*(?:(`{3,})[^`\n]*|(~{3,})[^\n]*)$", re.MULTILINE)
_SIGN = re.compile(r"[{}()\[\];=<>_$\\|&@#]")
_ALL = 0.8
"""Share of a text that stands in fences from which the text is a preformatted file."""
_CODE_SIGNS = 0.045
"""Share of signs among the characters of code. Measured on files of C, Python, shell and TOML: .054 to .164; on 43
manuals, reports and books: at most .035, but for one page of tables (.060).
"""
_SAMPLE = 20_000


class Fence(NamedTuple):
    """The characters `start` to `end` of a text: a fenced stretch, its marks included."""

    start: int
    end: int


class _Mark(NamedTuple):
    start: int
    end: int
    sign: str
    opens: bool
    closes: bool


def fences(text: str) -> list[Fence]:
    """Return the fenced code of a text in order. Linear.

    A fence that nothing closes fences nothing. Where (nearly) the whole text stands in fences, a single one is no
    code, and of several those are none that read like prose.
    """
    if "```" not in text and "~~~" not in text:
        return []
    found = list(_closed([_mark(match, text) for match in _MARK.finditer(text)]))
    if sum(end - start for start, end in found) < _ALL * len(text.strip()):
        return found
    return [fence for fence in found if len(found) > 1 and not _reads_like_prose(text, fence)]


def _mark(match: re.Match[str], text: str) -> _Mark:
    sign, start = match[1] or match[2], match.start()
    # tildes right under a line are the underline of a heading
    opens = sign[0] == "`" or start == 0 or text.endswith("\n\n", 0, start)
    return _Mark(start, match.end(), sign, opens, match.group().strip() == sign)


def _closed(marks: list[_Mark]) -> Iterator[Fence]:
    longest = _longest_closers(marks)
    at = 0
    while at < len(marks):
        opening = marks[at]
        at += 1
        if not opening.opens or longest[at].get(opening.sign[0], 0) < len(opening.sign):
            continue
        while not (marks[at].closes and marks[at].sign.startswith(opening.sign)):
            at += 1
        yield Fence(opening.start, marks[at].end)
        at += 1


def _longest_closers(marks: list[_Mark]) -> list[dict[str, int]]:
    """Return, for every mark and for the end, the longest closing mark of each sign from there on."""
    longest: list[dict[str, int]] = [{}]
    for mark in reversed(marks):
        known = longest[-1]
        if mark.closes and len(mark.sign) > known.get(mark.sign[0], 0):
            known = {**known, mark.sign[0]: len(mark.sign)}
        longest.append(known)
    return longest[::-1]


def _reads_like_prose(text: str, fence: Fence) -> bool:
    sample = "".join(text[fence.start : min(fence.end, fence.start + _SAMPLE)].split())
    return len(_SIGN.findall(sample)) < _CODE_SIGNS * len(sample)
