"""A run against a baseline: does any system answer the same questions worse than is allowed?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from data.store import Run
from doceo.app.comparable import check_indexes, check_questions, check_signatures
from doceo.app.evaluated import Evaluated, metrics_of, read_evaluated
from doceo.app.settings import Settings
from doceo.core.config import RegressionConfig
from doceo.core.errors import NotComparable, UsageError
from doceo.core.protocols import Progress
from doceo.core.records import Record, SetName
from evaluation.case import Case, cases
from evaluation.gate import Check, Measured, checks
from evaluation.metric import Metric, Rows
from evaluation.scoring import SETS
from evaluation.traits import judged


class Gate(Record):
    """What a gate found. `left_out` says in words what was not checked, and why."""

    run: str
    baseline: str
    passed: bool
    checks: tuple[Check, ...]
    left_out: tuple[str, ...]
    resamples: int
    seed: int


def gate_run(run: Run, baseline: Run, settings: Settings, progress: Progress) -> Gate:
    """Check every system, set and metric that a run and its baseline both have, from their stored answers.

    Raises:
        UsageError: a system, metric or margin is named that there is not, or only a judge model's marks are checked.
        NotComparable: the runs were asked other questions, searched other indexes or were scored by other metrics.
        StageMissing: a run has no answers.
    """
    config = settings.regression
    now, before = read_evaluated([run, baseline])
    systems, left_out = _systems(now, before, config)
    check_questions(now, before)
    if not config.across_indexes:
        check_indexes(now, before, systems)
    named = config.metrics or settings.evaluate.metrics
    metrics = metrics_of([now, before], named, settings.embedder)
    kept, unchecked = _metrics(metrics, config)
    check_signatures(now, before, [metric.name for metric, _ in kept])
    with progress.task("gate", total=1, unit="gates") as task:
        measured = list(_measured(now, before, systems, kept))
        found = tuple(checks(measured, resamples=config.resamples, seed=config.seed))
        if all(check.outcome == "undefined" for check in found):
            why = ", ".join(dict.fromkeys(check.note for check in found)) or "their systems have no value in common"
            raise NotComparable(
                f"Nothing of {now.name} and {before.name} can be checked: {why}.",
                hint="Name other --metrics or --systems.",
            )
        task.advance(1)
    return Gate(
        run=now.name,
        baseline=before.name,
        passed=all(check.outcome != "worse" for check in found),
        checks=found,
        left_out=(*left_out, *unchecked, *(_unmeasured(kept, found) if config.metrics else ())),
        resamples=config.resamples,
        seed=config.seed,
    )


def _systems(now: Evaluated, before: Evaluated, config: RegressionConfig) -> tuple[list[str], list[str]]:
    """Return the systems to check, and words on those that only one run has."""
    for one in (now, before):
        if unknown := [name for name in config.systems if name not in one.answers]:
            raise UsageError(
                f"{one.run.path} has no answers of {unknown[0]}.", hint=f"It has those of {', '.join(one.answers)}."
            )
    common = [name for name in now.answers if name in before.answers]
    if not common:
        raise NotComparable(
            f"{now.name} and {before.name} have no system in common: {', '.join(now.answers)} here, "
            f"{', '.join(before.answers)} there.",
            hint="Ask the same: doceo evaluate RUN --systems NAMES",
        )
    if config.systems:
        return [name for name in common if name in config.systems], []
    pairs = ((now, before), (before, now))
    alone = [
        f"{name} (only {one.name} has it)" for one, other in pairs for name in one.answers if name not in other.answers
    ]
    return common, alone


def _metrics(metrics: Sequence[Metric], config: RegressionConfig) -> tuple[list[tuple[Metric, float]], list[str]]:
    """Return the metrics to check with the loss that is allowed, and words on the others. Raises UsageError."""
    names = [metric.name for metric in metrics]
    if unknown := [name for name in config.named if name not in names]:
        raise UsageError(
            f"--margin names {unknown[0]}, which is not checked.",
            hint=f"Checked are {', '.join(names)}; see --metrics.",
        )
    kept: list[tuple[Metric, float]] = []
    others: dict[str, list[str]] = {}
    for metric in metrics:
        allowed = config.allowed(metric.name, metric.unit)
        if not metric.better:
            others.setdefault("neither of two values is the better one", []).append(metric.name)
        elif allowed is None:
            others.setdefault("no --margin is named for it", []).append(metric.name)
        else:
            kept.append((metric, allowed))
    words = [f"{', '.join(names)} ({reason})" for reason, names in others.items()]
    if all(metric.group == "judged" for metric, _ in kept):
        raise UsageError(
            "There is no metric that a gate could rest on: what a judge model says never decides alone."
            if kept
            else f"No metric is left to check ({'; '.join(words)}).",
            hint="Name other --metrics, such as f1, or a --margin for those.",
        )
    return kept, words


def _unmeasured(metrics: Sequence[tuple[Metric, float]], found: Sequence[Check]) -> list[str]:
    """Return words on metrics that are defined for no answer."""
    checked = {check.metric for check in found}
    missing = [metric.name for metric, _ in metrics if metric.name not in checked]
    return [f"{', '.join(missing)} (undefined for every answer of both runs)"] if missing else []


def _measured(
    now: Evaluated, before: Evaluated, systems: Sequence[str], metrics: Sequence[tuple[Metric, float]]
) -> Iterator[Measured]:
    """Yield what is to be checked: sets that say something of a system, and metrics with a value in either run."""
    for set_name in SETS:
        for system in systems:
            if not judged(system, set_name):
                continue
            here, there = (_cases(one, system, set_name) for one in (now, before))
            for metric, margin in metrics:
                own, base = _rows(metric, here), _rows(metric, there)
                if own or base:
                    empty = np.zeros_like(next(iter((own or base).values())))
                    asked = sorted({case.question.pair_id for case in [*here, *there]})
                    known = {i for i in asked if i in own and i in base}
                    now_rows, before_rows = (
                        np.stack([rows[i] if i in known else empty for i in asked]) for rows in (own, base)
                    )
                    measured = np.array([i in known for i in asked])
                    yield Measured(system, set_name, metric, margin, now_rows, before_rows, measured)


def _cases(one: Evaluated, system: str, set_name: SetName) -> list[Case]:
    known = {(question.set, question.pair_id): question for question in one.questions}
    return cases([line for line in one.answers[system] if line.set == set_name], known)


def _rows(metric: Metric, made: Sequence[Case]) -> dict[str, Rows]:
    rows = zip(made, metric.statistics(made), strict=True)
    return {case.question.pair_id: row for case, row in rows if row is not None}
