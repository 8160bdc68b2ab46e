"""Text as read to text as kept: line ends, invisible characters, page headers and footers, wrapped lines."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence

_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff\x00-\x08\x0b\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_BULLET = re.compile(r"^\s*(?:[-*•‣▪◦–—]|\d{1,3}[.)]|[a-zA-Z][.)])\s+")
_ENDS = re.compile(r"[.!?:;][\"'”’)\]]*$")


def normalise(text: str) -> str:
    """Return a text with plain line ends, no invisible or control characters, and at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n").replace("\u00a0", " ")
    text = _INVISIBLE.sub("", text)
    text = re.sub(r"[ \t]+\n", "\n", text)
    return _BLANKS.sub("\n\n", text).strip("\n") + "\n" if text.strip() else ""


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

    A line is taken to go on in the next one when it is nearly as long as the page's usual line and the next does
    not start a list item; short lines (headings, ends of paragraphs) stay apart.
    """
    lines = [line.strip() for line in text.split("\n")]
    lengths = [len(line) for line in lines if len(line) > 20]
    width = statistics.quantiles(lengths, n=10)[7] if len(lengths) > 4 else 80
    paragraphs: list[str] = []
    open_line = False
    for line in lines:
        if not line:
            open_line = False
            continue
        if open_line and not _BULLET.match(line):
            paragraphs[-1] = _join(paragraphs[-1], line)
        else:
            paragraphs.append(line)
        open_line = len(line) > 0.75 * width or (
            len(line) > 0.5 * width and not _ENDS.search(line) and line[-1:] in ",-"
        )
        if open_line and _ENDS.search(line) and len(line) < 0.9 * width:
            open_line = False
    return "\n\n".join(paragraphs)


def _join(first: str, second: str) -> str:
    if re.search(r"[a-z]-$", first) and second[:1].islower():
        return first[:-1] + second
    return f"{first} {second}"


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())
