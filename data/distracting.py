"""Wrong passages that look right: those that share a question's rare words and do not answer it."""

from __future__ import annotations

from collections.abc import Sequence

from data.holders import answers
from data.search import PassageSearch
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Pair
from doceo.text.hashed_terms import Hashes, hashes_of

_SPARE = 6
"""Passages that are looked at beyond those wanted, since some answer the question after all."""


class Distracting:
    """Finds wrong passages among those that it is given."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = chunks
        self._search = PassageSearch(chunks)
        self._terms: dict[str, Hashes] = {}

    def expect(self, pairs: Sequence[Pair]) -> None:
        """Read the questions of pairs to come; many together take a tenth of the time that they take alone."""
        questions = list(dict.fromkeys(map(_asked, pairs)))
        self._terms = dict(zip(questions, hashes_of(questions), strict=True))

    def like(self, pair: Pair, away: Sequence[Chunk], count: int, number: int = 0) -> list[Chunk]:
        """Return up to `count` passages that do not answer a pair, the likest first.

        Args:
            pair: Whose question to look for, one that was expected; a follow-up with the question before it.
            away: Passages that are not wanted, nor any of the same text.
            count: How many.
            number: 0 gives the likest, 1 those after them, and so on; passages without a common word fill up.
        """
        wanted = (number + 1) * count
        found = self._search.like_terms(self._terms[_asked(pair)], wanted + _SPARE, away)
        found = [chunk for chunk in found if not answers(chunk, pair)][number * count : wanted]
        return found + self._any(pair, [*away, *found], count - len(found))

    def _any(self, pair: Pair, away: Sequence[Chunk], count: int) -> list[Chunk]:
        """Return passages from a place that the pair's id decides on."""
        found: list[Chunk] = []
        taken = {chunk.text_sha256 for chunk in away}
        start = int(sha256(pair.id)[:12], 16)
        for place in range(len(self._chunks) if count > 0 else 0):
            chunk = self._chunks[(start + place) % len(self._chunks)]
            if chunk.text_sha256 not in taken and not answers(chunk, pair):
                taken.add(chunk.text_sha256)
                found.append(chunk)
            if len(found) == count:
                break
        return found


def _asked(pair: Pair) -> str:
    return " ".join([*[turn.content for turn in pair.history if turn.role == "user"][-1:], pair.question])
