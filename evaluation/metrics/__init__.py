"""The metrics by name, each imported on first use."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import cast

from doceo.core.errors import UsageError
from evaluation.metric import Metric

METRICS = {
    "bleu": "evaluation.metrics.bleu:Bleu",
    "chrf": "evaluation.metrics.chrf:ChrF",
    "rouge1": "evaluation.metrics.rouge:Rouge1",
    "rouge2": "evaluation.metrics.rouge:Rouge2",
    "rougeL": "evaluation.metrics.rouge:RougeL",
    "em": "evaluation.metrics.squad:ExactMatch",
    "f1": "evaluation.metrics.squad:F1",
}
"""Name -> `module:Class`. A new metric is one file and one line here."""


def load(name: str) -> Metric:
    """Return the metric of a name. Raises UsageError that says the nearest name."""
    place = METRICS.get(name)
    if place is None:
        folded = {known.lower(): known for known in METRICS}
        near = get_close_matches(name.lower(), folded, n=1, cutoff=0.4)
        hint = f"Did you mean {folded[near[0]]}? " if near else ""
        raise UsageError(f"There is no metric {name!r}.", hint=f"{hint}Metrics: {', '.join(METRICS)}.")
    module, _, attribute = place.partition(":")
    return cast(Metric, getattr(import_module(module), attribute)())


def load_all(names: Sequence[str]) -> list[Metric]:
    """Return the metrics of several names, each once, in order. Raises UsageError."""
    return [load(name) for name in dict.fromkeys(names)]
