"""Terms of any language as hashes, what texts repeat of each other, and near-duplicates by sketches."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.text.hashed_terms import BLOCK, hashes, hashes_of, runs, tokenize
from doceo.text.neardup import near_duplicate_groups
from doceo.text.repeats import Parts, known_runs, repeated_shares, texts_with
from doceo.text.sketches import similarity, sketches


def terms(text: str) -> list[str]:
    return [text[a:b] for block in tokenize([text]) for a, b in zip(block.start, block.end, strict=True)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, Wörld’s 12.5 x_y!", ["Hello", "Wörld", "s", "12", "5", "x_y"]),
        ("東京タワーは高い。", ["東京", "京タ", "タワ", "ワー", "ーは", "は高", "高い"]),
        ("a 水 b", ["a", "水", "b"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("版本2.0发布", ["版本", "2", "0", "发布"]),
        ("𠀀𠀁", ["𠀀𠀁"]),
        ("", []),
        ("... !?", []),
    ],
)
def test_terms(text: str, found: list[str]) -> None:
    assert terms(text) == found


def test_equal_terms_have_equal_hashes_and_others_differ() -> None:
    assert hashes("HELLO wörld").tolist() == hashes(" hello,\nWÖRLD.").tolist()
    words = [f"{a}{b}{c}" for a in "abxyz019" for b in "abxyz019" for c in ("", "a", "b" * 70, "b" * 71)]
    assert len(set(hashes(" ".join(words)).tolist())) == len(set(words))
    assert hashes("ab").tolist() != hashes("ba").tolist()


@given(st.lists(st.text(), max_size=8))
def test_many_texts_at_once_give_what_each_gives_alone(texts: list[str]) -> None:
    assert [found.tolist() for found in hashes_of(texts)] == [hashes(text).tolist() for text in texts]


@given(st.text())
def test_terms_have_their_places(text: str) -> None:
    for block in tokenize([text]):
        for found, start, end in zip(block.hashes, block.start, block.end, strict=True):
            assert hashes(text[start:end]).tolist() == [found]


def test_a_long_text_is_read_in_parts() -> None:
    text = "word " * (BLOCK // 4)
    assert len(hashes(text)) in (BLOCK // 4, BLOCK // 4 + 1)
    assert int(max(block.end.max() for block in tokenize(["x", text]))) == len(text) - 1


def test_runs() -> None:
    found = hashes("a b c d a b c")
    assert len(runs(found, 3)) == 5
    assert runs(found, 3)[0] == runs(found, 3)[4]
    assert len(set(runs(found, 3).tolist())) == 4
    assert len(runs(found, 8)) == 0


def test_shares_of_repeated_runs() -> None:
    known = known_runs(["one two three four five six seven eight nine ten", "short"])
    texts = [
        "Zero! One two three, four five six seven eight nine eleven",
        "eight nine ten one two three four five six",
        "",
    ]
    assert repeated_shares(texts, 3, known).tolist() == [0.5, 0.0, 0.0]
    assert repeated_shares(texts, 3, known_runs([])).tolist() == [0, 0, 0]


def test_texts_that_hold_a_part() -> None:
    texts = [
        "x. The tower WAS built in 1874!",
        "the tower was built in 1875",
        "built",
        "by the tower was",
        "東京タワーは高い。",
    ]
    kinds = [
        Parts(["the tower was built in 1874"], 4),
        Parts(["tower was"], 2),
        Parts(["tower was"], 3),
        Parts(["タワーは"], 3),
    ]
    assert texts_with(texts, *kinds) == [{0}, {0, 1, 3}, set(), {4}]
    # a part does not run on from one text into the next
    assert texts_with(["one two", "three four"], Parts(["two three"], 2)) == [set()]
    long = " ".join(f"w{i}" for i in range(40))
    assert texts_with([f"a {long} b", long[:-1]], Parts([long], 4)) == [{0}]


def test_sketches_estimate_jaccard() -> None:
    rng = random.Random(0)
    words = [f"w{rng.randrange(10**6)}" for _ in range(4000)]
    found = sketches([" ".join(words), " ".join(words[1000:]), " ".join(words[2000:] + words[:2000][::-1])])
    assert similarity(found, 0, np.array([1, 2])).tolist() == pytest.approx([3 / 4, 1 / 3], abs=0.15)


def test_near_duplicates_share_a_group() -> None:
    rng = random.Random(1)
    texts = [" ".join(f"w{rng.randrange(3000)}" for _ in range(400)) for _ in range(30)]
    near = [" ".join(word if rng.random() > 0.02 else "other" for word in text.split()) for text in texts[:10]]
    far = [" ".join(word if rng.random() > 0.5 else "other" for word in text.split()) for text in texts[10:20]]
    groups = near_duplicate_groups([*texts, *near, *far, texts[0], texts[0]])
    assert [group for group in groups if len(group) > 1] == [[0, 30, 50, 51], *([i, 30 + i] for i in range(1, 10))]
    assert sorted(i for group in groups for i in group) == list(range(52))
    assert near_duplicate_groups(["", "a b", "A, b", "東京タワーは高い", "東京タワーは高い。", ""]) == [
        [0, 5],
        [1, 2],
        [3, 4],
    ]
    assert near_duplicate_groups([]) == []
