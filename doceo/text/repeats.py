"""How much of a text is repeated from other texts, by runs of eight terms. Linear, eight bytes a term of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from doceo.text.hashed_terms import Hashes, Places, Terms, hashes_of, runs, tokenize

RUN = 8
"""Terms of a run: eight words in a row that stand in two texts are hardly ever there by chance."""


def runs_by_text(texts: Iterable[str], size: int = RUN) -> Iterator[tuple[Hashes, Places]]:
    """Yield the runs of texts in order, some at a time, and the number of the text that each stands in."""
    for block in tokenize(texts):
        found = runs(block.hashes, size)
        first, last = block.text[: len(found)], block.text[size - 1 :]
        inside = first == last
        yield found[inside], first[inside]


def known_runs(texts: Iterable[str]) -> Hashes:
    """Return the distinct runs of texts, sorted."""
    parts = [found for found, _ in runs_by_text(texts)]
    every = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
    every.sort()
    return every[np.flatnonzero(np.diff(every, prepend=~every[:1]))]


def among(found: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Say which hashes are among the known, which are sorted and distinct."""
    if not len(known):
        return np.zeros(len(found), dtype=np.bool_)
    order = np.argsort(found)  # searching in order stays in the processor's cache
    at = np.minimum(np.searchsorted(known, found[order]), len(known) - 1)
    held = np.empty(len(found), dtype=np.bool_)
    held[order] = known[at] == found[order]
    return held


def repeated_shares(texts: Iterable[str], count: int, known: Hashes) -> NDArray[np.float64]:
    """Return, for each of `count` texts, the share of its runs that are among the known; 0 where it has no run."""
    held, total = np.zeros(count), np.zeros(count)
    for found, owners in runs_by_text(texts):
        held += np.bincount(owners[among(found, known)], minlength=count)
        total += np.bincount(owners, minlength=count)
    return held / np.maximum(total, 1)


def counted_in(texts: Iterable[str], known: Hashes) -> Places:
    """Return, for each of the known runs, how many texts it stands in; they are sorted and distinct."""
    counts = np.zeros(len(known), dtype=np.int64)
    for found, owners in runs_by_text(texts):
        held = among(found, known)
        places = np.searchsorted(known, found[held])
        both = np.unique(np.stack([places, owners[held]]), axis=1)
        counts += np.bincount(both[0], minlength=len(known))
    return counts


class Parts:
    """Parts of texts, those of at least `least` terms, to be found in other texts word for word.

    Case, spaces and punctuation do not count. A part is looked for by its first run, and compared where that stands.
    """

    def __init__(self, parts: Iterable[str], least: int) -> None:
        by_width: dict[int, list[Hashes]] = {}
        for terms in hashes_of(list(dict.fromkeys(parts))):
            if len(terms) >= max(least, 1):
                by_width.setdefault(min(len(terms), RUN), []).append(terms)
        self._wanted: dict[int, dict[int, list[Hashes]]] = {width: {} for width in by_width}
        for width, group in by_width.items():
            first_runs = runs(np.concatenate([terms[:width] for terms in group]), width)[::width]
            for first, terms in zip(first_runs.tolist(), group, strict=True):
                self._wanted[width].setdefault(first, []).append(terms)
        self._known = {width: np.sort(np.fromiter(firsts, np.uint64)) for width, firsts in self._wanted.items()}

    def holders(self, block: Terms) -> set[int]:
        """Return the numbers of the texts of a block that hold a part."""
        found: set[int] = set()
        for width, firsts in self._wanted.items():
            starts = runs(block.hashes, width)
            for at in np.flatnonzero(among(starts, self._known[width])).tolist():
                text = int(block.text[at])
                if text not in found and any(_stands(terms, block, at) for terms in firsts[int(starts[at])]):
                    found.add(text)
        return found


def texts_with(texts: Iterable[str], *kinds: Parts) -> list[set[int]]:
    """Return, for each kind of parts, the positions of the texts that hold one."""
    found: list[set[int]] = [set() for _ in kinds]
    for block in tokenize(texts):
        for places, parts in zip(found, kinds, strict=True):
            places |= parts.holders(block)
    return found


def _stands(terms: Hashes, block: Terms, at: int) -> bool:
    end = at + len(terms)
    return (
        end <= len(block.hashes)
        and bool(block.text[end - 1] == block.text[at])
        and bool(np.array_equal(block.hashes[at:end], terms))
    )
