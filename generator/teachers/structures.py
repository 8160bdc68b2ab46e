"""Pairs from what is no running text: tables, lists, headings, options of commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doceo.core.records import Chunk
from doceo.text.sentences import Sentence
from generator.teachers.checks import passes
from generator.teachers.grammar.plain import plain
from generator.teachers.passage import Passage, Proposal
from generator.teachers.patterns import glossary, headings, lists, options

WHOLE = re.compile(r"[A-Z“\"'‘`(*\[].*[.!?][\"'”’)*_`]*\Z|[a-z][\w.+-]*[-_.\d][\w.+-]*\s.*[.!?][\"'”’)*_`]*\Z", re.S)
"""A sentence that begins and ends as one."""
_DASHES = re.compile(r"^[ \t]*(?:[-*][ \t]+)?`{0,2}-{1,2}[A-Za-z]", re.M)


def from_rows(passage: Passage) -> Iterator[Proposal]:
    """Yield what the rows of Markdown tables answer."""
    found = passage.found
    at = 0
    while at < len(found):
        end = at
        while end < len(found) and found[end].kind == "row":
            end += 1
        if end - at >= 4:
            yield from _from_table(passage, found[at:end])
        at = max(end, at + 1)


def _from_table(passage: Passage, table: Sequence[Sentence]) -> Iterator[Proposal]:
    cells = [_cells(passage, row) for row in table]
    if not all(re.fullmatch(r":?-+:?", cell) for cell in _raw_cells(passage.raw(table[1]))):
        return
    keys = [row[0] for row in cells[2:] if row]
    for row, made in zip(table[2:], cells[2:], strict=True):
        for candidate in glossary.rows(cells[0], keys, made, passage.terms.is_name):
            if passes(candidate):
                yield passage.proposal(candidate, row, row)


def _raw_cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _cells(passage: Passage, row: Sentence) -> list[str]:
    return [plain(cell, passage.terms.known).text for cell in _raw_cells(passage.raw(row))]


def from_lists(passage: Passage) -> Iterator[Proposal]:
    """Yield what lists answer whose leading line says what they list."""
    found = passage.found
    for n, lead in enumerate(found[:-1]):
        if lead.kind != "prose" or not passage.raw(lead).endswith(":") or found[n + 1].kind != "item":
            continue
        end = n + 1
        while end < len(found) and found[end].kind == "item":
            end += 1
        items = [passage.plain(item).text for item in found[n + 1 : end]]
        if len({item.block for item in found[n + 1 : end]}) != len(items) or end == len(found):
            continue
        for candidate in lists.bulleted(passage.plain(lead).text, items):
            if passes(candidate):
                yield passage.proposal(candidate, lead, found[end - 1])


def from_options(passage: Passage) -> Iterator[Proposal]:
    """Yield what options of commands do."""
    for option in options.options(passage.text) if _DASHES.search(passage.text) else ():
        for candidate in options.propose(option):
            if passes(candidate):
                start, end = option.start, option.end
                at = passage.offset
                yield Proposal(candidate, at + start, at + end, passage.text[start:end])


def from_headings(passage: Passage, chunk: Chunk) -> Iterator[Proposal]:
    """Yield headings that are questions, with what stands below them."""
    found = passage.found
    titled = [(passage.raw(s), n + 1) for n, s in enumerate(found) if s.kind == "heading"]
    if chunk.heading_path and (not found or found[0].kind != "heading"):
        titled.insert(0, (chunk.heading_path[-1], 0))
    for heading, at in titled:
        end = at
        while end < len(found) and end < at + 4 and found[end].kind == "prose" and found[end].block == found[at].block:
            end += 1
        texts = [passage.plain(sentence).text for sentence in found[at:end]]
        for candidate in headings.propose(heading, texts):
            if texts and passes(candidate) and WHOLE.match(texts[0]):
                size = sum(text in candidate.answer for text in texts)
                yield passage.proposal(candidate, found[at], found[at + size - 1])
