"""Boilerplate: headers, footers, navigation, licences and notices, told by their recurring on many pages.

Evidence are runs of six words, digits not compared, as hashes (shingles: Broder 1997; for templates of web pages,
Gibson, Punera and Tomkins 2005). A run recurs where it stands in at least five documents and as many as the square
root of their number, or on at least five pages and a tenth of the pages of one document; runs that are mostly numbers
do not count. A chunk is boilerplate where recurring runs hold four fifths of its words.

What recurs in a document is boilerplate only while it is the smaller part of it, or short: several versions of one
text share most of it, and that is no boilerplate. No seed, linear in the text.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.records import Chunk, Document
from doceo.text.hashed_terms import Hashes, Places, hashes, runs, tokenize
from doceo.text.repeats import among

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN = 6
FEWEST = 5
"""Documents, or pages of one document, that a run has to stand in."""
PAGES = 0.1
COVERED = 0.8
SMALLER_PART, SHORT = 0.5, 400
"""Share of a document's words, and words, up to which that which recurs in it may be boilerplate."""
_NUMBER = re.compile(r"\b\d+\b")


def boilerplate(documents: Sequence[Document], chunks: Sequence[Chunk]) -> frozenset[str]:
    """Return the ids of the chunks that are boilerplate, to be left out of planning; they stay in the index."""
    pages = {document.id: document.pages for document in documents}
    by_document: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        by_document.setdefault(chunk.document_id, []).append(chunk)
    across: list[Hashes] = []
    within: list[Hashes] = []
    for name, own in by_document.items():
        found, owners = _terms(own)
        across.append(np.unique(_runs(found, owners)[0]))
        within.append(_on_many_pages(own, found, owners, pages.get(name, ())))
    known = np.unique(np.concatenate([_frequent(across, max(FEWEST, math.isqrt(len(across)))), *within]))
    if not len(known):
        return frozenset()
    return frozenset(chunk.id for own in by_document.values() for chunk in _recurring(own, known))


def _terms(chunks: Sequence[Chunk]) -> tuple[Hashes, Places]:
    """Return the terms of chunks, and the number of the chunk that each stands in."""
    blocks = list(tokenize(_NUMBER.sub("0", chunk.text) for chunk in chunks))
    return np.concatenate([block.hashes for block in blocks]), np.concatenate([block.text for block in blocks])


def _runs(terms: Hashes, owners: Places) -> tuple[Hashes, Places]:
    """Return the runs that lie in one chunk and are not mostly numbers, and where each begins.

    A chunk of fewer words is one run.
    """
    whole, start = runs(terms, RUN), np.arange(max(len(terms) - RUN + 1, 0))
    words = np.cumsum(np.concatenate([[0], terms != hashes("0")[0]]))
    counts = (owners[: len(whole)] == owners[RUN - 1 :]) & (2 * (words[RUN:] - words[: len(whole)]) >= RUN)
    parts, starts = [whole[counts]], [start[counts]]
    for first, last in _short(owners):
        if 2 * (words[last] - words[first]) >= last - first:
            parts.append(runs(terms[first:last], last - first))
            starts.append(np.array([first]))
    return np.concatenate(parts), np.concatenate(starts)


def _short(owners: Places) -> Iterator[tuple[int, int]]:
    """Yield the stretches of chunks of fewer terms than a run has."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(owners)) + 1, [len(owners)]])
    for at in np.flatnonzero((np.diff(edges) < RUN) & (np.diff(edges) > 0)):
        yield int(edges[at]), int(edges[at + 1])


def _on_many_pages(chunks: Sequence[Chunk], terms: Hashes, owners: Places, pages: Sequence[int]) -> Hashes:
    """Return the runs that recur on the pages of one document."""
    least = max(FEWEST, round(PAGES * len(pages)))
    if len(pages) < least:
        return np.empty(0, dtype=np.uint64)
    found, starts = _runs(terms, owners)
    page = np.array([bisect_right(pages, chunk.span.start) for chunk in chunks], dtype=np.int64)[owners[starts]]
    order = np.argsort(page, kind="stable")
    edges = np.flatnonzero(np.diff(page[order])) + 1
    return _frequent([np.unique(part) for part in np.split(found[order], edges)], least)


def _frequent(sets: Sequence[Hashes], least: int) -> Hashes:
    """Return the hashes that are in at least so many of the sets."""
    every = np.sort(np.concatenate(sets)) if sets else np.empty(0, dtype=np.uint64)
    if len(every) < least:
        return np.empty(0, dtype=np.uint64)
    return np.unique(every[least - 1 :][every[least - 1 :] == every[: len(every) - least + 1]])


def _recurring(chunks: Sequence[Chunk], known: Hashes) -> list[Chunk]:
    """Return the chunks of one document that are boilerplate."""
    terms, owners = _terms(chunks)
    sizes = np.bincount(owners, minlength=len(chunks))
    covered = np.bincount(owners[_covered(terms, owners, known)], minlength=len(chunks))
    found = (covered >= COVERED * sizes) & (sizes > 0)
    if sizes[found].sum() > max(SHORT, SMALLER_PART * sizes.sum()):
        return []
    return [chunk for chunk, is_boilerplate in zip(chunks, found, strict=True) if is_boilerplate]


def _covered(terms: Hashes, owners: Places, known: Hashes) -> NDArray[np.bool_]:
    """Say which terms stand in a known run."""
    found, starts = _runs(terms, owners)
    starts = starts[among(found, known)]
    covered = np.zeros(len(terms), dtype=np.bool_)
    for place in range(RUN):
        at = np.minimum(starts + place, len(terms) - 1)
        # a short chunk's only run must not reach into its neighbour
        covered[at[owners[at] == owners[starts]]] = True
    return covered
