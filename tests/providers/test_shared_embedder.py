from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.errors import InputError
from doceo.core.protocols import Embedder
from doceo.providers import embedders
from doceo.providers.shared_embedder import SharedEmbedder

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Letters:
    """An embedder of known vectors that keeps what it was asked; a text with a stop sign is too long for it."""

    name, dimensions, max_tokens, fingerprint = "letters", 26, 100, "letters|1"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.wait = threading.Event()
        self.wait.set()
        self.began = threading.Semaphore(0)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 1) for at in range(len(text))]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.batches.append(list(texts))
        self.began.release()
        assert self.wait.wait(10)
        if any("!" in text for text in texts):
            raise InputError("too long", hint="cut it")
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for letter in text:
                row[ord(letter) % 26] += 1
        return vectors

    embed_queries = embed


@settings(max_examples=50, deadline=None)
@given(calls=st.lists(st.lists(st.text("abc", max_size=2), max_size=5), max_size=8), kept=st.integers(0, 3))
def test_the_same_vectors_with_and_without(calls: list[list[str]], kept: int) -> None:
    plain = Letters()
    shared = SharedEmbedder(Letters(), together=2, at_once=2, kept=kept)
    with ThreadPoolExecutor(4) as pool:
        for method in ("embed", "embed_queries"):
            found = list(pool.map(getattr(shared, method), calls))
            for vectors, texts in zip(found, calls, strict=True):
                assert np.array_equal(vectors, plain.embed(texts))


def test_what_waits_is_one_batch() -> None:
    letters = Letters()
    shared = SharedEmbedder(letters)
    letters.wait.clear()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(shared.embed_queries, ["first"])
        assert letters.began.acquire(timeout=10)
        rest = [pool.submit(shared.embed_queries, [text]) for text in ("a", "b", "c", "a", "first")]
        while len(shared._waiting) < 3:  # the others are on their way to the queue
            pass
        letters.wait.set()
        vectors = [one.result(10)[0] for one in rest]
    assert [sorted(batch) for batch in letters.batches] == [["first"], ["a", "b", "c"]]
    assert np.array_equal(vectors[0], vectors[3])
    assert np.array_equal(vectors[4], first.result()[0])


def test_the_latest_are_kept() -> None:
    letters = Letters()
    shared = SharedEmbedder(letters, kept=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        shared.embed_queries([text])[0][:] = 9  # what is given out is the caller's own
    assert letters.batches == [["a"], ["b"], ["c"], ["b"]]
    shared.embed(["b", "b", "d"])
    assert letters.batches[-1] == ["b", "d"]  # a text is not the question of the same words
    assert shared.embed(["d"])[0].max() == 1


def test_long_texts_are_no_keys_that_stay() -> None:
    letters = Letters()
    shared = SharedEmbedder(letters)
    for text in ("a" * 2000, "a" * 2001):
        for _ in range(2):
            shared.embed([text])
            shared.embed_queries([text])
    assert [len(batch[0]) for batch in letters.batches] == [2000] * 2 + [2001] * 4


def test_who_asks_for_too_much_is_told_alone() -> None:
    letters = Letters()
    shared = SharedEmbedder(letters)
    letters.wait.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(shared.embed_queries, ["first"])
        assert letters.began.acquire(timeout=10)
        good, bad = pool.submit(shared.embed_queries, ["good"]), pool.submit(shared.embed_queries, ["bad!"])
        while len(shared._waiting) < 2:
            pass
        letters.wait.set()
        assert first.result(10).shape == good.result(10).shape == (1, 26)
        with pytest.raises(InputError, match="too long"):
            bad.result(10)
    assert shared.embed_queries(["good"]).shape == (1, 26)
    with pytest.raises(InputError):
        shared.embed(["bad!"])


def test_a_process_has_one_of_each_name(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_embedder(name: str) -> Embedder:
        opened.append(name)
        return Letters()

    monkeypatch.setattr(embedders, "open_embedder", open_embedder)
    monkeypatch.setattr(embedders, "_shared", {})
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(embedders.shared_embedder, ["x", "x", "x", "all-MiniLM-L6-v2"]))
    assert (len(found), sorted(opened)) == (2, ["all-MiniLM-L6-v2", "x"])
    assert {one.fingerprint for one in found} == {"letters|1"}
