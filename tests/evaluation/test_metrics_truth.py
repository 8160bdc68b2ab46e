"""Figures that others published or that other programs give, from the shared data, and what benchmarks say of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "metrics"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared reference data is not beside the repository")


@pytest.fixture
def compare() -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Return a function that makes the comparisons of `benchmarks/metric_truth.py`."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    truth = import_module("metric_truth")

    def made(name: str) -> list[dict[str, Any]]:
        rows: Iterable[dict[str, Any]] = getattr(truth, name)()
        return list(rows)

    yield made
    sys.path.remove(str(ROOT / "benchmarks"))


def check(rows: list[dict[str, Any]], values: int) -> None:
    assert sum(row["values"] for row in rows) == values
    assert [row for row in rows if not row["largest_difference"] <= row["allowed"]] == []


@shared
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sacrebleu_cases", 45),
        ("rouge_cases", 24),
        ("squad_predictions", 4),
        ("wmt15", 9),
        pytest.param("dolly", 6005, marks=pytest.mark.slow),
        pytest.param("wmt17", 31, marks=pytest.mark.slow),
    ],
)
def test_published_figures_are_reproduced(
    compare: Callable[[str], list[dict[str, Any]]], name: str, values: int
) -> None:
    check(compare(name), values)


def test_the_committed_results_keep_their_bars() -> None:
    kept = {
        name: row["result"]
        for name, row in json.loads((ROOT / "benchmarks/results/metrics.json").read_text(encoding="utf-8")).items()
    }
    assert all(row["kept"] for row in [*kept["truth"], *kept["random"]])
    size = {name: kept["resampling"][name] for name in ("resamples", "systems", "answers")}
    assert size == {"resamples": 1000, "systems": 5, "answers": 5000}
    assert len(kept["resampling"]["metrics"]) == 10
    assert max(run["cpu_s"] for run in kept["resampling"]["runs"]) <= 3
    for row in kept["rouge"].values():
        assert row["times_as_fast"] >= 1.6
        assert row["largest_difference"] < 1e-9
    assert kept["identical"]["files"] > 5
    assert kept["identical"]["differing"] == []
