"""The terms of texts in any language as 64-bit hashes, to search and compare text by the hundred megabytes.

A term is a lower-cased word, or, in scripts that are written without spaces between words, a pair of neighbouring
characters (as in Lucene's CJKBigramFilter). Hashing is multilinear (Carter and Wegman 1979, Lemire and Kaser 2014)
with a final mix, so equal terms have equal hashes, and different ones differ but for a chance of about 2^-64. Arrays
throughout: a hundred megabytes take seconds, and no term costs a Python object.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

BLOCK = 1 << 20
"""Characters that are hashed at once; bounds the memory that this needs."""
_PLACES = 64
"""Multipliers, a power of two."""
_TABLE = 0x20000
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x312F),
    (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
)  # fmt: skip
"""Thai, Lao, Myanmar, Khmer, Han, kana, bopomofo and Hangul: terms are pairs of characters."""
_BREAK, _WORD, _PAIRED = 0, 1, 2


class Terms(NamedTuple):
    """Some terms, in order: their hashes, the text each stands in, and its half-open offsets there (code points)."""

    hashes: Hashes
    text: Places
    start: Places
    end: Places


def tokenize(texts: Iterable[str]) -> Iterator[Terms]:
    """Yield the terms of texts in order, some at a time. A text longer than `BLOCK` may lose terms where it is cut."""
    waiting: list[tuple[int, int, str]] = []
    size = 0
    for number, text in enumerate(texts):
        for at in range(0, max(len(text), 1), BLOCK):
            piece = text[at : at + BLOCK]
            if size + len(piece) > BLOCK and waiting:
                yield _joined(waiting)
                waiting, size = [], 0
            waiting.append((number, at, piece))
            size += len(piece) + 1
    if waiting:
        yield _joined(waiting)


def hashes(text: str) -> Hashes:
    """Return the hashes of a text's terms, in order."""
    return np.concatenate([block.hashes for block in tokenize([text])])


def hashes_of(texts: Sequence[str]) -> list[Hashes]:
    """Return the hashes of each text's terms; many texts together take a tenth of the time that they take alone."""
    blocks = list(tokenize(texts))
    if not blocks:
        return []
    owners = np.concatenate([block.text for block in blocks])
    ends = np.searchsorted(owners, np.arange(len(texts)), side="right")
    return np.split(np.concatenate([block.hashes for block in blocks]), ends[:-1])


def runs(terms: Hashes, size: int) -> Hashes:
    """Return one hash for every run of `size` terms, in order; fewer terms have none."""
    count = len(terms) - size + 1
    if count <= 0:
        return np.empty(0, dtype=np.uint64)
    total = np.zeros(count, dtype=np.uint64)
    for place in range(size):
        total += terms[place : place + count] * _multipliers()[place % _PLACES]
    return mixed(total)


def mixed(values: Hashes) -> Hashes:
    """Return values whose every bit depends on every bit (splitmix64, Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _joined(pieces: Sequence[tuple[int, int, str]]) -> Terms:
    """Return the terms of pieces of texts, each given with the number of its text and its offset there."""
    found, start, end = _terms("\n".join(piece for _, _, piece in pieces))
    lengths = np.array([len(piece) + 1 for _, _, piece in pieces], dtype=np.int64)
    begins = np.cumsum(lengths) - lengths
    counts = np.diff(np.searchsorted(start, begins), append=len(start))
    shift = np.repeat(np.array([at for _, at, _ in pieces], dtype=np.int64) - begins, counts)
    texts = np.repeat(np.array([number for number, _, _ in pieces], dtype=np.int64), counts)
    return Terms(found, texts, start + shift, end + shift)


def _terms(text: str) -> tuple[Hashes, Places, Places]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds, lowered = _tables()
    known = np.minimum(codes, _TABLE - 1)
    kind, value = kinds[known], lowered[known]
    # Han beyond the table; little else of what lies there is written.
    beyond = codes >= _TABLE
    kind[beyond], value[beyond] = _PAIRED, codes[beyond]
    words, start, end = _words(value, kind == _WORD)
    pairs, first, last = _pairs(value, kind == _PAIRED)
    if not len(first):
        return words, start, end
    every = np.concatenate([start, first])
    order = np.argsort(every, kind="stable")
    return np.concatenate([words, pairs])[order], every[order], np.concatenate([end, last])[order]


def _words(value: Hashes, inside: NDArray[np.bool_]) -> tuple[Hashes, Places, Places]:
    """Return the hashes of the stretches of a mask, and their half-open offsets."""
    start, end = _stretches(inside)
    if not len(start):
        return np.empty(0, dtype=np.uint64), start, end
    place = np.flatnonzero(inside)
    weighed = value[place]
    place -= np.repeat(start, end - start)
    place &= _PLACES - 1
    weighed *= _multipliers()[place]
    begins = np.cumsum(end - start) - (end - start)
    return mixed(np.add.reduceat(weighed, begins)), start, end


def _pairs(value: Hashes, inside: NDArray[np.bool_]) -> tuple[Hashes, Places, Places]:
    """Return the hashes of the pairs of neighbours inside a mask, and of what stands there alone, with offsets."""
    if not inside.any():
        none = np.empty(0, dtype=np.int64)
        return np.empty(0, dtype=np.uint64), none, none
    start, end = _stretches(inside)
    pairs, single = np.flatnonzero(inside[:-1] & inside[1:]), start[end - start == 1]
    one, two = _multipliers()[:2]
    found = np.concatenate([value[pairs] * one + value[pairs + 1] * two, value[single] * one])
    return mixed(found), np.concatenate([pairs, single]), np.concatenate([pairs + 2, single + 1])


def _stretches(inside: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Return the half-open stretches of a mask."""
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return edges[::2], edges[1::2]


@cache
def _multipliers() -> Hashes:
    return mixed(np.arange(1, _PLACES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


@cache
def _tables() -> tuple[NDArray[np.uint8], Hashes]:
    """Return, for every code point below `_TABLE`, its kind and its lower-case form."""
    kinds = np.zeros(_TABLE, dtype=np.uint8)
    lowered = np.arange(_TABLE, dtype=np.uint64)
    for code in range(_TABLE):
        letter = chr(code)
        if letter.isalnum() or letter == "_" or unicodedata.category(letter)[0] == "M":
            kinds[code] = _WORD
            if len(lower := letter.lower()) == 1:
                lowered[code] = ord(lower)
    for first, last in _UNSPACED:
        part = kinds[first : last + 1]
        part[part == _WORD] = _PAIRED
    return kinds, lowered
