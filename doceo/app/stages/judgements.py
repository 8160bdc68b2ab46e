"""What a judge model said of the answers of a run, as it is read again: for scores, and for how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.answers import answer_files
from data.held_out import RATINGS
from data.jsonl import read_json, read_jsonl
from data.store import ANSWERS, DATASET, JUDGED, Run
from doceo.core.config import EvaluateConfig, JudgeConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.records import Answered
from evaluation.judging.labels import read_labels
from evaluation.judging.records import Compared, Judge, Marked
from evaluation.judging.summary import JudgeSummary, summary
from evaluation.metric import Metric
from evaluation.metrics.judge import judge_metrics

JUDGE = "judge.json"
"""File that says who judged and how; the scores' file of this name says how far to trust it."""
MARKS, COMPARISONS = "marks.jsonl", "comparisons.jsonl"


@dataclass(frozen=True)
class Judgements:
    """What a judge said of the answers of a run."""

    judge: Judge
    marked: list[Marked]
    compared: list[Compared]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that its replies give."""
        return judge_metrics(self.judge, self.marked, self.compared)


def load_judgements(run: Run) -> Judgements | None:
    """Return what a judge said of the answers of a run, if one was asked. Raises InputError for damaged files."""
    if not run.has(JUDGED):
        return None
    judge = Judge.model_validate(read_json(run.file(JUDGED, JUDGE)))
    marks, comparisons = run.file(JUDGED, MARKS), run.file(JUDGED, COMPARISONS)
    return Judgements(judge, read_jsonl(marks, Marked), read_jsonl(comparisons, Compared))


def judgement_files(run: Run, config: JudgeConfig) -> list[Path]:
    """Return the files that scores by a judge depend on: its replies, and what people said. None without a judge.

    Raises InputError where there is no such file of labels, UsageError where there are labels and no judge.
    """
    if not run.has(JUDGED):
        if config.labels:
            raise UsageError(
                f"Labels are compared with a judge's marks, and {run.path} has none.",
                hint="Name a judge too: doceo evaluate RUN --judge MODEL --judge-labels FILE",
            )
        return []
    return [*(run.file(JUDGED, name) for name in (JUDGE, MARKS, COMPARISONS)), *label_files(run, config)]


def summarized(run: Run, judgements: Judgements, config: JudgeConfig, evaluate: EvaluateConfig) -> JudgeSummary:
    """Return how far a judge can be trusted. Raises InputError where what people said cannot be read."""
    labels = read_labels(label_files(run, config))
    return summary(
        judgements.judge, judgements.marked, judgements.compared, labels, answered_in(run),
        resamples=evaluate.resamples, seed=evaluate.seed,
    )  # fmt: skip


def label_files(run: Run, config: JudgeConfig) -> list[Path]:
    """Return the files of what people said of answers. Raises InputError where one that is named is missing."""
    own, given = run.path / DATASET / RATINGS, [Path(config.labels)] if config.labels else []
    for path in given:
        if not path.is_file():
            raise InputError(f"There is no file {path}.", hint="Check the spelling and the current folder.")
    return [*([own] if own.is_file() else []), *given]


def answered_in(run: Run) -> dict[str, list[Answered]]:
    """Return system -> its answers. Raises StageMissing where there are none."""
    files = answer_files(run.file(ANSWERS, "manifest.json").parent)
    return {name: read_jsonl(file, Answered) for name, file in files.items()}
