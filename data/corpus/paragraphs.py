"""A text as paragraphs: what is kept or dropped, with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_GAP = re.compile(r"\n(?:[^\S\n]*\n)+|\n?\f\n?")
"""Blank lines, or a page's end."""
_LONG_LINE, _LONG_BLOCK = 200, 10_000
"""Characters from which a line is not wrapped, so that every line is a paragraph; and of a block that is no one."""


@dataclass(slots=True)
class Paragraph:
    """A paragraph, or a whole row.

    Attributes:
        line: Number of its first line in the source.
        text: What it says.
        gap: What parts it from the paragraph before: a blank line, or a line's end only.
        whole: Whether it is all of its text.
        compared: Whether it is compared with similar ones.
        reason: Why it is dropped; empty where it is kept.
    """

    line: int
    text: str
    gap: str = "\n\n"
    whole: bool = False
    compared: bool = True
    reason: str = ""


def paragraphs(text: str, line: int = 1) -> Iterator[Paragraph]:
    """Yield the paragraphs of a text whose first line has the given number; blank ones are left out.

    Blank lines part them, and line ends do where lines are not wrapped: one of a block is longer than 200 characters,
    or the block than 10,000.
    """
    at = 0
    for gap in _GAP.finditer(text):
        block = text[at : gap.start()]
        yield from _of_block(block, line)
        line += block.count("\n") + gap.group().count("\n")
        at = gap.end()
    yield from _of_block(text[at:], line)


def _of_block(block: str, line: int) -> Iterator[Paragraph]:
    if not block or block.isspace():
        return
    lines = block.split("\n")
    if len(block) <= _LONG_BLOCK and (len(lines) == 1 or max(map(len, lines)) <= _LONG_LINE):
        first = next(i for i, one in enumerate(lines) if one and not one.isspace())
        yield Paragraph(line + first, "\n".join(lines[first:]).rstrip())
        return
    gap = "\n\n"
    for number, one in enumerate(lines, line):
        if one and not one.isspace():
            yield Paragraph(number, one.rstrip(), gap)
            gap = "\n"


def joined(kept: list[Paragraph]) -> str:
    """Return the text that paragraphs make, without a line end at its end."""
    return "".join((part.gap if i else "") + part.text for i, part in enumerate(kept))
