"""Search over all passages without a model or an index on disk: for wrong passages, and for those that belong together.

BM25 (Robertson and others 1994) over hashed terms, so it works in every language; postings are flat arrays, five
bytes a term of a passage, built by one sort. What is found depends on the passages alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.joining import JoiningTerms
from doceo.core.records import Chunk
from doceo.text.hashed_terms import Hashes, Places, hashes, tokenize

_K1, _B = 1.2, 0.75
_COUNT_BITS = 6
_COMMON, _COMMON_SHARE = 1000, 20
"""A term in more than a thousand passages, and more than a twentieth of all, is searched for only where all are so."""
_MOST_TERMS = 32
"""The rarest terms of a text that are searched for."""
_RARE, _MOST_HELD = ((3, 8), (8, 50)), 64
"""A term that joins passages stands in few of them: in an eighth or 3, in a fiftieth or 8, and in 64 at most."""
_ALIKE, _ENOUGH = 0.6, 5
"""Passages that share more of their rare terms than this say the same; they do not belong together."""


class Related(NamedTuple):
    """A passage that belongs to another, and the names and rare terms of both, the most telling first."""

    chunk: Chunk
    shared: tuple[str, ...]


class PassageSearch:
    """Finds passages by the terms that they share with a text. Safe for several threads.

    It is built in time linear in the text, and holds about four bytes for ten characters besides the passages.
    """

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = list(chunks)
        count = len(self._chunks)
        self._drop = count.bit_length() + _COUNT_BITS
        blocks, lengths = self._keys()
        average = max(float(lengths.mean()), 1.0) if count else 1.0
        self._norm = (_K1 * (1 - _B + _B * lengths / average)).astype(np.float32)
        keys = _emptied(blocks)
        keys.sort()
        terms = keys >> np.uint64(self._drop)
        first = np.append(np.flatnonzero(np.diff(terms) != 0) + 1, len(keys))
        first = np.insert(first, 0, 0) if len(keys) else first
        self._terms: Hashes = terms[first[:-1]]
        self._first: Places = first
        del terms
        self._times = (keys & np.uint64((1 << _COUNT_BITS) - 1)).astype(np.uint8)
        keys >>= np.uint64(_COUNT_BITS)
        keys &= np.uint64((1 << count.bit_length()) - 1)
        self._places = keys.astype(np.uint32)

    def like(self, question: str, n: int, without: Collection[Chunk] = ()) -> list[Chunk]:
        """Return up to n passages that share terms with a question, best first, no two of equal text.

        Args:
            question: Any text; of a long one the rarest terms count.
            n: How many.
            without: Passages that are not wanted, nor any of the same text.
        """
        return self.like_terms(hashes(question), n, without)

    def like_terms(self, terms: Hashes, n: int, without: Collection[Chunk] = ()) -> list[Chunk]:
        """Return what `like` finds, of a question's hashed terms: many questions are hashed sooner than each alone."""
        taken = {chunk.text_sha256 for chunk in without}
        found: list[Chunk] = []
        places, sizes = self._known(terms)
        for place in self._ranked(places[self._telling(sizes)], 1.0, n + len(taken)):
            if len(found) >= n:
                break
            chunk = self._chunks[place]
            if chunk.text_sha256 not in taken:
                taken.add(chunk.text_sha256)
                found.append(chunk)
        return found

    def related(self, chunk: Chunk, n: int) -> list[Related]:
        """Return up to n other passages, of any document, that name the same rare things, best first.

        Names count double. Passages that say much the same as the given one are left out.
        """
        own = JoiningTerms(chunk.text)
        places, sizes = self._known(own.hashes)
        limit = min(_MOST_HELD, *(max(least, len(self._chunks) // part) for least, part in _RARE))
        rare = self._terms[places[(sizes > 1) & (sizes <= limit)]]
        joining = own.joining(rare, self._drop)
        order = sorted(joining)
        weights = np.array([joining[term][0] for term in order])
        found: list[Related] = []
        taken = {chunk.text_sha256}
        wanted = np.searchsorted(self._terms, np.array(order, dtype=np.uint64))
        for place in self._ranked(wanted, weights, 2 * n):
            if len(found) >= n:
                break
            other = self._chunks[place]
            if other.text_sha256 in taken:
                continue
            taken.add(other.text_sha256)
            held = set((hashes(other.text) >> np.uint64(self._drop)).tolist())
            both = [term for term in joining if term in held]
            alike = len(joining) >= _ENOUGH and len(both) > _ALIKE * len(joining)
            if not alike and (shared := own.phrases([joining[term][1] for term in both], other.text)):
                found.append(Related(other, shared))
        return found

    def _keys(self) -> tuple[list[Hashes], NDArray[np.float64]]:
        """Return, for every term of every passage, its hash, passage and count in one number; and the lengths."""
        count = len(self._chunks)
        lengths = np.zeros(count)
        keys: list[Hashes] = []
        for block in tokenize(" ".join((*chunk.heading_path, chunk.text)) for chunk in self._chunks):
            if not len(block.hashes):
                continue
            low, high = int(block.text[0]), int(block.text[-1]) + 1
            lengths[low:high] += np.bincount(block.text - low, minlength=high - low)
            place = block.text.astype(np.uint64) << np.uint64(_COUNT_BITS)
            term = block.hashes >> np.uint64(self._drop) << np.uint64(self._drop)
            single, times = np.unique(np.bitwise_or(term, place), return_counts=True)
            keys.append(np.bitwise_or(single, np.minimum(times, (1 << _COUNT_BITS) - 1).astype(np.uint64)))
        return keys, lengths

    def _known(self, found: Hashes) -> tuple[Places, Places]:
        """Return the places of the terms of a text that passages hold, each once, and how many hold each."""
        wanted = np.unique(found >> np.uint64(self._drop))
        at = np.searchsorted(self._terms, wanted)
        inside = at < len(self._terms)
        wanted, at = wanted[inside], at[inside]
        at = at[self._terms[at] == wanted]
        return at, self._first[at + 1] - self._first[at]

    def _telling(self, sizes: Places) -> Places:
        """Return the positions of the rarest terms."""
        order = np.argsort(sizes, kind="stable")[:_MOST_TERMS]
        few = order[sizes[order] <= max(_COMMON, len(self._chunks) // _COMMON_SHARE)]
        return few if len(few) else order

    def _ranked(self, terms: Places, weights: NDArray[np.float64] | float, first: int) -> Iterator[int]:
        """Yield the passages that hold any of the terms, best first; `first` are likely to be enough.

        Terms are given by their places, with their weights.
        """
        if not len(terms):
            return
        low, high = self._first[terms], self._first[terms + 1]
        held = high - low
        rarity = np.log1p((len(self._chunks) - held + 0.5) / (held + 0.5))
        factor = np.repeat((rarity * weights * (_K1 + 1)).astype(np.float32), held)
        postings = [slice(*ends) for ends in zip(low.tolist(), high.tolist(), strict=True)]
        places = np.concatenate([self._places[part] for part in postings])
        times = np.concatenate([self._times[part] for part in postings]).astype(np.float32)
        scores = np.zeros(len(self._chunks), dtype=np.float32)
        np.add.at(scores, places, factor * times / (times + self._norm[places]))
        yield from _best_first(places, scores[places], len(terms), first)


def _emptied(blocks: list[Hashes]) -> Hashes:
    """Return arrays as one, in reverse; the list is emptied on the way, so that there are hardly ever two copies."""
    joined = np.empty(sum(map(len, blocks)), dtype=np.uint64)
    at = 0
    while blocks:
        block = blocks.pop()
        joined[at : at + len(block)] = block
        at += len(block)
    return joined


def _best_first(places: NDArray[np.uint32], scores: NDArray[np.float32], repeats: int, first: int) -> Iterator[int]:
    """Yield places by score, then place; each may stand there up to `repeats` times. Sorts no more than it must."""
    size, given = max(first, 16), 0
    while True:
        some = size * repeats
        if some < len(places):
            least = np.partition(scores, len(scores) - some)[len(scores) - some]
            chosen = scores >= least
        else:
            chosen = np.ones(len(places), dtype=bool)
        kept, index = np.unique(places[chosen], return_index=True)
        order = np.lexsort((kept, -scores[chosen][index]))
        yield from (int(place) for place in kept[order[given:]])
        if some >= len(places):
            return
        given, size = len(order), 4 * size
