"""Units of a document: stretches of its text, each small enough for a chunk, with their sizes in tokens.

A block is one unit where it fits; else its sentences are (of code: its stanzas, then its lines), else stretches that
end at blanks, else halves of those. Texts are measured by the tokenizer in batches, each by itself, so that neither
time nor memory depends on how a document is divided into lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from data.headings import Heading, heading_of
from doceo.core.protocols import Tokens
from doceo.core.records import Document
from doceo.text.blocks import Block, each_block
from doceo.text.sentences import block_sentences

_STANZA = re.compile(r"\S[^\n]*+(?:\n(?![ \t]*\n)[^\n]*+)*+")
_LINE = re.compile(r"\S[^\n]*+")
_STRETCH = re.compile(r"(?s).{0,95}[\s，、；：。！？]|[^\s，、；：。！？]{1,768}")
_JOINERS = "\u200d\ufe0e\ufe0f"
_BATCH_CHARACTERS, _BATCH_TEXTS = 1 << 18, 4096
_WORTH_COUNTING = 4
"""Characters for each token that fits, from which a block is not counted as a whole first."""


@runtime_checkable
class Counts(Protocol):
    """A tokenizer that counts the tokens of many texts at once, without their places."""

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of every text, without special tokens."""
        ...


class Unit(NamedTuple):
    """The characters `start` to `end` of a document, trimmed of blank space.

    Units of one `run` belong together: the items of a list, the rows of a table, the sentences of a paragraph.
    `opens` says that a chunk may begin here although no heading does.
    """

    start: int
    end: int
    run: int
    path: tuple[str, ...]
    heading: bool = False
    opens: bool = False
    tokens: int = 0


class _Rough(NamedTuple):
    """A unit that may be too long, and how often its block has been divided to get it."""

    unit: Unit
    block: Block
    depth: int = 0


def count_tokens(tokens: Tokens, texts: Sequence[str]) -> list[int]:
    """Return the number of tokens of every text by itself."""
    return tokens.counts(texts) if isinstance(tokens, Counts) else [len(tokens.offsets(text)) for text in texts]


def units(document: Document, tokens: Tokens, most: int, longest: int) -> Iterator[Unit]:
    """Yield the units of a document in order: at most `most` tokens and `longest` characters each, but for headings.

    Every character that is not white space stands in one of them. A heading under which there is no text is text
    itself; all others are in the `path` of what stands under them.
    """
    return _measured(document.text, _roughs(document), tokens, most, longest)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the offsets without the blank space at both ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def halves(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the two halves of a stretch, cut at the blank nearest to its middle, else between two characters."""
    middle = (start + end) // 2
    before = next((at for at in range(middle, start, -1) if text[at - 1].isspace()), start)
    after = next((at for at in range(middle, end) if text[at].isspace()), end)
    cut = before if middle - before <= after - middle and before > start else after
    if cut in (start, end):
        cut = _whole(text, start, middle)
    parts = (trimmed(text, start, cut), trimmed(text, cut, end))
    return [(first, last) for first, last in parts if last > first]


def _whole(text: str, start: int, cut: int) -> int:
    """Return a cut that does not part a letter from its marks, where there is one."""
    at = cut
    while at > start + 1 and (unicodedata.combining(text[at]) or text[at] in _JOINERS or text[at - 1] == _JOINERS[0]):
        at -= 1
    return at if at > start + 1 else cut


class _Sections:
    """Where in a document's outline one stands: the headings above, and of these the ones that still wait for text.

    A heading under which no text comes, since one of its own level or the end follows, is text itself.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._above: list[tuple[int, str]] = []
        self._waiting: list[tuple[int, Block]] = []

    def path(self) -> tuple[str, ...]:
        """Return the titles above, without the document's own."""
        return tuple(name for _, name in self._above if name != self._title)

    def enter(self, level: int, title: str, block: Block) -> None:
        """Begin a section."""
        self._above = [(high, name) for high, name in self._above if high < level]
        self._above.append((level, title))
        self._waiting.append((level, block))

    def with_text(self, run: int) -> Iterator[_Rough]:
        """Yield the headings that wait, since text comes under them."""
        for _, block in self._waiting:
            yield _Rough(Unit(block.start, block.end, run, self.path(), heading=True), block)
        self._waiting.clear()

    def without_text(self, run: int, level: int = 0) -> Iterator[_Rough]:
        """Yield the headings that wait if the last of them gets no text: a heading of this level follows."""
        if self._waiting and self._waiting[-1][0] >= level:
            _, last = self._waiting.pop()
            self._above.pop()
            opens = not self._waiting and level > 0
            yield from self.with_text(run)
            yield _Rough(Unit(last.start, last.end, run, self.path(), opens=opens), last)


def _roughs(document: Document) -> Iterator[_Rough]:
    """Yield a document's blocks with their heading paths."""
    kind, run, above = "", 0, 0
    sections = _Sections(document.title)
    for block in each_block(document.text):
        run += not (block.kind == kind and kind in ("item", "row"))
        kind = block.kind
        level, title, marked = _heading(document, block)
        if title:
            above = level if marked else above
            # what only looks like a heading, such as a caption, ends no section of those that are marked
            level += 0 if marked else above
            yield from sections.without_text(run, level)
            sections.enter(level, title, block)
        else:
            yield from sections.with_text(run)
            yield _Rough(Unit(block.start, block.end, run, sections.path(), heading=kind == "heading"), block)
    yield from sections.without_text(run + 1)


def _heading(document: Document, block: Block) -> Heading:
    """Return the heading of a block, without a title if it is none; a PDF's text has no marks."""
    if block.kind != "heading":
        return Heading(0, "")
    found = heading_of(document.text[block.start : block.end])
    return found._replace(marked=found.marked and document.media_type != "application/pdf")


def _measured(text: str, roughs: Iterable[_Rough], tokens: Tokens, most: int, longest: int) -> Iterator[Unit]:
    for batch in _batches(_short(text, roughs, most, longest)):
        known = [rough for rough in batch if rough.unit.end - rough.unit.start <= longest]
        found = iter(count_tokens(tokens, [text[rough.unit.start : rough.unit.end] for rough in known]))
        for rough in batch:
            size = next(found) if rough.unit.end - rough.unit.start <= longest else most + 1
            if size <= most or rough.unit.heading or rough.unit.end - rough.unit.start < 2:
                yield rough.unit._replace(tokens=size)
            else:
                yield from _measured(text, _finer(text, rough), tokens, most, longest)


def _short(text: str, roughs: Iterable[_Rough], most: int, longest: int) -> Iterator[_Rough]:
    """Divide what is certainly, or most likely, too long without counting it."""
    for rough in roughs:
        size = rough.unit.end - rough.unit.start
        likely = rough.depth == 0 and size > _WORTH_COUNTING * most
        if (size > longest or likely) and not rough.unit.heading:
            yield from _short(text, _finer(text, rough), most, longest)
        else:
            yield rough


def _finer(text: str, rough: _Rough) -> Iterator[_Rough]:
    unit, block, depth = rough
    spans = _divided(text, unit.start, unit.end, block, depth)
    for start, end in spans:
        yield _Rough(unit._replace(start=start, end=end), block, depth + 1)


def _divided(text: str, start: int, end: int, block: Block, depth: int) -> Iterator[tuple[int, int]]:
    if block.kind == "code" and depth < 2:
        pattern = (_STANZA, _LINE)[depth]
    elif block.kind in ("prose", "item") and depth == 0:
        yield from block_sentences(text, block)
        return
    elif depth < 3:
        pattern = _STRETCH
    else:
        yield from halves(text, start, end)
        return
    for match in pattern.finditer(text, start, end):
        first, last = trimmed(text, *match.span())
        if last > first:
            yield first, last


def _batches(roughs: Iterable[_Rough]) -> Iterator[list[_Rough]]:
    batch: list[_Rough] = []
    size = 0
    for rough in roughs:
        batch.append(rough)
        size += rough.unit.end - rough.unit.start
        if size >= _BATCH_CHARACTERS or len(batch) >= _BATCH_TEXTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
