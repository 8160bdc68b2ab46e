"""Text as read to text as kept: line ends, invisible characters, page headers and footers, wrapped lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from doceo.text.surrogates import without_surrogates

_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff\x00-\x08\x0b\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_TRAILING = re.compile(r"(?<![ \t])[ \t]+\n")
"""Blanks at a line's end. It begins to match only where blanks begin, so that a long run of them costs no square."""
_BULLET = re.compile(r"^\s*(?:[-*•‣▪◦–—]|\d{1,3}[.)]|[a-zA-Z][.)])\s+")
_ENDS = re.compile(r"[.!?:;][\"'”’)\]]*$")


def normalise(text: str) -> str:
    """Return a text with plain line ends, no invisible or control characters, and at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n").replace("\u00a0", " ")
    text = _INVISIBLE.sub("", without_surrogates(text))
    text = _TRAILING.sub("\n", text)
    return _BLANKS.sub("\n\n", text).strip("\n") + "\n" if text and not text.isspace() else ""


def unescaped(markdown: str) -> str:
    """Return Markdown made from another format without backslashes before _ * and #, but for code blocks."""
    parts = re.split(r"(^```.*?^```|`[^`\n]+`)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if i % 2 else re.sub(r"\\([_*#<>&\[\]~.+-])", r"\1", part) for i, part in enumerate(parts))


def without_running_lines(pages: Sequence[str]) -> list[str]:
    """Return pages without their headers and footers: edge lines that recur on at least half of the pages.

    Digits are not compared, so that "Page 3" and "Page 4" count as the same line. Needs at least four pages.
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
        top = next((i for i, line in enumerate(lines[:2]) if _shape(line) not in running), min(2, len(lines)))
        end = len(lines)
        while end > top and end > len(lines) - 2 and _shape(lines[end - 1]) in running:
            end -= 1
        kept.append("\n".join(lines[top:end]))
    return kept


def unwrapped(text: str) -> str:
    """Return a page's text with wrapped lines joined to paragraphs, a hyphen at a line's end removed.

    A line goes on in the next one where the next one's first word would not have fitted on it, or where it stops
    within a sentence; a list item or a heading starts anew. Short lines stay apart.
    """
    lines = [line.strip() for line in text.split("\n")]
    lengths = sorted(len(line) for line in lines if len(line) > 20)
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
    if _BULLET.match(following):
        return False
    full = len(line) + 1 + len(following.split(maxsplit=1)[0]) > 0.96 * width
    if _ENDS.search(line):
        heading = len(following) < 0.6 * width and not _ENDS.search(following) and len(after) > 0.5 * width
        return full and not (heading and following[:1].isupper())
    return full or (len(line) > 0.5 * width and following[:1].islower())


def _join(first: str, second: str) -> str:
    if re.search(r"[a-z]-$", first) and second[:1].islower():
        return first[:-1] + second
    return f"{first} {second}"


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())
