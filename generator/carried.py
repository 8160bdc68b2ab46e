"""What of an earlier generation still holds: pairs whose passages are unchanged, wherever they stand now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from doceo.core.records import Chunk, Evidence, Pair, Record, Rejected, Span


class Asked(Record):
    """A line of `asked.jsonl`: a passage as it stood when it was asked about, and how many pairs it was asked for."""

    chunk_id: str
    span: Span
    text_sha256: str
    asked: int


@dataclass(frozen=True)
class Carried:
    """What is kept of an earlier generation.

    Attributes:
        pairs: Accepted pairs, their spans and chunks those of the documents as they are now.
        rewordings: Those of them that ask a fact of another one again.
        rejected: Rejected pairs of passages that are unchanged.
        asked: Pairs asked of every chunk, by its id now.
        retired: How many accepted pairs went with their passages.
        doubted: Ids of the pairs that have to pass the checks' lines again; the others stand.
        elsewhere: Pairs that are kept somewhere else: the teacher is told not to ask their questions again.
    """

    pairs: Sequence[Pair]
    rewordings: Sequence[Pair]
    rejected: Sequence[Rejected]
    asked: Mapping[str, int]
    retired: int
    doubted: frozenset[str] = frozenset()
    elsewhere: Sequence[Pair] = ()


def carried(
    pairs: Sequence[Pair], rejected: Sequence[Rejected], asked: Iterable[Asked], chunks: Sequence[Chunk]
) -> Carried:
    """Return what still holds.

    A passage is the same where its text is the same, in whatever document and place; pairs that rest on several
    passages need all of them.

    Args:
        pairs: The accepted pairs of the earlier generation; of two on one fact the later is a rewording.
        rejected: Its rejected pairs.
        asked: Its passages.
        chunks: The passages as they are now.
    """
    standing = {chunk.id: chunk for chunk in chunks}
    places = list(asked)
    now = {old.chunk_id: (old, standing[old.chunk_id]) for old in places if old.chunk_id in standing}
    free: dict[str, list[Chunk]] = {}
    for chunk in reversed(chunks):
        if chunk.id not in now:
            free.setdefault(chunk.text_sha256, []).append(chunk)
    for old in places:
        if old.chunk_id not in now and free.get(old.text_sha256):
            now[old.chunk_id] = (old, free[old.text_sha256].pop())
    counts = {chunk.id: old.asked for old, chunk in now.values()}
    moved = [pair for pair in (_moved(pair, now) for pair in pairs) if pair is not None]
    kept, again = wordings(moved)
    refused = [
        Rejected(pair=pair, verdict=old.verdict)
        for old in rejected
        if old.verdict.reason != "not_selected" and (pair := _moved(old.pair, now)) is not None
    ]
    return Carried(kept, again, refused, counts, len(pairs) - len(moved))


def _moved(pair: Pair, now: Mapping[str, tuple[Asked, Chunk]]) -> Pair | None:
    """Return a pair with its evidence where it stands now, or None where a passage of it is gone."""
    if any(chunk_id not in now for chunk_id in pair.chunk_ids):
        return None
    if all(now[chunk_id][1].id == chunk_id for chunk_id in pair.chunk_ids):
        return pair
    evidence: list[Evidence] = []
    for part in pair.evidence:
        places = (now[chunk_id] for chunk_id in pair.chunk_ids)
        held = next((place for place in places if _holds(place[0].span, part.span)), None)
        if held is None:
            return None
        old, chunk = held
        start = chunk.span.start + part.span.start - old.span.start
        span = Span(document_id=chunk.document_id, start=start, end=start + len(part.quote))
        evidence.append(Evidence(span=span, quote=part.quote))
    return pair.model_copy(
        update={
            "id": Pair.identify(pair.question, pair.answer, tuple(evidence)),
            "evidence": tuple(evidence),
            "chunk_ids": tuple(now[chunk_id][1].id for chunk_id in pair.chunk_ids),
        }
    )


def _holds(outer: Span, inner: Span) -> bool:
    return outer.document_id == inner.document_id and outer.start <= inner.start and inner.end <= outer.end


def wordings(pairs: Iterable[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Return the first wording of every fact, and the further ones."""
    seen: set[tuple[object, ...]] = set()
    first: list[Pair] = []
    again: list[Pair] = []
    for pair in pairs:
        fact = (pair.evidence or pair.id, " ".join(pair.answer.casefold().split()))
        (again if fact in seen else first).append(pair)
        seen.add(fact)
    return first, again
