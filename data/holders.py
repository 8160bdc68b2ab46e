"""Which passages hold a pair's evidence, and which other passages would answer it too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from doceo.core.records import Chunk, Pair, Span

_TELLING = 4
"""An answer of fewer characters, such as "yes", stands anywhere and proves nothing."""


class Holders:
    """Finds the passages that hold evidence, among those that it is given."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._by_id = {chunk.id: chunk for chunk in chunks}
        self._by_document: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            self._by_document.setdefault(chunk.document_id, []).append(chunk)

    def named(self, pair: Pair) -> list[Chunk]:
        """Return the pair's passages, in its order, without those that are not given."""
        return [self._by_id[name] for name in pair.chunk_ids if name in self._by_id]

    def of(self, pair: Pair) -> list[Chunk]:
        """Return the passages that together hold all evidence of a pair, in its order, each once.

        One passage that holds a piece of evidence whole is enough for it, the pair's own before others; else all
        that hold a part of it are taken. Where a part stands in no passage, nothing is returned.
        """
        found: dict[str, Chunk] = {}
        for evidence in pair.evidence:
            own = [chunk for chunk in self.named(pair) if chunk.document_id == evidence.span.document_id]
            holding = _holding(evidence.span, own) or _holding(
                evidence.span, self._by_document.get(evidence.span.document_id, [])
            )
            if not holding:
                return []
            found |= {chunk.id: chunk for chunk in holding}
        return list(found.values())


def answers(chunk: Chunk, pair: Pair) -> bool:
    """Say whether a passage seems to answer a pair: its answer, or a quote that proves it, stands there."""
    text = plain(chunk.text)
    answer = plain(pair.answer).strip(" .!?。！？")
    if len(answer.encode()) >= _TELLING and answer in text:
        return True
    return any(plain(evidence.quote) in text for evidence in pair.evidence)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a text without regard to case and spaces."""
    return " ".join(text.casefold().split())


def _holding(span: Span, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return the first passage that holds a span whole, or else all that together hold it, or nothing."""
    for chunk in chunks:
        if chunk.span.start <= span.start and span.end <= chunk.span.end:
            return [chunk]
    parts = [chunk for chunk in chunks if chunk.span.start < span.end and span.start < chunk.span.end]
    parts.sort(key=lambda chunk: chunk.span.start)
    return parts if parts and parts[0].span.start <= span.start and span.end <= parts[-1].span.end else []
