"""Measures of variety, against values that are known."""

from __future__ import annotations

import json
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.records import Kind, Pair
from doceo.text.terms import terms
from generator.diversity import distinct, diversity, entropy, vendi


def pair(question: str, kind: Kind = "fact", topic: str = "a") -> Pair:
    return Pair(
        id=Pair.identify(question, kind, ()), question=question, answer="x", kind=kind, topic=topic, teacher="t"
    )


def test_vendi_counts_what_is_different() -> None:
    same = np.tile(np.array([[0.6, 0.8, 0, 0]], dtype=np.float32), (7, 1))
    assert vendi(same) == pytest.approx(1.0)
    assert vendi(np.eye(5, 9, dtype=np.float32)) == pytest.approx(5.0)
    assert vendi(np.repeat(np.eye(3, 9, dtype=np.float32), 4, axis=0)) == pytest.approx(3.0)
    assert vendi(np.empty((0, 9), dtype=np.float32)) == 0.0
    # two vectors at cosine c: the eigenvalues of K / 2 are (1 + c) / 2 and (1 - c) / 2
    two = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert vendi(two) == pytest.approx(exp(-(0.8 * log(0.8) + 0.2 * log(0.2))))


def test_vendi_through_the_dimensions_is_that_of_the_items() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(vectors @ vectors.T / 50)
    eigenvalues = eigenvalues[eigenvalues > 1e-12]
    assert vendi(vectors.astype(np.float32)) == pytest.approx(float(np.exp(-(eigenvalues * np.log(eigenvalues)).sum())))


def test_distinct_and_entropy() -> None:
    assert distinct([("a", "b"), ("a", "b")], 1) == 0.5
    assert distinct([("a", "b"), ("a", "c")], 2) == 1.0
    assert distinct([("a",)], 2) == 0.0
    assert distinct([terms("桥桥水")], 1) == pytest.approx(2 / 3)
    assert entropy([5, 5, 5, 5]) == 2.0
    assert entropy([9]) == entropy([]) == 0.0


@given(st.lists(st.text(max_size=30), max_size=12))
def test_shares_add_up_and_the_report_is_json(questions: list[str]) -> None:
    found = diversity([pair(question) for question in questions])
    assert json.loads(json.dumps(found)) == found
    assert found["vendi"] is None
    for name in ("kinds", "topics", "difficulties"):
        assert sum(found[name].values()) == pytest.approx(1.0 if questions else 0.0)  # type: ignore[attr-defined]


def test_the_report_of_a_set() -> None:
    pairs = [
        pair("What is a lens?", "definition"),
        pair("What is a mill?", "definition"),
        pair("When was it built?", "date", "b"),
        pair("Why was it built?", "reason"),
    ]
    vectors = {one.id: row for one, row in zip(pairs, np.eye(4, dtype=np.float32), strict=True)}
    found = diversity(pairs, vectors)
    assert (found["pairs"], found["vendi"], found["vendi_share"], found["kind_entropy"]) == (4, 4.0, 1.0, 1.5)
    assert found["prefixes"] == {"what is": 0.5, "when was": 0.25, "why was": 0.25}
    assert found["topics"] == {"a": 0.75, "b": 0.25}
    assert list(found["kinds"]) == ["definition", "date", "reason"]  # type: ignore[call-overload]
    assert found["distinct_1"] == round(10 / 16, 4)
