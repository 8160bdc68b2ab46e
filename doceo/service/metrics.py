"""What Prometheus reads at `/metrics`, counted in a registry of the service's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_TUNED = "ft:"

Jobs = Mapping[tuple[str, str], int]
"""Jobs by kind and status."""


class Metrics:
    """All counters of one service. Safe for threads. Times are in seconds.

    The label `model` only ever holds models that the operator named, and of a tuned one its base: its id holds words of
    its owner's, and clients cannot make new series.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        self._requests = Counter("doceo_requests", "Requests answered.", ["method", "route", "status"], registry=own)
        self._durations = Histogram(
            "doceo_request_seconds", "From the request to the last byte.", ["route"], buckets=_SECONDS, registry=own
        )
        self._active = Gauge("doceo_requests_active", "Requests being answered.", registry=own)
        self._first = Histogram(
            "doceo_first_token_seconds",
            "From the request to the first token.",
            ["model"],
            buckets=_SECONDS,
            registry=own,
        )
        self._tokens = Counter("doceo_tokens", "Tokens of prompts and answers.", ["model", "kind"], registry=own)
        self._retrieval = Histogram("doceo_retrieval_seconds", "Finding passages.", buckets=_SECONDS, registry=own)
        self._refused = Counter("doceo_refused_requests", "Requests turned away.", ["reason"], registry=own)
        self._questions = Gauge("doceo_questions_active", "Questions being answered.", registry=own)

    def started(self) -> None:
        """Count a request that came in."""
        self._active.inc()

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered; `route` is the path with its parameters' names."""
        self._active.dec()
        self._requests.labels(method, route, status).inc()
        self._durations.labels(route).observe(seconds)

    def first_token(self, model: str, seconds: float) -> None:
        """Count the time to the first token of an answer."""
        self._first.labels(_named(model)).observe(seconds)

    def tokens(self, model: str, prompt: int, completion: int) -> None:
        """Count the tokens of an answer."""
        named = _named(model)
        self._tokens.labels(named, "prompt").inc(prompt)
        self._tokens.labels(named, "completion").inc(completion)

    def retrieved(self, seconds: float) -> None:
        """Count a search for passages."""
        self._retrieval.observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request turned away, for one of a few reasons such as `rate` or `busy`."""
        self._refused.labels(reason).inc()

    def watch_questions(self, count: Callable[[], float]) -> None:
        """Name what is asked for the number of questions being answered, whenever Prometheus reads."""
        self._questions.set_function(count)

    def text(self, jobs: Jobs) -> bytes:
        """Return everything in the text form of Prometheus, with the numbers of jobs as they are now."""
        own = CollectorRegistry()
        own.register(_OfJobs(jobs))
        return generate_latest(self._registry) + generate_latest(own)


def _named(model: str) -> str:
    """Return `ft:BASE` of the id of a tuned model, others as they are."""
    return ":".join(model.split(":")[:2]) if model.startswith(_TUNED) else model


class _OfJobs(Collector):
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("doceo_jobs", "Jobs.", labels=["kind", "status"])
        for (kind, status), count in sorted(self._jobs.items()):
            family.add_metric([kind, status], count)
        yield family


async def metrics_of(request: Request) -> Metrics:
    """Return the service's counters."""
    found: Metrics = request.app.state.metrics
    return found


Measured = Annotated[Metrics, Depends(metrics_of)]
