"""Blocks of a text: paragraphs, list items, headings, table rows, code. Rules over lines of Markdown or plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["prose", "item", "heading", "row", "code"]

_LINE = re.compile(r"[^\n]*\n?")
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_ITEM = re.compile(r"\s*(?:>\s*)?(?:[-*+•◦▪‣●○■–—]|\d{1,3}[.)]|[a-zA-Z][.)]|\([a-z0-9]{1,3}\))[ \t]+(?=\S)")
_ATX = re.compile(r"\s{0,3}#{1,6}\s+\S")
_UNDERLINE = re.compile(r"\s{0,3}(={3,}|-{3,}|~{3,}|\*{3,})\s*\Z")
_NUMBERED = re.compile(
    r"\s*(?:(?:chapter|section|part|appendix)\s+[\dA-Z]+|\d+(?:\.\d+)+\.?|[A-Z]\.\d+(?:\.\d+)*\.?)\s+\S", re.I
)
_ROW = re.compile(r"\s*\|.*\|\s*\Z|[^|]*\s\|\s[^|]*\s\|\s.*\Z")
_BOLD_LINE = re.compile(r"\s*(\*\*|__)[^*_]{1,100}\1:?\s*\Z")
_ENDS = (".", "!", "?", ":", ";", ",", "。", "！", "？")


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
    lines = [
        _Line(match.start(), match.start() + len(match.group().rstrip()), match.group().rstrip())
        for match in _LINE.finditer(text)
        if match.group()
    ]
    found: list[Block] = []
    at = 0
    while at < len(lines):
        if not lines[at].text:
            at += 1
        elif fence := _FENCE.match(lines[at].text):
            at = _take_code(lines, at, fence.group(1), text, found)
        else:
            after = at
            while after < len(lines) and lines[after].text and not _FENCE.match(lines[after].text):
                after += 1
            found.extend(_paragraph(lines[at:after], text))
            at = after
    return found


def _take_code(lines: list[_Line], at: int, fence: str, text: str, found: list[Block]) -> int:
    last = at + 1
    while last < len(lines) and not lines[last].text.strip().startswith(fence):
        last += 1
    end = lines[min(last, len(lines) - 1)].end
    found.append(_block(text, lines[at].start, max(end, lines[at].end), "code"))
    return last + 1


def _paragraph(lines: list[_Line], text: str) -> Iterator[Block]:
    """Cut lines without a blank line between them into headings, rows, items and prose."""
    width = sorted(len(line.text) for line in lines)[len(lines) // 2]
    opened: list[_Line] = []
    for n, line in enumerate(lines):
        following = lines[n + 1] if n + 1 < len(lines) else None
        if _ROW.match(line.text) and "|" in line.text:
            yield from _flush(opened, text)
            yield _block(text, line.start, line.end, "row")
        elif _UNDERLINE.match(line.text):
            if len(opened) == 1:
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
    words = line.text.split()
    if _ATX.match(line.text) or (_BOLD_LINE.match(line.text) and (following is None or not opened)):
        return True
    if line.text.endswith(_ENDS) and not (line.text.endswith("?") and alone and len(words) <= 12):
        return False
    if _ITEM.match(line.text) and not _NUMBERED.match(line.text):
        return False
    if _NUMBERED.match(line.text) and len(line.text) <= 90 and _may_follow(opened):
        return True
    if alone:
        return len(words) <= 12 and not words[0][:1].islower()
    return _is_short_title(line, opened, following, width)


def _may_follow(opened: list[_Line]) -> bool:
    """Tell whether a heading may stand after these lines: a sentence that is still open goes on."""
    return not opened or opened[-1].text.endswith(_ENDS) or len(opened[-1].text) < 50


def _is_short_title(line: _Line, opened: list[_Line], following: _Line | None, width: int) -> bool:
    """Recognise a heading that a PDF gives without blank lines: short, capitalised, a sentence begins after it."""
    if following is None or not following.text.strip()[:1].isupper():
        return False
    if opened and not opened[-1].text.endswith(_ENDS):
        return False
    text = line.text.strip()
    return (
        text[:1].isupper() and len(text) <= min(70, 0.75 * max(width, len(following.text))) and len(text.split()) <= 10
    )
