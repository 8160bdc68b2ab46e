"""How much of a text is repeated from other texts, by runs of eight terms. Linear, eight bytes a term of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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


def texts_with(texts: Sequence[str], parts: Sequence[str], least: int) -> set[int]:
    """Return the positions of the texts that hold a part word for word: one of at least `least` terms.

    Case, spaces and punctuation do not count. A part is looked for by its first run, and compared where that stands.
    """
    wanted: dict[int, dict[int, list[Hashes]]] = {}
    for terms in hashes_of(list(dict.fromkeys(parts))):
        width = min(len(terms), RUN)
        if width >= max(least, 1):
            wanted.setdefault(width, {}).setdefault(int(runs(terms[:width], width)[0]), []).append(terms)
    known = {width: np.sort(np.fromiter(firsts, dtype=np.uint64)) for width, firsts in wanted.items()}
    found: set[int] = set()
    for block in tokenize(texts):
        for width, firsts in wanted.items():
            starts = runs(block.hashes, width)
            for at in np.flatnonzero(among(starts, known[width])).tolist():
                if int(block.text[at]) not in found and any(
                    _stands(terms, block, at) for terms in firsts[int(starts[at])]
                ):
                    found.add(int(block.text[at]))
    return found


def _stands(terms: Hashes, block: Terms, at: int) -> bool:
    end = at + len(terms)
    return (
        end <= len(block.hashes)
        and bool(block.text[end - 1] == block.text[at])
        and bool(np.array_equal(block.hashes[at:end], terms))
    )
