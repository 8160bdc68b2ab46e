"""A system that was asked the exam: its answers' values, what they say of its gaps, and how two of them differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.jsonl import read_jsonl
from data.store import PAIRS, SCORES, Run
from doceo.app.loop.exam import Exam
from doceo.app.stages.pairs import load_pairs
from doceo.core.loop import Difference, Mean
from doceo.core.records import Gap, Item, Pair
from evaluation.covered import covered
from evaluation.gaps import gaps
from evaluation.seeds import over_seeds
from generator.corpus import Corpus


@dataclass(frozen=True)
class Tested:
    """A run whose system was asked the exam.

    Attributes:
        run: A round's run, or that of the base.
        system: The system, by the name of its answers.
        metric: The loop's metric.
        exam: The exam.
    """

    run: Run
    system: str
    metric: str
    exam: Exam

    @cached_property
    def values(self) -> dict[str, float]:
        """Value of every answer for which the metric is defined, by pair id."""
        items = read_jsonl(self.run.file(SCORES, "items.jsonl"), Item)
        mine = [item for item in items if item.system == self.system and item.metric == self.metric]
        return {item.pair_id: item.value for item in mine if item.value is not None}

    @cached_property
    def pairs(self) -> Sequence[Pair]:
        """The run's pairs; none of the base."""
        return load_pairs(self.run).pairs if self.run.has(PAIRS) else ()

    def measured(self, others: Sequence[Tested] = ()) -> dict[str, list[str]]:
        """Return the ids of the questions that gains are measured on, by set, in a fixed order.

        A metric may have no value for some answers, such as refusals: the questions are those for whose answers by this
        one and by all of `others` it has one. A set that has none is not there.
        """
        known = set(self.values).intersection(*(other.values for other in others))
        found: dict[str, list[str]] = {}
        for question in self.exam.questions:
            if question.pair_id in known and question.pair_id not in self.exam.steering:
                found.setdefault(question.set, []).append(question.pair_id)
        return found

    def gaps(self, corpus: Corpus, areas: Collection[str], axis: str) -> list[Gap]:
        """Return how weak the system is in every area, by the questions that steer."""
        values = {pair_id: value for pair_id, value in self.values.items() if pair_id in self.exam.steering}
        key_of = {question.pair_id: question.topic for question in self.exam.questions}
        counts = Counter(pair.topic for pair in self.pairs)
        of_areas = {area: counts[area] for area in areas}
        some = [chunk for chunk in corpus.chunks if corpus.weight[chunk.id]]
        touched = covered(some, corpus.topics, self.pairs)
        return gaps(values, key_of, axis, pairs=of_areas, covered=touched)

    def means(self) -> tuple[Mean, ...]:
        """Return the mean over the measured questions of every set."""
        return tuple(mean(name, self.metric, [self.table(ids)]) for name, ids in self.measured().items())

    def table(self, ids: Sequence[str]) -> list[float]:
        """Return the values of questions, in order."""
        return [self.values[pair_id] for pair_id in ids]


def mean(name: str, metric: str, tables: Sequence[Sequence[float]]) -> Mean:
    """Return the mean of a table, seeds by questions, with its interval over both."""
    found = over_seeds(np.asarray(tables, dtype=np.float64))
    low, high = (None if bound is None else round(min(100.0, max(0.0, bound)), 4) for bound in (found.low, found.high))
    return Mean(set=name, metric=metric, value=round(found.value, 4), low=low, high=high, n=found.n)


def difference(name: str, metric: str, tables: Sequence[Sequence[float]]) -> Difference:
    """Return the mean of a table of differences, seeds by questions."""
    found = over_seeds(np.asarray(tables, dtype=np.float64))
    low, high = (None if bound is None else round(bound, 4) for bound in (found.low, found.high))
    return Difference(
        set=name,
        metric=metric,
        value=round(found.value, 4),
        low=low,
        high=high,
        n=found.n,
        seeds=found.seeds,
        p=None if found.p is None else round(found.p, 6),
        between=round(found.between, 4),
        p_t=None if found.p_t is None else round(found.p_t, 6),
    )


def changes(tested: Tested, before: Tested) -> list[Difference]:
    """Return how much better the measured questions of every set are answered than before."""
    found = []
    for name, ids in tested.measured([before]).items():
        apart = np.subtract(tested.table(ids), before.table(ids))
        found.append(difference(name, tested.metric, [apart.tolist()]))
    return found


def gained(tested: Tested, before: Tested) -> bool:
    """Return whether the taught questions, those that steer included, are answered better than before beyond chance."""
    ids = [q.pair_id for q in tested.exam.questions if q.set in _judged(tested.exam)]
    common = [pair_id for pair_id in ids if pair_id in tested.values and pair_id in before.values]
    apart = np.subtract(tested.table(common), before.table(common))
    low = over_seeds(apart[np.newaxis, :]).low if len(common) else None
    return low is not None and low > 0


def _judged(exam: Exam) -> Collection[str]:
    return {question.set for question in exam.questions if question.pair_id in exam.steering}
