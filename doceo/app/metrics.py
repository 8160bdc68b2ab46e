"""From the names of metrics to metrics, with what some of them need besides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doceo.core.config.base import Config
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


def own_files(names: Sequence[str]) -> list[Path]:
    """Return the files of `FILE.py:Class` metrics, which decide what is measured as config and inputs do."""
    files = [Path(source) for source, colon, _ in (name.rpartition(":") for name in names) if colon]
    return [file for file in files if file.suffix == ".py" and file.is_file()]
