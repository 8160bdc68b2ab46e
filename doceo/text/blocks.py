"""Blocks of a text: paragraphs, list items, headings, table rows, code. Rules over lines of Markdown or plain text.

Linear in the text, whatever stands in it: a line of 50 MB is one paragraph, a million open fences are a million lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from doceo.text.fences import Fence, fences

BlockKind = Literal["prose", "item", "heading", "row", "code"]

_ITEM = re.compile(r"\s*(?:>\s*)?(?:[-*+•◦▪‣●○■–—]|\d{1,3}[.)]|[a-zA-Z][.)]|\([a-z0-9]{1,3}\))[ \t]+(?=\S)")
_ATX = re.compile(r"\s{0,3}#{1,6}\s+\S")
_UNDERLINE = re.compile(r"\s{0,3}(={3,}|-{3,}|~{3,}|\*{3,})\s*\Z")
_NUMBERED = re.compile(
    r"\s*(?:(?:chapter|section|part|appendix)\s+[\dA-Z]+|\d+(?:\.\d+)+\.?|[A-Z]\.\d+(?:\.\d+)*\.?)\s+\S", re.I
)
_ROW = re.compile(r"\s*\|.*\|\s*\Z|[^|]*\s\|\s[^|]*\s\|\s.*\Z")
_BOLD_LINE = re.compile(r"\s*(\*\*|__)[^*_]{1,100}\1:?\s*\Z")
STOPS = "。！？｡؟۔।॥።။។"
"""What ends a sentence in scripts other than the Latin ones, mostly without a blank after it."""
_ENDS = (*".!?:;,", *"；：，", *STOPS)
_MARKS_AFTER = "\"'”’»)]*_`」』）】"
_SENTENCE_WITHIN = re.compile(rf"[{STOPS}]|[a-z]{{4}}[.!?]\s[A-Z]")
_LONGEST_HEADING = 200
_LONGEST_TITLE = 120
"""Characters of a heading that has a mark (`#`, underline), and of one that only looks like one."""
_LONGEST_UNSPACED = 40
"""Characters of a title without blanks, in scripts that are written so."""
_MOST_LINES = 2000
"""Lines that are looked at together; a longer paragraph is cut, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Block:
    """The characters `start` to `end` of a text; `body` is where the words begin, after a list marker."""

    start: int
    end: int
    body: int
    kind: BlockKind


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


def blocks(text: str) -> list[Block]:
    """Return the blocks of a text in order; every character that is not white space stands in one of them."""
    return list(each_block(text))


def each_block(text: str) -> Iterator[Block]:
    """Yield what `blocks` returns, one by one, so that a long text takes little memory.

    A fenced stretch is code, unless it is (nearly) all there is: a file that is one preformatted block is text.
    """
    at = 0
    for fence in (*fences(text), Fence(len(text), len(text))):
        for lines in _line_groups(text, at, fence.start):
            yield from _paragraph(lines, text)
        if fence.end > fence.start:
            yield _block(text, fence.start, fence.end, "code")
        at = fence.end


def _line_groups(text: str, at: int, end: int) -> Iterator[list[_Line]]:
    """Yield the lines between blank lines, at most `_MOST_LINES` together."""
    group: list[_Line] = []
    while at < end:
        stop = text.find("\n", at, end)
        stop = stop if stop >= 0 else end
        line = text[at:stop].rstrip()
        if line:
            group.append(_Line(at, at + len(line), line))
        if group and (not line or len(group) == _MOST_LINES):
            yield group
            group = []
        at = stop + 1
    if group:
        yield group


def _paragraph(lines: list[_Line], text: str) -> Iterator[Block]:
    """Cut lines without a blank line between them into headings, rows, items and prose."""
    width = sorted(len(line.text) for line in lines)[len(lines) // 2]
    opened: list[_Line] = []
    for n, line in enumerate(lines):
        following = lines[n + 1] if n + 1 < len(lines) else None
        if "|" in line.text and _ROW.match(line.text):
            yield from _flush(opened, text)
            yield _block(text, line.start, line.end, "row")
        elif _UNDERLINE.match(line.text):
            if len(opened) == 1 and len(opened[0].text) <= _LONGEST_HEADING:
                yield _block(text, opened[0].start, line.end, "heading")
                opened.clear()
            else:
                yield from _flush(opened, text)
                yield _block(text, line.start, line.end, "heading")
        elif _is_heading(line, opened, following, width, alone=len(lines) == 1):
            yield from _flush(opened, text)
            yield _block(text, line.start, line.end, "heading")
        else:
            if _ITEM.match(line.text):
                yield from _flush(opened, text)
            opened.append(line)
    yield from _flush(opened, text)


def _flush(opened: list[_Line], text: str) -> Iterator[Block]:
    if opened:
        start, end = opened[0].start, opened[-1].end
        marker = _ITEM.match(opened[0].text)
        if marker:
            item = _block(text, start, end, "item")
            yield Block(item.start, item.end, start + marker.end(), "item")
        else:
            yield _block(text, start, end, "prose")
    opened.clear()


def _block(text: str, start: int, end: int, kind: BlockKind) -> Block:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Block(start, end, start, kind)


def _is_heading(line: _Line, opened: list[_Line], following: _Line | None, width: int, *, alone: bool) -> bool:
    if len(line.text) > _LONGEST_HEADING:
        return False
    if _ATX.match(line.text) or (_BOLD_LINE.match(line.text) and (following is None or not opened)):
        return True
    if not _may_be_title(line.text, alone=alone) or (_ITEM.match(line.text) and not _NUMBERED.match(line.text)):
        return False
    if _NUMBERED.match(line.text) and len(line.text) <= 90 and _may_follow(opened):
        return True
    if alone:
        words = line.text.split()
        return len(words) <= 12 and not words[0][:1].islower()
    return _is_short_title(line, opened, following, width)


def _may_be_title(line: str, *, alone: bool) -> bool:
    """Tell whether a line without a mark of a heading has the length and the ending of one."""
    if len(line) > _LONGEST_TITLE or max(map(len, line.split())) > _LONGEST_UNSPACED:
        return False
    if _SENTENCE_WITHIN.search(line, 0, len(line) - 1) or not any(map(str.isalnum, line)):
        return False
    if line.rstrip(_MARKS_AFTER).endswith(tuple(STOPS)):
        return False
    question = line.endswith("?") and alone and len(line.split()) <= 12
    return question or not line.endswith(_ENDS)


def _may_follow(opened: list[_Line]) -> bool:
    """Tell whether a heading may stand after these lines: a sentence that is still open goes on."""
    return not opened or opened[-1].text.endswith(_ENDS) or len(opened[-1].text) < 50


def _is_short_title(line: _Line, opened: list[_Line], following: _Line | None, width: int) -> bool:
    """Recognise a heading that a PDF gives without blank lines: short, capitalised, a sentence begins after it."""
    if following is None or not following.text[:_LONGEST_HEADING].strip()[:1].isupper():
        return False
    if opened and not opened[-1].text.endswith(_ENDS):
        return False
    text = line.text.strip()
    return (
        text[:1].isupper() and len(text) <= min(70, 0.75 * max(width, len(following.text))) and len(text.split()) <= 10
    )
