"""The two held-out sets, fixed before anything is generated or trained.

*unseen*: whole documents that training never touches (near-duplicate documents stay on one side; with fewer than
five documents, whole sections instead). *taught*: facts of training documents, asked in words that training does
not contain; which facts is decided here, the words come from the teacher.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from doceo.core.errors import UsageError
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Pair
from doceo.text.neardup import Sketch, near_duplicate_groups
from doceo.text.repeats import counted_in, known_runs, repeated_shares
from doceo.text.sketches import sketches

LEAST_DOCUMENTS = 5
COPIED = 0.2
"""A chunk with more than this share of its runs of eight terms in common with kept-out text is kept out too."""
FORMS = 0.5
"""Where more than this share of all chunks would count as copies, they are filled-in forms."""
MANY = 8
"""Chunks, at least, in which a run of a form stands."""


def unseen_chunks(
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    share: float,
    seed: int,
    named: Collection[str] = (),
    *,
    sketch: Sketch = sketches,
) -> frozenset[str]:
    """Return the ids of the chunks that are kept out of training: about `share` of all characters, or nothing.

    Args:
        documents: All documents.
        chunks: All their chunks.
        share: Share of the text to keep out, 0 to 1.
        seed: Decides which.
        named: Sources to keep out instead of a seeded choice.
        sketch: Makes the sketches by which near-duplicate documents are found.

    Raises UsageError where a named source is not among the documents.
    """
    if named:
        chosen = _named(documents, chunks, named, sketch)
        return _with_copies(chosen, chunks) or chosen
    if share <= 0:
        return frozenset()
    many = len(documents) >= LEAST_DOCUMENTS
    groups = _document_groups(documents, chunks, sketch) if many else _section_groups(chunks)
    return _with_copies(_choose(groups, share, seed), chunks)


def is_unseen(pair: Pair, unseen: frozenset[str]) -> bool:
    """Say whether a pair is kept out of training, its text being kept out.

    An answerable pair is kept out as soon as one of its passages is: one that joins kept-out text with other text
    cannot be answered from what was trained. A pair without an answer is kept out with the passage that it was made
    from, its first, or where all that was searched for it is kept out; the passages searched besides do not count,
    since training shows it with the others only.
    """
    if pair.answerable:
        return bool(unseen.intersection(pair.chunk_ids))
    return pair.chunk_ids[:1] != () and (pair.chunk_ids[0] in unseen or unseen.issuperset(pair.chunk_ids))


def taught_facts(pairs: Iterable[Pair], count: int, seed: int) -> list[Pair]:
    """Return `count` pairs, or all there are, whose fact is to be asked again in other words; seeded order.

    Pairs without an answer have no fact.
    """
    facts = [pair for pair in pairs if pair.answerable]
    return sorted(facts, key=lambda pair: sha256(f"taught {seed} {pair.id}"))[:count]


def _named(
    documents: Sequence[Document], chunks: Sequence[Chunk], named: Collection[str], sketch: Sketch
) -> frozenset[str]:
    """Return the chunks of the named documents and of their near-duplicates."""
    sources = {document.source: document.id for document in documents}
    for name in named:
        if name not in sources:
            near = get_close_matches(name, sources, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Documents: {', '.join(sorted(sources)[:5])} ..."
            raise UsageError(f"There is no document {name} to keep out.", hint=hint)
    ids = {sources[name] for name in named}
    groups = _document_groups(documents, chunks, sketch).values()
    return frozenset(c.id for group in groups if any(c.document_id in ids for c in group) for c in group)


def _with_copies(chosen: frozenset[str], chunks: Sequence[Chunk]) -> frozenset[str]:
    """Return the chosen chunks and all others that repeat a good part of their words: those would leak.

    Where everything repeats everything there is nothing to keep apart, and nothing is returned.
    """
    kept_out = [chunk for chunk in chunks if chunk.id in chosen]
    others = [chunk for chunk in chunks if chunk.id not in chosen]
    shares = repeated_from(kept_out, others)
    copies = [chunk.id for chunk, share in zip(others, shares, strict=True) if share > COPIED]
    return chosen.union(copies) if len(copies) < len(others) else frozenset()


def repeated_from(kept_out: Sequence[Chunk], others: Sequence[Chunk]) -> Sequence[float]:
    """Return the share of each other chunk's runs of eight terms that kept-out chunks hold too.

    Where most of the others would count as copies, the texts are filled-in forms, such as rows of a table: then runs
    that stand in many chunks are the form's, and only the others count.
    """
    runs = known_runs(chunk.text for chunk in kept_out)
    shares = repeated_shares((chunk.text for chunk in others), len(others), runs)
    if sum(share > COPIED for share in shares) > FORMS * len(others):
        most = max(MANY, round(0.05 * len(others)))
        runs = runs[counted_in((chunk.text for chunk in others), runs) < most]
        shares = repeated_shares((chunk.text for chunk in others), len(others), runs)
    return list(map(float, shares))


def _document_groups(documents: Sequence[Document], chunks: Sequence[Chunk], sketch: Sketch) -> dict[str, list[Chunk]]:
    """Return chunks by group of near-duplicate documents."""
    group_of: dict[str, str] = {}
    for group in near_duplicate_groups([document.text for document in documents], sketch=sketch):
        members = [documents[i] for i in group]
        group_of |= {member.id: min(member.source for member in members) for member in members}
    groups: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        groups.setdefault(group_of[chunk.document_id], []).append(chunk)
    return groups


def _section_groups(chunks: Sequence[Chunk]) -> dict[str, list[Chunk]]:
    """Return chunks by document and first heading; a text without headings by runs of eight chunks."""
    groups: dict[str, list[Chunk]] = {}
    position: dict[str, int] = {}
    for chunk in chunks:
        n = position[chunk.document_id] = position.get(chunk.document_id, -1) + 1
        section = chunk.heading_path[:2] or (f"part {n // 8}",)
        groups.setdefault(f"{chunk.document_id} {' > '.join(section)}", []).append(chunk)
    return groups


def _choose(groups: dict[str, list[Chunk]], share: float, seed: int) -> frozenset[str]:
    """Take whole groups in seeded order while they fit; never all of them, and at least one where there are two."""
    sizes = {key: sum(len(chunk.text) for chunk in group) for key, group in groups.items()}
    wanted = share * sum(sizes.values())
    order = sorted(groups, key=lambda key: sha256(f"unseen {seed} {key}"))
    chosen: list[str] = []
    taken = 0
    for key in order:
        if len(chosen) < len(order) - 1 and taken + sizes[key] <= 1.25 * wanted:
            chosen.append(key)
            taken += sizes[key]
    if not chosen and len(order) > 1:
        chosen = [min(order, key=lambda key: (sizes[key], key))]
    return frozenset(chunk.id for key in chosen for chunk in groups[key])
