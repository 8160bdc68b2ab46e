"""When to refuse: measures with known values, fits, and a calibration that is bound to what it was made for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.config import RetrieveConfig
from doceo.core.errors import IndexUnusable, InputError
from doceo.providers.minilm_onnx import MiniLM
from rag import risk
from rag.calibration import FILE, Calibration, Point, Recipe, gate, merged, read_calibration, write_calibration
from rag.fitting import check, choosers, fit
from rag.index import Index
from rag.quote import QuoteAnswerer
from rag.refusal import OPEN, Gate, chance, is_refusal, may_be_refusal
from rag.retriever import HybridRetriever
from rag.risk_curve import draw_risk
from rag.signs import SIGNS, chance_weights, signs

SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
LABELS = np.array([True, True, False, True, False, False])


def test_auroc_counts_pairs_in_order() -> None:
    assert risk.auroc(SCORES, LABELS) == pytest.approx(8 / 9)
    assert risk.auroc(-SCORES, LABELS) == pytest.approx(1 / 9)
    assert risk.auroc(np.zeros(6), LABELS) == 0.5
    assert math.isnan(risk.auroc(SCORES, np.ones(6, dtype=bool)))


def test_the_curve_of_six_questions() -> None:
    found = risk.curve(SCORES, LABELS)
    assert found.coverage.tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert found.risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4, 2 / 5, 1 / 2])
    assert risk.at_risk(found, 0.25) == pytest.approx(0.55)
    assert risk.at_risk(found, 0.0) == pytest.approx(0.75)
    assert risk.at_risk(risk.curve(SCORES, ~LABELS), 0.2) is None
    assert risk.at_coverage(found, 0.8) == pytest.approx(0.45)
    assert risk.at_coverage(found, 1.0) == 0.4
    assert risk.balanced(SCORES, LABELS) == pytest.approx(0.75)
    assert risk.at_recall(SCORES, LABELS, 0.95) == pytest.approx(0.55)
    assert risk.risk_at(found, 0.8) == pytest.approx(2 / 5)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=40), st.floats(0, 1))
def test_thresholds_keep_what_they_promise(rows: list[tuple[int, bool]], wanted: float) -> None:
    scores = np.array([score / 10 for score, _ in rows])
    labels = np.array([label for _, label in rows])
    found = risk.curve(scores, labels)
    assert found.coverage[-1] == 1
    assert found.risk[-1] == pytest.approx((~labels).mean())
    assert (scores >= risk.at_coverage(found, wanted)).mean() >= wanted - 1e-9
    threshold = risk.at_risk(found, wanted)
    if threshold is not None:
        assert (~labels[scores >= threshold]).mean() <= wanted + 1e-9
    if labels.any():
        assert labels[scores >= risk.at_recall(scores, labels, wanted)].sum() >= wanted * labels.sum() - 1e-6


def test_odds_that_are_twice_too_large_are_halved() -> None:
    random = np.random.default_rng(0)
    true = random.normal(size=4000) * 2
    labels = random.random(4000) < 1 / (1 + np.exp(-true))
    slope, offset = risk.platt(2 * true + 1, labels)
    assert slope == pytest.approx(0.5, abs=0.04)
    assert offset == pytest.approx(-0.5, abs=0.1)
    few = risk.platt(np.array([3.0, -3.0]), np.array([True, False]))
    assert few == (pytest.approx(1, abs=0.15), pytest.approx(0, abs=0.01))


def points(yes: int, no: int, origin: str = "given") -> list[Point]:
    random = np.random.default_rng(1)
    return [
        Point.model_validate(
            {
                "question": f"{at:04d}",
                "answerable": at < yes,
                "origin": origin,
                "model": float(np.clip((0.7 if at < yes else 0.4) + random.normal() * 0.1, 0.01, 0.99)),
                "quote": 0.9 if at < yes else 0.1,
                "cosine": float(random.random()),
            }
        )
        for at in range(yes + no)
    ]


def test_a_fit_says_what_its_threshold_does() -> None:
    some = points(60, 40)
    choose, words = choosers(0.05, None)
    assert words == "risk of at most 5%"
    found = fit(some, lambda point: point.model, choose["model"])
    assert found.risk <= 0.05 < 0.4
    assert found.auroc > 0.95 > 0.7 > found.cosine_auroc
    assert found.auroc_interval[0] <= found.auroc <= found.auroc_interval[1]
    assert found.risk_interval[0] <= found.risk <= found.risk_interval[1]
    assert 0.4 < found.coverage < 0.75
    assert found == fit(some[::-1], lambda point: point.model, choose["model"])
    covering, _ = choosers(None, 0.9)
    assert fit(some, lambda point: point.model, covering["model"]).coverage >= 0.9
    usual, _ = choosers(None, None)
    assert fit(some, lambda point: point.quote, usual["quote"]).risk == 0


def test_too_few_questions_of_a_kind_are_refused() -> None:
    check(points(10, 10))
    with pytest.raises(InputError, match="9 that they do not"):
        check(points(30, 9))


def test_people_outweigh_what_was_made() -> None:
    made, given = points(20, 20, "made"), points(12, 8)
    assert len(merged(made, given)) == 40
    assert [point.origin for point in merged(made, given)][:1] == ["given"]
    people = [point.model_copy(update={"question": f"p{point.question}"}) for point in points(15, 15)]
    assert {point.origin for point in merged(made, people)} == {"given"}
    few = [point.model_copy(update={"question": f"p{point.question}"}) for point in points(29, 2)]
    assert len(merged(made, few)) == 71


@pytest.fixture
def index(small_index: Path, minilm: MiniLM) -> Index:
    return Index.open(small_index, minilm)


def calibration(index: Index, config: RetrieveConfig) -> Calibration:
    some, (choose, words) = points(20, 20), choosers(None, None)
    return Calibration(
        recipe=Recipe.of(index.manifest.embedder, config),
        version=index.version,
        chunks=index.manifest.chunks,
        wanted=words,
        model=fit(some, lambda point: point.model, choose["model"]),
        quote=fit(some, lambda point: point.quote, choose["quote"]),
        points=tuple(some),
    )


def test_a_calibration_is_bound_to_how_the_index_is_searched(index: Index) -> None:
    config = RetrieveConfig()
    assert gate(index, config, None, "model") == Gate(chance_weights().threshold)
    made = calibration(index, config)
    write_calibration(index.folder, made)
    try:
        assert read_calibration(index.folder) == made
        used = gate(index, config, None, "model")
        assert (used.threshold, used.slope, used.offset, used.note) == (
            made.model.threshold,
            made.model.slope,
            made.model.offset,
            "",
        )
        assert gate(index, config, 0.0, "quote").threshold == 0.0
        other = gate(index, RetrieveConfig(k=9), None, "model")
        assert other.threshold == chance_weights().threshold
        assert "another way of searching" in other.note
        assert gate(index, RetrieveConfig(where=("source=a*",)), None, "model").note == ""
        write_calibration(index.folder, made.model_copy(update={"version": "000000"}))
        assert "have changed" in gate(index, config, None, "model").note
        (index.folder / FILE).write_text("{")
        with pytest.raises(IndexUnusable, match="calibration"):
            gate(index, config, None, "model")
    finally:
        (index.folder / FILE).unlink()


def test_the_chance_knows_what_the_documents_hold(index: Index) -> None:
    retriever = HybridRetriever(index)

    def of(question: str) -> float:
        return chance(question, retriever.search(question, 4), index)

    answered = [of(q) for q in ("When was the Harrow lighthouse built?", "How long is a fishing permit valid?")]
    others = [of(q) for q in ("Who won the chess world cup in Baku?", "How far is the moon from the earth?")]
    assert min(answered) > 0.5 > chance_weights().threshold > max(others)
    assert chance("Anything?", [], index) == 0.0
    found = signs("When was the lighthouse built?", retriever.search("lighthouse", 2), index)
    assert tuple(found) == SIGNS
    assert all(0 <= value <= 1.001 for value in found.values())


def test_the_picture_is_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        draw_risk({"model": SCORES, "cosine": SCORES[::-1]}, LABELS, {"model": 0.55}, tmp_path / name)
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "two.svg").read_bytes()
    assert b"coverage" in one


@given(st.text(max_size=40))
def test_a_refusal_begins_as_one(rest: str) -> None:
    whole = "I cannot find this in the documents." + rest
    assert is_refusal(whole)
    assert all(may_be_refusal(whole[:end]) for end in range(len(whole) + 1))


def test_the_gate_that_refuses_nothing() -> None:
    assert OPEN.reason(0.0) == ""
    assert Gate(0.5).reason(0.49)
    assert Gate(0.5).chance(0.3) == pytest.approx(0.3)


def test_the_quote_answerer_goes_by_its_gate(index: Index) -> None:
    retriever = HybridRetriever(index)
    asked = "When was the Harrow lighthouse built?"
    strict = QuoteAnswerer(retriever, gate=Gate(0.99), trace=True).answer(asked)
    assert (strict.refused, strict.citations) == (True, ())
    assert "below 0.99" in strict.reason
    lenient = QuoteAnswerer(retriever, gate=Gate(0.99, offset=9.0, note="Old."), trace=True).answer(asked)
    assert not lenient.refused
    assert lenient.chance is not None
    assert strict.chance is not None
    assert lenient.chance > 0.99 > strict.chance
    assert lenient.trace is not None
    assert (lenient.trace.queries, lenient.trace.notes) == ((asked,), ("Old.",))
    assert QuoteAnswerer(retriever).answer(asked).trace is None
