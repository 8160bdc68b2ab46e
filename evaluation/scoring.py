"""Answers to scores. Reads records only; no model is called here.

What is scored is the whole `Answer.text` without its [n] markers, for every system and metric alike: a system that
quotes a sentence where the reference is one word pays for the length in EM, F1 and BLEU, as a reader does;
`Answer.short` is shown in reports and never scored. A refusal is scored as the text it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from doceo.core.config import EvaluateConfig
from doceo.core.errors import InputError
from doceo.core.records import Answered, Item, Score, SetName
from doceo.text.passages import without_markers
from evaluation.metric import Metric, Rows, statistics
from evaluation.metrics import load_all
from evaluation.significance import Estimate, interval, paired

SETS: tuple[SetName, ...] = get_args(SetName)
"""The sets in the order in which they are shown. No number mixes two of them."""

_Measured = dict[str, Rows]


def score(answered: Mapping[str, Sequence[Answered]], config: EvaluateConfig) -> tuple[list[Score], list[Item]]:
    """Return the scores of every system, set by set, and the value of every answer.

    Scores come by set, metric and system; beside each stands its paired difference to `config.baseline` where that
    answered the same questions (`versus` names it, `value` is the difference, `note` gives its p-value).

    Args:
        answered: System name -> its answers, of any sets.
        config: Metrics, resamples, seed and baseline.

    Raises:
        UsageError: a metric is unknown.
        InputError: a system answers a question twice, or two systems were asked with different references.
    """
    metrics = load_all(config.metrics)
    _check(answered)
    scores: list[Score] = []
    items: list[Item] = []
    for set_name in SETS:
        chosen = {system: [a for a in answers if a.set == set_name] for system, answers in answered.items()}
        chosen = {system: answers for system, answers in chosen.items() if answers}
        for metric in metrics:
            measured = {system: _measure(metric, answers) for system, answers in chosen.items()}
            for system, answers in chosen.items():
                items += _items(metric, system, answers, measured[system])
                scores.append(_single(metric, system, set_name, len(answers), measured[system], config))
                if system != config.baseline and config.baseline in measured:
                    scores.append(_versus(metric, system, set_name, measured, config))
    return scores, items


def _check(answered: Mapping[str, Sequence[Answered]]) -> None:
    asked: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    for system, answers in answered.items():
        seen: set[tuple[str, str]] = set()
        for line in answers:
            key = (line.set, line.pair_id)
            if key in seen:
                raise InputError(
                    f"{system} answers question {line.pair_id} of {line.set} twice.",
                    hint="Make the answers again with --fresh.",
                )
            seen.add(key)
            other, references = asked.setdefault(key, (system, line.references))
            if references != line.references:
                raise InputError(
                    f"{other} and {system} answered question {line.pair_id} of {line.set} with different references.",
                    hint="The answers come from different datasets; make them again with --fresh.",
                )


def _measure(metric: Metric, answers: Sequence[Answered]) -> _Measured:
    """Return pair id -> statistics, of the answers for which the metric is defined."""
    texts = [without_markers(line.answer.text).strip() for line in answers]
    rows = statistics(metric, texts, [line.references for line in answers])
    return {line.pair_id: row for line, row in zip(answers, rows, strict=True) if row is not None}


def _items(metric: Metric, system: str, answers: Sequence[Answered], measured: _Measured) -> list[Item]:
    def value(pair_id: str) -> float | None:
        row = measured.get(pair_id)
        return None if row is None else round(metric.item(row), 4)

    return [
        Item(system=system, set=line.set, metric=metric.name, pair_id=line.pair_id, value=value(line.pair_id))
        for line in answers
    ]


def _single(
    metric: Metric, system: str, set_name: SetName, asked: int, measured: _Measured, config: EvaluateConfig
) -> Score:
    if not measured:
        note = f"none of the {asked} questions has a reference that {metric.name} can use"
        return _record(metric, system, set_name, None, 0, note, config)
    rows = np.stack(list(measured.values()))
    missing = asked - len(rows)
    note = f"{missing} of {asked} questions left out: no usable reference" if missing else ""
    estimate = interval(metric, rows, resamples=config.resamples, seed=config.seed)
    return _record(metric, system, set_name, estimate, len(rows), note, config)


def _versus(
    metric: Metric, system: str, set_name: SetName, measured: Mapping[str, _Measured], config: EvaluateConfig
) -> Score:
    own, base = measured[system], measured[config.baseline]
    common = [pair_id for pair_id in own if pair_id in base]
    if not common:
        note = f"no question that both {system} and {config.baseline} answered"
        return _record(metric, system, set_name, None, 0, note, config, config.baseline)
    rows, baseline = np.stack([own[i] for i in common]), np.stack([base[i] for i in common])
    estimate = paired(metric, rows, baseline, resamples=config.resamples, seed=config.seed)
    note = "" if estimate.p is None else f"p = {estimate.p:.2g} (paired randomisation)"
    if len(common) < max(len(own), len(base)):
        note = f"{note}; on the {len(common)} questions that both answered".removeprefix("; ")
    return _record(metric, system, set_name, estimate, len(common), note, config, config.baseline)


def _record(
    metric: Metric,
    system: str,
    set_name: SetName,
    estimate: Estimate | None,
    n: int,
    note: str,
    config: EvaluateConfig,
    versus: str = "",
) -> Score:
    if n == 1:
        note = f"{note}; one question: no interval".removeprefix("; ")
    return Score(
        system=system,
        set=set_name,
        metric=metric.name,
        value=_rounded(estimate.value if estimate else None),
        low=_rounded(estimate.low if estimate else None),
        high=_rounded(estimate.high if estimate else None),
        n=n,
        signature=f"{metric.signature}|bs:{config.resamples}|ci:95|seed:{config.seed}",
        note=note,
        versus=versus,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6) + 0.0
