"""Text as read to text as kept: line ends, invisible characters, page headers and footers, wrapped lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from data.hidden import leave_out
from doceo.text.hidden import count_hidden, spelled, without_hidden
from doceo.text.surrogates import without_surrogates

_BLANKS = re.compile(r"\n{3,}")
_TRAILING = re.compile(r"(?<![ \t])[ \t]+\n")
"""Blanks at a line's end. It begins to match only where blanks begin, so that a long run of them costs no square."""
_BULLET = re.compile(r"^\s*(?:[-*•‣▪◦–—]|\d{1,3}[.)]|[a-zA-Z][.)])\s+")
_ENDS = re.compile(r"[.!?:;。！？：；][\"'”’)\]」』）]*$")
_WIDE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff60]")
"""A letter or mark of Chinese and Japanese: twice as wide as a Latin one, and written without blanks."""
_LEADERS = re.compile(r"(?:[ \t]?[.·…]){5,}[ \t]*")
_CONTENTS = re.compile(r"… ?\S{1,5}$")
_PAGE_LABEL = re.compile(r"\s*page\s+\d+(?:\s*(?:of|/)\s*\d+)?\s*", re.IGNORECASE)
_EMPTY_ROW = r"\|(?:[ \t]*\|)+\n"
_HEADLESS = re.compile(rf"^{_EMPTY_ROW}(\|(?:[ \t]*:?-+:?[ \t]*\|)+\n)(?:{_EMPTY_ROW})*(\|.*\|)(?:\n|\Z)", re.MULTILINE)


def normalise(text: str) -> str:
    """Return a text with plain line ends, no invisible or control characters, and at most one blank line in a row.

    Spans are taken in what this returns, so offsets hold whatever it took out. Joiners that a script or an emoji needs
    stay (`doceo.text.hidden`).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n").replace("\u00a0", " ")
    seen = without_hidden(text := without_surrogates(text))
    if seen != text:
        leave_out("invisible character", spelled(text), count_hidden(text))
    text = seen
    text = _TRAILING.sub("\n", text)
    return _BLANKS.sub("\n\n", text).strip("\n") + "\n" if text and not text.isspace() else ""


def unescaped(markdown: str) -> str:
    """Return Markdown made from another format without backslashes before _ * and #, but for code blocks."""
    parts = re.split(r"(^```.*?^```|`[^`\n]+`)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if i % 2 else re.sub(r"\\([_*#<>&\[\]~.+-])", r"\1", part) for i, part in enumerate(parts))


def without_leaders(text: str) -> str:
    """Return a text whose rows of dots, as tables of contents have them, are cut to one sign."""
    return _LEADERS.sub(" … ", text)


def with_table_heads(markdown: str) -> str:
    """Return Markdown where a table with an empty header has its first row as the header."""
    return _HEADLESS.sub(r"\2\n\1", markdown)


def without_running_lines(pages: Sequence[str]) -> list[str]:
    """Return pages without their headers and footers: edge lines that recur on at least half of the pages.

    Digits are not compared, so that "3 of 9" and "4 of 9" count as the same line; a line "Page 3" always counts.
    Needs at least four pages.
    """
    split = [page.strip("\n").split("\n") for page in pages]
    if len(split) < 4:
        return list(pages)
    edges: Counter[str] = Counter()
    for lines in split:
        edges.update({_shape(line) for line in (*lines[:2], *lines[-2:]) if line.strip()})
    running = {shape for shape, count in edges.items() if count >= max(3, len(split) // 2)}
    kept = []
    for lines in split:
        runs = [_shape(line) in running or bool(_PAGE_LABEL.fullmatch(line)) for line in lines]
        top = next((i for i, recurs in enumerate(runs[:2]) if not recurs), min(2, len(lines)))
        end = len(lines)
        while end > top and end > len(lines) - 2 and runs[end - 1]:
            end -= 1
        kept.append("\n".join(lines[top:end]))
    return kept


def unwrapped(text: str) -> str:
    """Return a page's text with wrapped lines joined to paragraphs, a hyphen at a line's end removed.

    A line goes on in the next one where the next one's first word would not have fitted on it, or where it stops
    within a sentence; a list item, a heading or an entry of the contents starts anew. Short lines stay apart.
    """
    lines = [line.strip() for line in text.split("\n")]
    lengths = sorted(_extent(line) for line in lines if _extent(line) > 20)
    width = lengths[int(0.9 * (len(lengths) - 1))] if len(lengths) > 4 else 80
    paragraphs: list[str] = []
    before = ""
    for i, line in enumerate(lines):
        if line and before and _goes_on(before, line, lines[i + 1] if i + 1 < len(lines) else "", width):
            paragraphs[-1] = _join(paragraphs[-1], line)
        elif line:
            paragraphs.append(line)
        before = line
    return "\n\n".join(paragraphs)


def _goes_on(line: str, following: str, after: str, width: int) -> bool:
    """Return whether a paragraph runs from a line into the following one; `after` is the line after that."""
    if _BULLET.match(following) or _CONTENTS.search(line):
        return False
    first = following[0] if _WIDE.match(following) else _WIDE.split(following.split(maxsplit=1)[0])[0]
    full = _extent(line) + 1 + _extent(first) > 0.96 * width
    if _ENDS.search(line):
        heading = _extent(following) < 0.6 * width and not _ENDS.search(following) and _extent(after) > 0.5 * width
        return full and not (heading and following[:1].isupper())
    within = following[:1].islower() or bool(_WIDE.match(line[-1]))
    return full or (within and _extent(line) > 0.5 * width)


def _join(first: str, second: str) -> str:
    if re.search(r"[a-z]-$", first) and second[:1].islower():
        return first[:-1] + second
    return first + second if _WIDE.match(first[-1:]) and _WIDE.match(second) else f"{first} {second}"


def _extent(line: str) -> int:
    return len(line) if line.isascii() else len(line) + len(_WIDE.findall(line))


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())
