"""Answers to scores. Reads records only; no system is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from doceo.core.config import EvaluateConfig
from doceo.core.errors import InputError
from doceo.core.records import Answered, Document, Item, Question, Score, SetName, Slice
from evaluation.case import Case, cases
from evaluation.entries import Entry, Measured, entries, scores
from evaluation.metric import Metric, items
from evaluation.slices import keys

SETS: tuple[SetName, ...] = get_args(SetName)
"""The sets in the order in which they are shown. No number mixes two of them."""


@dataclass(frozen=True)
class Scored:
    """Scores by set, metric and system, the value of every answer, and such scores of parts of a set.

    Beside each score stands the paired difference to the baseline, where there is one: `versus` names it, and `value`
    is the difference.
    """

    scores: list[Score]
    items: list[Item]
    slices: list[Slice]


def score(
    answered: Mapping[str, Sequence[Answered]],
    metrics: Sequence[Metric],
    config: EvaluateConfig,
    questions: Sequence[Question] = (),
    documents: Mapping[str, Document] | None = None,
    trainings: Mapping[str, Sequence[str]] | None = None,
) -> Scored:
    """Return the scores of every system, set by set, the value of every answer, and scores by slices.

    Args:
        answered: System name -> its answers, of any sets.
        metrics: What is measured, in the order of the table.
        config: Resamples, seed, baseline and the metrics to slice by.
        questions: What is known of the questions; one that is missing is known by its references alone.
        documents: Id -> document, whose names stand in the slices.
        trainings: Name -> those of `answered` that are one system, trained with several seeds: they are scored as one
            under that name, their values one by one.

    Raises:
        InputError: a system answers a question twice, or two systems were asked with different references.
    """
    _check(answered)
    known = {(question.set, question.pair_id): question for question in questions}
    found = Scored([], [], [])
    for set_name in SETS:
        chosen = {
            system: made
            for system, lines in answered.items()
            if (made := cases([line for line in lines if line.set == set_name], known))
        }
        if chosen:
            members = _members(chosen, trainings or {})
            _score_set(found, set_name, chosen, members, metrics, config, documents or {})
    return found


def _members(chosen: Iterable[str], trainings: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return name -> the systems behind it, in the order of their first ones."""
    name_of = {system: name for name, systems in trainings.items() for system in systems}
    members: dict[str, list[str]] = {}
    for system in chosen:
        members.setdefault(name_of.get(system, system), []).append(system)
    return members


def _score_set(
    found: Scored,
    set_name: SetName,
    chosen: Mapping[str, Sequence[Case]],
    members: Mapping[str, Sequence[str]],
    metrics: Sequence[Metric],
    config: EvaluateConfig,
    documents: Mapping[str, Document],
) -> None:
    ids_of = {system: [case.question.pair_id for case in made] for system, made in chosen.items()}
    single = [_measure(metric, chosen) for metric in metrics]
    for one in single:
        for system, ids in ids_of.items():
            found.items.extend(_items(one, system, set_name, ids))
    measured = [one.joined(members) for one in single]
    asked = {name: _common([ids_of[system] for system in systems]) for name, systems in members.items()}
    made_of = [entry for one in measured for entry in entries(one, asked, config.baseline)]
    found.scores.extend(scores(made_of, set_name, config))
    sliced: list[Entry] = []
    for axis, key, part in _parts(chosen, documents):
        some = {system: [i for i in ids if i in part] for system, ids in asked.items()}
        some = {system: kept for system, kept in some.items() if kept}
        for one in measured:
            if one.metric.name in config.slice_metrics:
                sliced += entries(one, some, config.baseline, (axis, key))
    for entry, made in zip(sliced, scores(sliced, set_name, config), strict=True):
        found.slices.append(Slice(**made.model_dump(), axis=entry.where[0], key=entry.where[1]))


def _common(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return what stands in all lists, in the order of the first."""
    others = [set(ids) for ids in lists[1:]]
    return [i for i in lists[0] if all(i in ids for ids in others)]


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


def _measure(metric: Metric, chosen: Mapping[str, Sequence[Case]]) -> Measured:
    """Return the statistics of the answers for which the metric is defined, each of shape (1, k)."""
    measured = Measured(metric)
    for system, made in chosen.items():
        rows = metric.statistics(made)
        both = zip(made, rows, strict=True)
        measured.rows[system] = {case.question.pair_id: row[np.newaxis] for case, row in both if row is not None}
    return measured


def _items(measured: Measured, system: str, set_name: SetName, ids: Iterable[str]) -> Iterable[Item]:
    rows = measured.rows[system]
    values = items(measured.metric, np.concatenate(list(rows.values()))) if rows else None
    found = {} if values is None else dict(zip(rows, values.tolist(), strict=True))
    for pair_id in ids:
        value = found.get(pair_id)
        rounded = None if value is None else float(f"{round(value, 10):.6g}") + 0.0  # a price is small
        yield Item(system=system, set=set_name, metric=measured.metric.name, pair_id=pair_id, value=rounded)


def _parts(
    chosen: Mapping[str, Sequence[Case]], documents: Mapping[str, Document]
) -> Iterable[tuple[str, str, frozenset[str]]]:
    """Yield (axis, key, ids of its questions), of the axes on which the questions of a set differ."""
    asked = {case.question.pair_id: case.question for made in chosen.values() for case in made}
    for axis, values in keys(list(asked.values()), documents).items():
        groups: dict[str, list[str]] = {}
        for pair_id, value in zip(asked, values, strict=True):
            groups.setdefault(value, []).append(pair_id)
        if len(groups) > 1:
            for value, ids in sorted(groups.items()):
                if value:
                    yield axis, value, frozenset(ids)
