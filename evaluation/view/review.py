"""Every pair beside its source, as data for the page's script: it shows them a page at a time, filters and decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from doceo.core.records import Pair, Rejected
from evaluation.view.passages import Excerpt, Library, clip
from evaluation.view.records import RunRecords

MOST_REJECTED = 2000
"""Rejected pairs that stand on the page, the same number of every reason; the others are in `rejected.jsonl`."""
ROOM = 700
SEARCHED = 4
"""Searched passages that are shown beside a question without an answer."""
LONGEST = 4000


def review_data(records: RunRecords, library: Library) -> dict[str, object]:
    """Return the pairs of a run, all of them, and a choice of the rejected ones, with what was decided before."""
    shown = _choice(records.rejected)
    return {
        "run": records.name,
        "pairs": [_entry(pair, records, library) for pair in records.pairs],
        "rejected": [
            _entry(line.pair, records, library)
            | {"reason": line.verdict.reason, "detail": clip(line.verdict.detail, 300)}
            for line in shown
        ],
        "rejectedInAll": len(records.rejected),
        "decisions": {d.pair_id: {"decision": d.decision, "note": d.note} for d in records.review},
    }


def _choice(rejected: Sequence[Rejected]) -> list[Rejected]:
    """Return the rejected pairs, or of very many the first of every reason, in their order."""
    if len(rejected) <= MOST_REJECTED:
        return list(rejected)
    seen: Counter[str] = Counter()
    ranked = []
    for at, line in enumerate(rejected):
        seen[line.verdict.reason] += 1
        ranked.append((seen[line.verdict.reason], at))
    return [rejected[at] for at in sorted(at for _, at in sorted(ranked)[:MOST_REJECTED])]


def _entry(pair: Pair, records: RunRecords, library: Library) -> dict[str, object]:
    excerpts = library.of(pair.evidence, room=ROOM)
    if not pair.answerable:
        excerpts = [found for chunk_id in pair.chunk_ids[:SEARCHED] if (found := library.passage(chunk_id))]
    entry: dict[str, object] = {
        "id": pair.id,
        "question": clip(pair.question, LONGEST),
        "answer": clip(pair.answer, LONGEST),
        "history": [[turn.role, clip(turn.content, LONGEST)] for turn in pair.history],
        "rationale": clip(pair.rationale, LONGEST),
        "answerable": pair.answerable,
        "searched": 0 if pair.answerable else len(pair.chunk_ids),
        "kind": pair.kind,
        "difficulty": pair.difficulty,
        "topic": pair.topic,
        "scores": {name: round(value, 4) for name, value in pair.scores.items()},
        "set": records.sets.get(pair.id, ""),
        "sources": [excerpt_data(excerpt) for excerpt in excerpts],
    }
    return {name: value for name, value in entry.items() if value not in ("", [], {}, 0) or name == "answerable"}


def excerpt_data(excerpt: Excerpt) -> dict[str, object]:
    """Return an excerpt as the page's script reads it."""
    return {
        "place": excerpt.place or excerpt.source,
        "file": excerpt.source if excerpt.place else "",
        "found": excerpt.found,
        "spans": [[span.start, span.end] for span in excerpt.spans],
        "parts": [[part.kind, part.text] for part in excerpt.parts],
    }
