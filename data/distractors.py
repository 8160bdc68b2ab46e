"""Wrong passages that look right: those that share the question's rare words but not its evidence."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence

from doceo.core.records import Chunk

_WORD = re.compile(r"\w{3,}")


class Distractors:
    """Finds passages by the inverse document frequency of the words they share with a question."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = list(chunks)
        self._postings: dict[str, list[int]] = {}
        for i, chunk in enumerate(self._chunks):
            for word in set(_WORD.findall(chunk.text.lower())):
                self._postings.setdefault(word, []).append(i)

    def like(self, question: str, right: Chunk, n: int) -> list[Chunk]:
        """Return up to n chunks that resemble a question, best first, without the right one."""
        weight: defaultdict[int, float] = defaultdict(float)
        for word in set(_WORD.findall(question.lower())):
            places = self._postings.get(word, [])
            for i in places:
                weight[i] += math.log(1 + len(self._chunks) / len(places))
        ranked = sorted(weight, key=lambda i: (-weight[i], i))
        others = [self._chunks[i] for i in ranked if self._chunks[i].text_sha256 != right.text_sha256]
        if len(others) < n:
            known = {chunk.id for chunk in others}
            others += [c for c in self._chunks if c.id not in known and c.text_sha256 != right.text_sha256]
        return others[:n]
