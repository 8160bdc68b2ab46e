"""Runs that were evaluated, read again to be set beside each other: their answers, questions and documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data import manifest as manifests
from data.jsonl import read_jsonl
from data.manifest import Manifest
from data.store import ADAPTER, ANSWERS, DATASET, DOCUMENTS, Run
from doceo.app.metrics import open_metrics
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.judgements import Judgements, answered_in, load_judgements
from doceo.core.errors import NotComparable
from doceo.core.records import Answered, Document, Question, SetName
from evaluation.judging.records import PREFIX, Compared
from evaluation.metric import Metric
from evaluation.metrics.judge import Preferred, judge_metrics


@dataclass(frozen=True)
class Evaluated:
    """An evaluated run under the name by which it is told from others."""

    name: str
    run: Run
    answers: dict[str, list[Answered]]
    questions: list[Question]
    documents: list[Document]

    @property
    def answering(self) -> Manifest:
        """What its answers were made from."""
        made = manifests.read(self.run.path / ANSWERS)
        assert made is not None
        return made

    @property
    def training(self) -> Manifest | None:
        """What its adapter was made from, if it has one."""
        return manifests.read(self.run.path / ADAPTER)


def read_evaluated(runs: Sequence[Run]) -> list[Evaluated]:
    """Return runs with their answers, named by as much of their paths as tells them apart.

    Raises StageMissing where one has no answers, InputError where a file is damaged.
    """
    return [_read(name, run) for name, run in zip(_names([run.path for run in runs]), runs, strict=True)]


def _read(name: str, run: Run) -> Evaluated:
    answers = answered_in(run)
    documents = read_jsonl(run.file(DOCUMENTS, "documents.jsonl"), Document) if run.has(DOCUMENTS) else []
    return Evaluated(name, run, answers, load_held_out(run) if run.has(DATASET) else [], documents)


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the last parts of paths, as few as tell them apart; a round of a loop is `gap-0/2`, never a bare `2`."""
    whole = [path.resolve().parts for path in paths]
    for count in range(1, max(map(len, whole)) + 1):
        names = ["/".join(parts[-max(count, 2 if parts[-1].isdigit() else 1) :]) for parts in whole]
        if len(set(names)) == len(set(whole)):
            break
    return names


def metrics_of(evaluated: Sequence[Evaluated], names: Sequence[str], embedder: str) -> list[Metric]:
    """Return the metrics of names, in order; those that a judge model made come from what it said of the runs.

    Raises:
        UsageError: there is no such metric.
        NotComparable: a judge's metric is asked for, and not all runs were judged by the same judge in the same way, or
            judge_preferred is and the baseline's answers differ: wins over other answers are another metric.
    """
    judged = [name for name in names if name.startswith(PREFIX)]
    metrics = open_metrics([name for name in names if name not in judged], embedder)
    if not judged:
        return metrics
    found = {metric.name: metric for metric in [*metrics, *_judge_metrics(evaluated, judged)]}
    return [found[name] for name in dict.fromkeys(names)]


def _judge_metrics(evaluated: Sequence[Evaluated], names: Sequence[str]) -> list[Metric]:
    judgements: list[Judgements] = []
    for one in evaluated:
        said = load_judgements(one.run)
        known = {metric.name: metric.signature for metric in said.metrics} if said else {}
        first = {metric.name: metric.signature for metric in judgements[0].metrics} if judgements else known
        for name in names:
            if said is None or name not in known or known[name] != first.get(name):
                first_run = evaluated[0].name
                problem = (
                    f"were not judged as {name} of {first_run} was" if name in first else f"have no marks of {name}"
                )
                raise NotComparable(
                    f"The answers of {one.name} {problem}.",
                    hint="Judge both in the same way: doceo evaluate RUN --judge MODEL",
                )
        assert said is not None
        judgements.append(said)
    marked = [mark for said in judgements for mark in said.marked]
    compared = [one for said in judgements for one in said.compared]
    if Preferred.name in names:
        _check_bases(evaluated, compared)
    return [metric for metric in judge_metrics(judgements[0].judge, marked, compared) if metric.name in names]


def _check_bases(evaluated: Sequence[Evaluated], compared: Sequence[Compared]) -> None:
    bases: dict[tuple[SetName, str], set[str]] = {}
    for one in compared:
        bases.setdefault((one.set, one.pair_id), set()).add(one.base)
    if differ := sum(len(found) > 1 for found in bases.values()):
        raise NotComparable(
            f"{Preferred.name} says what is better than the baseline's answer, and that is another one in some of "
            f"{', '.join(one.name for one in evaluated)} to {differ} of {len(bases)} questions.",
            hint="Leave it out of --metrics; the judge's marks, such as judge_correct, can be compared.",
        )
