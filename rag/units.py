"""What of a passage can be quoted as an answer: sentences, list items, table rows with their header, pieces of code."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from doceo.text.blocks import STOPS
from doceo.text.passages import without_markers
from doceo.text.sentences import Sentence, SentenceKind, sentences

Fields = tuple[tuple[str, str], ...]

_MARK = re.compile(r"^(?:[-*+•>#]+|\d{1,3}[.)])\s+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s\"[^\"]*\")?\)")
_BOLD = re.compile(r"(\*\*|__|\*)(?=\S)([^*_\n]+?)(?<=\S)\1(?!\w)")
_PAGES = re.compile(r"\[\d{1,3}\]:\s?\d+(?:\s?[-–,]\s?\d+)*")
"""A note's number with pages."""
_NEW_LINE = re.compile(r"(?<=\S)[ \t]*\n\s*(?=[A-Z\d])")
_STOPS = frozenset(".!?:…" + STOPS)
_LONGEST_JOINED = 60
"""Words of a sentence that is put together again."""
_LONGEST_NAME = 6
"""Words of a column's name: a longer "header" is a caption."""
_RULE = re.compile(r"[\s|:+-]*-{2,}[\s|:+-]*")
"""The line under the header of a table."""
_FIELD = re.compile(r"([\w.-]+(?:[ /][\w.()-]+){0,3}):\s+(\S+(?:\s+\S+){0,14})")
_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Unit:
    """The characters `start` to `end` of a passage's text, and how they read alone.

    `text` is on one line and without Markdown's marks, code apart; a row of a table names its columns in it ("Food:
    Ash, Calories: 50"), and `header` is where those stand. `fields` are the names and values of a row or of an item
    such as "- Email: a@b.org". `block` numbers the paragraphs.
    """

    start: int
    end: int
    kind: SentenceKind
    block: int
    text: str
    fields: Fields = ()
    header: tuple[int, int] | None = None


def units(text: str) -> list[Unit]:
    """Return the units of a text in order, headings among them; headers of tables are none."""
    found: list[Unit] = []
    header: Sentence | None = None
    spans = sentences(text)
    for at, span in enumerate(spans):
        piece = text[span.start : span.end]
        if span.kind != "row":
            header = None
            found += [_unit(part, text[part.start : part.end]) for part in _parts(span, piece)]
        elif _RULE.fullmatch(piece):
            continue
        elif at + 1 < len(spans) and _RULE.fullmatch(text[spans[at + 1].start : spans[at + 1].end]):
            header = span
        else:
            found.append(_row(span, piece, header, text))
    return _joined(found, text)


def _joined(found: list[Unit], text: str) -> list[Unit]:
    """Join what the end of a line or a page has cut in two: no stop before, a small letter after."""
    joined: list[Unit] = []
    for unit in found:
        last = joined[-1] if joined else None
        if last is not None and _goes_on(last, unit):
            joined[-1] = replace(unit, start=last.start, text=plain(text[last.start : unit.end]))
        else:
            joined.append(unit)
    return joined


def _goes_on(last: Unit, unit: Unit) -> bool:
    cut = last.kind == unit.kind == "prose" and not ends(last.text) and unit.text[:1].islower()
    return cut and len(last.text.split()) + len(unit.text.split()) <= _LONGEST_JOINED


def ends(text: str) -> bool:
    """Say whether a text ends as a sentence does."""
    return text.rstrip("\"'”’»)]*_")[-1:] in _STOPS


def plain(text: str) -> str:
    """Return a text on one line, without list marks, emphasis, addresses of links, and numbers of notes."""
    text = _LINK.sub(r"\1", _MARK.sub("", " ".join(text.split())))
    return without_markers(_BOLD.sub(r"\2", _PAGES.sub("", text)))


def _parts(span: Sentence, piece: str) -> list[Sentence]:
    """Return a span as it is; where it is too long for a sentence, such as the lines of a box, line by line."""
    if span.kind != "prose" or "\n" not in piece or len(piece.split()) <= _LONGEST_JOINED:
        return [span]
    cuts = [match.end() for match in _NEW_LINE.finditer(piece)]
    places = pairwise([0, *cuts, len(piece)])
    return [Sentence(span.start + a, span.start + len(piece[:b].rstrip()), span.kind, span.block) for a, b in places]


def _unit(span: Sentence, piece: str) -> Unit:
    if span.kind == "code":
        return Unit(span.start, span.end, span.kind, span.block, piece)
    text = plain(piece)
    field = _FIELD.fullmatch(text) if span.kind == "item" else None
    fields = ((field[1], field[2]),) if field else ()
    return Unit(span.start, span.end, span.kind, span.block, text, fields)


def _row(span: Sentence, piece: str, header: Sentence | None, text: str) -> Unit:
    values = _cells(piece)
    names = _cells(text[header.start : header.end]) if header else []
    if header and all(len(name.split()) <= _LONGEST_NAME for name in names) and any(names[1:]):
        fields = tuple((name, value) for name, value in zip(names, values, strict=False) if value)
        place = (header.start, header.end)
    else:
        values = [value for value in values if value]
        fields, place = ((values[0], values[1]),) if len(values) == 2 else (), None
    said = ", ".join(f"{name}: {value}" if name else value for name, value in fields) or ", ".join(values)
    return Unit(span.start, span.end, "row", span.block, said, fields, place)


def _cells(row: str) -> list[str]:
    cells = [plain(cell.strip()) for cell in _CELLS.split(row.strip())]
    inner = cells[1:] if row.lstrip().startswith("|") else cells
    return inner[:-1] if row.rstrip().endswith("|") else inner
