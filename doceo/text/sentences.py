"""Where the sentences of a text stand, by rules: first blocks (paragraphs, items, headings, rows, code), then stops.

Works on Markdown, on plain text and on what comes out of PDF pages, with or without hard line breaks. Spans are
half-open code-point offsets, in order, without overlap, trimmed of white space, and together they hold every
character that is not white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from doceo.text.blocks import STOPS, Block, BlockKind, each_block
from doceo.text.words import closed

SentenceKind = Literal["prose", "item", "heading", "row", "code"]

ABBREVIATIONS = closed(
    "e.g i.e cf vs viz al approx resp mr mrs ms dr prof sr jr st mt fig figs eq eqs no nos sec secs ch chap art "
    "arts vol vols ed eds p pp par para ref refs inc ltd co corp dept univ assn bros gen col maj capt lt sgt rep "
    "sen gov hon rev jan feb mar apr jun jul aug sept sep oct nov dec mon tue wed thu fri sat sun u.s u.k e.u u.n "
    "a.m p.m ph.d b.c a.d n.b incl excl est max min avg dim tel ext ca et"
)
_ENDS_ANYWAY = frozenset(
    {"etc", "a.m", "p.m", "ph.d", "inc", "ltd", "co", "corp", "u.s", "u.k", "jr", "sr", "al", "no"}
)
_STARTERS = closed(
    "the this that these those it its he she they we i you there here in on at for from with by as if when while "
    "although because however moreover thus then so but and or a an all each every some many most to after before "
    "since during once until unless what how why who where which both another such"
)
_CLOSERS = r"[\"'”’»)\]*_`]*+"
_NOTES = r"(?:\[\[?[^\[\]\s]{1,8}\]\]?(?:\([^()\s]*(?:\s\"[^\"\n]*\")?\))?(?::\s?\d+(?:[-–]\d+)?)?)*"
_STOP = re.compile(
    rf"[.!?…{STOPS}](?:"
    rf"(?<=[.!?…])(?<![.!?…]{{2}})[.!?…]*+(?P<after>{_CLOSERS}{_NOTES})(?P<gap>\s++)|"
    rf"(?<=[{STOPS}])[{STOPS}]*+[」』”’»）】]*+)"
)
"""A run of stops is taken whole or not at all, so that a million dots cost no more than a million letters.

It begins with a set of characters, since that is what is searched for quickly.
"""
_LAST_WORD = re.compile(r"[\w.&'’-]*+\Z")
_NEXT_WORD = re.compile(r"\w+")
_DOTTED = re.compile(r"(?:[a-z]\.)+[a-z]")
_NUMBER = re.compile(r"[\d.]*")
_MARKS = "\"'”’»)]*_`"
_OPENERS = "\"'“‘«([*_`<"


@dataclass(frozen=True, slots=True)
class Sentence:
    """The characters `start` to `end` of a text.

    `kind` is the block the sentence stands in; `block` is the number of that block from the top, so that two
    sentences of one paragraph have the same.
    """

    start: int
    end: int
    kind: SentenceKind
    block: int


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of a text in order.

    Code blocks, table rows and headings are one span each. A list item is cut into sentences like a paragraph; its
    marker belongs to the first of them.
    """
    return [
        Sentence(start, end, _kind(block.kind), number)
        for number, block in enumerate(each_block(text))
        for start, end in block_sentences(text, block)
    ]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of every sentence of a text in order, whatever block it stands in."""
    return [span for block in each_block(text) for span in block_sentences(text, block)]


def _kind(kind: BlockKind) -> SentenceKind:
    return kind


def block_sentences(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of the sentences of one block; code, a row or a heading is one."""
    start = block.start
    if block.kind not in ("prose", "item"):
        yield start, block.end
        return
    for match in _STOP.finditer(text, block.body, block.end):
        if match["gap"] is None:
            cut, resume = match.end(), _skip_space(text, match.end(), block.end)
        else:
            cut, resume = match.start("gap"), match.end()
            if not _is_end(text, block, match, resume):
                continue
        if resume >= block.end:
            break
        if cut > start:
            yield start, cut
        start = resume
    if start < block.end:
        yield start, block.end


def _skip_space(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at


def _is_end(text: str, block: Block, match: re.Match[str], resume: int) -> bool:
    """Tell whether a full stop ends its sentence, from the word before it and the one after it."""
    if resume >= block.end:
        return True
    following = text[resume : resume + 40].lstrip(_OPENERS)
    head = following[:1]
    lower = head.islower()
    stop = text[match.start() : match.start("after")]
    if "!" in stop or "?" in stop:
        return not lower
    stem_end = match.start()
    while stem_end > block.body and text[stem_end - 1] in _MARKS:
        stem_end -= 1
    before = _LAST_WORD.search(text, max(block.body, stem_end - 30), stem_end)
    word = before.group().lower().strip("'’") if before else ""
    if not word and text[match.start() - 1 : match.start()].isspace():
        return False
    if not stop.strip(".") and len(stop) > 1:
        return not lower
    next_word = _NEXT_WORD.match(following)
    opens = head.isupper() and next_word is not None and next_word.group().lower() in _STARTERS
    if word in ABBREVIATIONS or word == "etc":
        return opens and word in _ENDS_ANYWAY
    if (
        len(word) == 1
        and word.isalpha()
        and before is not None
        and before.group().isupper()
        and stem_end == match.start()
    ):
        return opens and text[max(block.body, match.start() - 3) : match.start() - 1].strip() != "" and word != "i"
    if _DOTTED.fullmatch(word):
        return opens
    if _NUMBER.fullmatch(word) and match.start() - len(word) <= block.body:
        return False
    return not lower or len(word) >= 4
