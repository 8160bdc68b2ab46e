"""Selection: spread over the corpus, quotas, and what a pair adds."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.errors import ConfigError
from doceo.core.records import Difficulty, Kind, Pair
from generator.balance import Quotas, quota_counts, select
from generator.variety import Variety

KINDS: tuple[Kind, ...] = ("fact", "date", "procedure")


def pair(chunk: int, question: str, kind: Kind = "fact", score: float = 0.5, difficulty: Difficulty = "easy") -> Pair:
    return Pair(
        id=Pair.identify(question, str(chunk), ()), question=question, answer="x", chunk_ids=(f"c{chunk}",), kind=kind,
        difficulty=difficulty, topic=f"t{chunk % 2}", scores={"teacher": score}, teacher="t",
    )  # fmt: skip


def corpus(chunks: int, each: int, seed: int = 0) -> tuple[list[Pair], dict[str, int]]:
    chance = random.Random(seed)
    pairs = [
        pair(chunk, f"{chance.choice(['What', 'When', 'Why'])} w{chance.randrange(400)} w{chance.randrange(400)} {i}?",
             chance.choice(KINDS), chance.random(), chance.choice(("easy", "medium", "hard")))
        for chunk in range(chunks)
        for i in range(each)
    ]  # fmt: skip
    return pairs, {f"c{chunk}": chunk for chunk in range(chunks)}


def test_few_pairs_are_spread_over_the_whole_length() -> None:
    pool, order = corpus(200, 4)
    places = [order[one.chunk_ids[0]] for one in select(pool, 25, order)]
    assert len(places) == 25 and places == sorted(places)
    assert max(b - a for a, b in pairwise([-1, *places, 200])) <= 9


def test_every_chunk_once_then_evenly() -> None:
    pool, order = corpus(200, 4)
    assert {one.chunk_ids[0] for one in select(pool, 200, order)} == set(order)
    served = Counter(one.chunk_ids[0] for one in select(pool, 500, order))
    assert set(served.values()) == {2, 3}
    assert len(select(pool, 5000, order)) == 800


def test_what_was_kept_before_counts() -> None:
    pool, order = corpus(20, 3)
    kept = select(pool, 10, order)
    more = select(pool, 10, order, kept)
    assert {one.chunk_ids[0] for one in [*kept, *more]} == set(order)
    assert not {one.id for one in kept} & {one.id for one in more}


def test_the_order_of_the_pool_changes_nothing() -> None:
    pool, order = corpus(40, 3)
    vectors = {one.id: row for one, row in zip(pool, np.random.default_rng(0).standard_normal((120, 8)), strict=True)}
    vectors = {name: (row / np.linalg.norm(row)).astype(np.float32) for name, row in vectors.items()}
    shuffled = random.Random(1).sample(pool, len(pool))
    quotas = Quotas(kinds={"procedure": 60})
    assert select(pool, 50, order, quotas=quotas, vectors=vectors) == select(
        shuffled, 50, order, quotas=quotas, vectors=vectors
    )


def test_quotas_are_met_where_the_pool_allows() -> None:
    pool, order = corpus(100, 6)
    quotas = Quotas(kinds={"procedure": 60, "date": 10}, difficulties={"hard": 40}, topics={"t0": 50})
    chosen = select(pool, 150, order, quotas=quotas)
    kinds = Counter(one.kind for one in chosen)
    assert (kinds["procedure"], kinds["date"]) == (90, 15)
    assert sum(one.difficulty == "hard" for one in chosen) == 60
    assert quotas.shortfalls(chosen, 150) == {}
    assert {one.chunk_ids[0] for one in chosen} == set(order)


def test_a_rare_kind_is_taken_where_it_is_and_what_is_missing_is_said() -> None:
    pool = [pair(chunk, f"What is w{chunk}?", score=0.9) for chunk in range(50)]
    pool += [pair(chunk, f"How does one do w{chunk}?", "procedure", 0.1) for chunk in (3, 17, 40)]
    order = {f"c{chunk}": chunk for chunk in range(50)}
    quotas = Quotas(kinds={"procedure": 10})
    chosen = select(pool, 50, order, quotas=quotas)
    assert sum(one.kind == "procedure" for one in chosen) == 3
    assert len({one.chunk_ids[0] for one in chosen}) == 50
    assert quotas.shortfalls(chosen, 50) == {"kind": {"procedure": 2}}


def test_pairs_are_exchanged_where_layers_alone_fall_short() -> None:
    """Two of the three procedures stand in one chunk: a layer takes one of them, the quota wants both."""
    pool = [pair(chunk, f"What is w{chunk} {i}?", score=0.9) for chunk in range(4) for i in range(3)]
    pool += [pair(0, f"How does one do w{i}?", "procedure", 0.1) for i in range(3)]
    order = {f"c{chunk}": chunk for chunk in range(4)}
    chosen = select(pool, 8, order, quotas=Quotas(kinds={"procedure": 38}))
    assert sum(one.kind == "procedure" for one in chosen) == 3
    assert len({one.chunk_ids[0] for one in chosen}) == 4


def test_the_better_pair_is_taken_and_new_words_before_old_ones() -> None:
    pool = [pair(0, "What is a lens?", score=0.2), pair(0, "What is a mill?", score=0.9)]
    assert [one.scores["teacher"] for one in select(pool, 1, {"c0": 0})] == [0.9]
    pool = [
        pair(0, "What is the alpine garden?"),
        pair(1, "What is the alpine garden now?"),
        pair(1, "What are the railway engines?"),
    ]
    first = select(pool[1:], 1, {"c0": 0, "c1": 1}, pool[:1])
    assert first[0].question == "What are the railway engines?"


def test_vectors_show_what_is_new_where_words_do_not() -> None:
    kept = pair(0, "Where is aa?")
    near, far = pair(1, "Where is bb?"), pair(1, "Where is cc?")
    for new, old in ((near, far), (far, near)):
        rows = {kept.id: (1, 0, 0), old.id: (0.99, 0.14, 0), new.id: (0, 0, 1)}
        vectors = {name: np.array(row, dtype=np.float32) for name, row in rows.items()}
        assert select([near, far], 1, {"c0": 0, "c1": 1}, [kept], vectors=vectors) == [new]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_worth_is_monotone_and_submodular(seed: int, embedded: bool) -> None:
    pool, _ = corpus(5, 3, seed)
    rows = np.random.default_rng(seed).standard_normal((len(pool), 6))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    vectors = {one.id: row.astype(np.float32) for one, row in zip(pool, rows, strict=True)} if embedded else None
    worth = Variety(pool, 10, vectors)
    gains = [worth.gain(place) for place in range(len(pool))]
    for taken in random.Random(seed).sample(range(len(pool)), 8):
        worth.take(taken)
        after = [worth.gain(place) for place in range(len(pool))]
        assert all(-1e-6 <= new <= old + 1e-6 for new, old in zip(after, gains, strict=True))
        gains = after


@given(st.integers(0, 1000), st.lists(st.integers(0, 100), max_size=6).filter(lambda shares: sum(shares) <= 100))
def test_quota_counts_are_the_nearest_whole_numbers(n: int, shares: list[int]) -> None:
    counts = quota_counts(n, {f"k{i}": share for i, share in enumerate(shares)})
    assert sum(counts.values()) == round(n * sum(shares) / 100)
    assert all(abs(counts[f"k{i}"] - n * share / 100) < 1 for i, share in enumerate(shares))


def test_quota_counts() -> None:
    assert quota_counts(10, {"a": 33.3, "b": 33.3, "c": 33.4}) == {"a": 3, "b": 3, "c": 4}
    assert quota_counts(25, {"a": 10, "b": 10}) == {"a": 3, "b": 2}
    assert quota_counts(7, {}) == {}
    for wrong in ({"a": 80, "b": 30}, {"a": -1}):
        with pytest.raises(ConfigError, match="Shares in percent"):
            quota_counts(10, wrong)
