"""From the names of metrics to metrics, with what some of them need besides."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path

from doceo.core.config.base import Config
from doceo.core.errors import UsageError
from doceo.core.fingerprint import identify
from evaluation.metric import Metric
from evaluation.metrics import load_all

SEMANTIC = "semantic"


class MetricModels(Config):
    """The models that metrics ask."""

    embedder: str


def open_metrics(names: Sequence[str], embedder: str) -> list[Metric]:
    """Return the metrics of names, each once, in order.

    Args:
        names: What `evaluation.metrics.load` takes.
        embedder: The embedding model of `semantic`; opened only where that is asked for.

    Raises:
        UsageError: there is no such metric.
        ModelNotFound: there is no such embedding model.
    """

    def semantic() -> Metric:
        from doceo.providers.embedders import open_embedder
        from evaluation.metrics.semantic import Semantic

        return Semantic(open_embedder(embedder))

    return load_all(names, {SEMANTIC: semantic})


def models_asked(names: Sequence[str], embedder: str) -> list[MetricModels]:
    """Return the models that metrics ask, for the config of a stage: nothing where they ask none."""
    return [MetricModels(embedder=embedder)] if SEMANTIC in names else []


def recipes(metrics: Sequence[Metric]) -> dict[str, str]:
    """Return how metrics measure, name to hash, for the manifest of a stage.

    It is the signature, and of a metric that is not ours its file and the version of its package, where it has one.
    """
    return {f"metric {metric.name}": identify("", metric.signature, *_source(metric)) for metric in metrics}


def _source(metric: Metric) -> list[str]:
    module = type(metric).__module__
    package = module.partition(".")[0]
    if package == "evaluation":
        return []
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "")
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return [text, *(version(name) for name in sorted(set(packages_distributions().get(package, ()))))]


def check_weakness(name: str, better: str, unit: str) -> None:
    """Raise UsageError for a metric that tells no weakness: one with a unit, or of which more is not better."""
    if better != "higher" or unit:
        raise UsageError(
            f"{name} does not say how well a question was answered.",
            hint="Name a metric from 0 to 100, higher being better, with --metric, such as f1 or em.",
        )
