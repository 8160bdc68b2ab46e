"""The metrics by name, each imported on first use."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import cast

from doceo.core.errors import UsageError
from evaluation.metric import Metric

METRICS = {
    "bleu": "evaluation.metrics.bleu:Bleu",
    "bleu@intl": "evaluation.metrics.bleu:BleuInternational",
    "bleu@zh": "evaluation.metrics.bleu:BleuChinese",
    "bleu@char": "evaluation.metrics.bleu:BleuCharacters",
    "chrf": "evaluation.metrics.chrf:ChrF",
    "ter": "evaluation.metrics.ter:Ter",
    "rouge1": "evaluation.metrics.rouge:Rouge1",
    "rouge2": "evaluation.metrics.rouge:Rouge2",
    "rougeL": "evaluation.metrics.rouge:RougeL",
    "rougeLsum": "evaluation.metrics.rouge:RougeLsum",
    "em": "evaluation.metrics.squad:ExactMatch",
    "f1": "evaluation.metrics.squad:F1",
    "squad_em": "evaluation.metrics.squad:SquadExactMatch",
    "squad_f1": "evaluation.metrics.squad:SquadF1",
    "semantic": "evaluation.metrics.semantic:Semantic",
    "grounded": "evaluation.metrics.grounded:Grounded",
    "cited": "evaluation.metrics.cited:Cited",
    "verified": "evaluation.metrics.verified:Verified",
    "citation_precision": "evaluation.metrics.citation_precision:CitationPrecision",
    "citation_recall": "evaluation.metrics.citation_recall:CitationRecall",
    "hit@k": "evaluation.metrics.hit:Hit",
    "recall@k": "evaluation.metrics.recall:Recall",
    "precision@k": "evaluation.metrics.precision:Precision",
    "mrr": "evaluation.metrics.mrr:ReciprocalRank",
    "map": "evaluation.metrics.average_precision:AveragePrecision",
    "ndcg": "evaluation.metrics.ndcg:Ndcg",
    "span_recall": "evaluation.metrics.span_recall:SpanRecall",
    "refused": "evaluation.metrics.refused:Refused",
    "decided": "evaluation.metrics.decided:Decided",
    "auroc": "evaluation.metrics.auroc:Auroc",
    "risk@80": "evaluation.metrics.risk:Risk",
    "seconds": "evaluation.metrics.seconds:Seconds",
    "seconds_p50": "evaluation.metrics.seconds:SecondsP50",
    "seconds_p95": "evaluation.metrics.seconds:SecondsP95",
    "tokens": "evaluation.metrics.used_tokens:UsedTokens",
    "cost": "evaluation.metrics.cost:Cost",
}
"""Name -> `module:Class`. A new metric is one file and one line here."""
NUMBERED = ("hit@k", "recall@k", "precision@k", "mrr", "map", "ndcg", "risk@80")
"""Metrics of which the name may end with another number: hit@3, ndcg@10, risk@90."""
GROUP = "doceo.metrics"
"""The entry points by which an installed package adds metrics: its name -> a class without arguments."""
_FIELDS = ("name", "label", "signature", "group", "unit", "better")
_METHODS = ("statistics", "corpus", "item")


def load(name: str) -> Metric:
    """Return the metric of a name.

    Args:
        name: One of METRICS; one of NUMBERED with another number; an entry point of the group `doceo.metrics`; or
            `FILE.py:Class` or `module:Class` for a metric of one's own.

    Raises:
        UsageError: there is none of that name, or what is there is no metric.
    """
    if ":" in name:
        return _own(name, partial(_class, name))
    if name in METRICS:
        return cast(Metric, _class(METRICS[name])())
    family, _, number = name.partition("@")
    if number.isdecimal() and int(number) and (known := _NUMBERED.get(family)):
        return cast(Metric, _class(METRICS[known])(int(number)))
    for point in entry_points(group=GROUP, name=name):
        return _own(name, point.load)
    raise _unknown(name)


def load_all(names: Sequence[str], ways: Mapping[str, Callable[[], Metric]] | None = None) -> list[Metric]:
    """Return the metrics of several names, each once, in order.

    Args:
        names: What `load` takes.
        ways: Name -> how it is made here, for those that need more than their name.

    Raises:
        UsageError: as `load`, and where two metrics have one name.
    """
    ways = ways or {}
    loaded = [ways[name]() if name in ways else load(name) for name in dict.fromkeys(names)]
    for name, count in Counter(metric.name for metric in loaded).items():
        if count > 1:
            raise UsageError(f"Two metrics are called {name!r}.", hint="Give one of them another `name`.")
    return loaded


_NUMBERED = {name.partition("@")[0]: name for name in NUMBERED}


def _class(place: str) -> Callable[..., object]:
    """Return what stands at `FILE.py:Class` or `module:Class`. Raises whatever its import raises."""
    source, _, attribute = place.rpartition(":")
    return cast(Callable[..., object], getattr(_module(source), attribute))


def _module(source: str) -> ModuleType:
    if not source.endswith(".py"):
        return import_module(source)
    name = f"doceo_metric_{Path(source).stem}"
    spec = spec_from_file_location(name, source)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _own(name: str, find: Callable[[], Callable[..., object]]) -> Metric:
    """Return a metric that is not ours. Raises UsageError where it cannot be made or is none."""
    try:
        made = find()()
    except (ImportError, AttributeError, NameError, OSError, SyntaxError, TypeError, ValueError) as error:
        raise UsageError(
            f"The metric {name} cannot be loaded: {error}.",
            hint="Name a class that needs no arguments as FILE.py:Class, or as module:Class where it is installed.",
        ) from error
    lacking = [part for part in (*_FIELDS, *_METHODS) if not hasattr(made, part)]
    if lacking:
        raise UsageError(
            f"{name} is no metric: it has no {', '.join(lacking)}.",
            hint="docs/metrics.md shows one in ten lines; evaluation.metrics.contract.check says what is wrong.",
        )
    return cast(Metric, made)


def _unknown(name: str) -> UsageError:
    known = {known.lower(): known for known in (*METRICS, *entry_points(group=GROUP).names)}
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.4)
    hint = f"Did you mean {known[near[0]]}? " if near else ""
    return UsageError(f"There is no metric {name!r}.", hint=f"{hint}Metrics: {', '.join(known.values())}.")
