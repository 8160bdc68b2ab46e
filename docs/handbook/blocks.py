"""A Markdown page as a short list of blocks, the one form from which every other format is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["heading", "paragraph", "bullets", "numbers", "table", "code"]

_OPENS: dict[str, Kind] = {"bullet_list_open": "bullets", "ordered_list_open": "numbers", "table_open": "table"}
_CLOSES = frozenset(name.replace("open", "close") for name in _OPENS)


@dataclass(frozen=True)
class Run:
    """A piece of a line in one style."""

    text: str
    code: bool = False
    bold: bool = False


@dataclass(frozen=True)
class Block:
    """One block. `lines` holds a paragraph's line, a list's items, a table's cells row by row, or lines of code."""

    kind: Kind
    lines: tuple[tuple[Run, ...], ...]
    level: int = 0
    columns: int = 0


@dataclass
class _Open:
    kind: Kind
    level: int = 0
    lines: list[tuple[Run, ...]] = field(default_factory=list)
    columns: int = 0


def markdown() -> MarkdownIt:
    """Return the Markdown dialect of the handbook: CommonMark with tables."""
    return MarkdownIt("commonmark").enable("table")


def parse(page: str) -> list[Block]:
    """Return the blocks of a page in order. Lists are flat and quotes are not used in the handbook."""
    return list(_blocks(markdown().parse(page)))


def plain(runs: tuple[Run, ...]) -> str:
    """Return the text of a line without its styles."""
    return "".join(run.text for run in runs)


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    outer: _Open | None = None
    level = 0
    for token in tokens:
        if token.type in _OPENS:
            outer = _Open(_OPENS[token.type])
        elif token.type in _CLOSES and outer:
            yield Block(outer.kind, tuple(outer.lines), columns=outer.columns)
            outer = None
        elif token.type in {"heading_open", "heading_close"}:
            level = int(token.tag[1]) if token.nesting == 1 else 0
        elif token.type == "fence":
            yield Block("code", tuple((Run(line, code=True),) for line in token.content.rstrip("\n").split("\n")))
        elif outer:
            outer.columns += token.type == "th_open"
            outer.lines += [tuple(_runs(token.children or []))] if token.type == "inline" else []
        elif token.type == "inline":
            yield Block("heading" if level else "paragraph", (tuple(_runs(token.children or [])),), level=level)


def _runs(children: list[Token]) -> Iterator[Run]:
    bold = False
    for child in children:
        if child.type in {"strong_open", "strong_close"}:
            bold = child.type == "strong_open"
        elif child.type in {"softbreak", "hardbreak"}:
            yield Run(" ", bold=bold)
        elif child.content:
            yield Run(child.content, code=child.type == "code_inline", bold=bold)
