"""Systems of several runs side by side, on the questions that all of them answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.csv_file import write_rows
from data.jsonl import write_json, write_jsonl
from data.store import Run
from doceo.app.evaluated import Evaluated, metrics_of, read_evaluated
from doceo.app.settings import Settings
from doceo.app.stages.scores import SLICE_COLUMNS
from doceo.app.trainings import alike, trainings
from doceo.core.config import EvaluateConfig
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress
from doceo.core.records import Answered, Document, Question, Score, SetName
from evaluation.comparison import shared
from evaluation.repetitions import few_seeds
from evaluation.scoring import SETS, Scored, score


@dataclass(frozen=True)
class Comparison:
    """Scores of systems of several runs. `questions` counts those that all answered, by set; `notes` are in words."""

    baseline: str
    systems: list[str]
    questions: dict[SetName, int]
    scored: Scored
    notes: list[str]


def compare_runs(
    runs: Sequence[Run], settings: Settings, progress: Progress, systems: Sequence[str] = ()
) -> Comparison:
    """Score the stored answers of runs side by side; systems are called RUN/SYSTEM.

    Runs whose adapters differ by their seed only are one system, trained several times.

    Args:
        runs: Runs with answers.
        settings: Metrics, resamples, seed; the baseline as RUN/SYSTEM, or what `evaluate` has for the first system.
        progress: Where it is shown.
        systems: Those to compare, as SYSTEM or RUN/SYSTEM; nothing for all.

    Raises:
        UsageError: a system or metric is named that there is not, or one run is named twice.
        NotComparable: the systems have no question in common, or were not judged alike by the judge asked for.
        StageMissing: a run has no answers.
    """
    if len({run.path.resolve() for run in runs}) < len(runs):
        raise UsageError("A run is named twice.", hint="Name every run once.")
    evaluated = read_evaluated(runs)
    metrics = metrics_of(evaluated, settings.evaluate.metrics, settings.embedder)
    repeated = trainings(evaluated)
    answered = _chosen(evaluated, systems)
    same = {name: other for name, other in alike(evaluated, repeated).items() if {name, other} <= answered.keys()}
    answered = {name: lines for name, lines in answered.items() if name not in same}
    repeated = {name: some for name, of in repeated.items() if len(some := [one for one in of if one in answered]) > 1}
    kept, notes = shared(answered, {f"{one.name}/{name}": one.questions for one in evaluated for name in one.answers})
    used = [one for one in evaluated if any(f"{one.name}/{name}" in kept for name in one.answers)]
    name_of = {system: name for name, members in repeated.items() for system in members}
    names = list(dict.fromkeys(name_of.get(system, system) for system in kept))
    config = _with_baseline(settings.evaluate, names, name_of | same)
    with progress.task("compare", total=1, unit="scorings") as task:
        questions, documents = _questions(used), _documents(used)
        scored = score(kept, metrics, config, questions, documents, repeated)
        task.advance(1)
    first = next(iter(kept.values()))
    counts: dict[SetName, int] = {name: n for name in SETS if (n := sum(line.set == name for line in first))}
    for first_of in dict.fromkeys(same.values()):
        copies = [name for name, other in same.items() if other == first_of]
        notes.append(f"left out: {', '.join(copies)}, with the same answers as {first_of}")
    for name, members in repeated.items():
        notes += [words] if (words := few_seeds(name.rpartition(" (")[0], len(members))) else []
    return Comparison(config.baseline, names, counts, scored, notes)


def _chosen(evaluated: Sequence[Evaluated], systems: Sequence[str]) -> dict[str, Sequence[Answered]]:
    """Return the answers of the systems to compare. Raises UsageError for a name that there is not."""
    found: dict[str, Sequence[Answered]] = {}
    used: set[str] = set()
    for one in evaluated:
        for system, lines in one.answers.items():
            name = f"{one.name}/{system}"
            wanted = {system, name} & set(systems)
            used |= wanted
            if wanted or not systems:
                found[name] = lines
    if unknown := [name for name in systems if name not in used]:
        known = [f"{one.name}/{system}" for one in evaluated for system in one.answers]
        raise UsageError(f"There are no answers of {unknown[0]}.", hint=f"There are those of {', '.join(known)}.")
    return found


def _with_baseline(config: EvaluateConfig, names: Sequence[str], name_of: Mapping[str, str]) -> EvaluateConfig:
    """Return the config with the baseline of these systems. Raises UsageError for one that is none of them."""
    wanted = name_of.get(config.baseline, config.baseline)
    if wanted not in names:
        if config.baseline != EvaluateConfig().baseline:
            raise UsageError(f"There is no system {wanted} to compare with.", hint=f"There are {', '.join(names)}.")
        wanted = names[0]
    return config.model_copy(update={"baseline": wanted})


def _questions(evaluated: Iterable[Evaluated]) -> list[Question]:
    known: dict[tuple[SetName, str], Question] = {}
    for one in evaluated:
        for question in one.questions:
            known.setdefault((question.set, question.pair_id), question)
    return list(known.values())


def _documents(evaluated: Iterable[Evaluated]) -> dict[str, Document]:
    return {document.id: document for one in reversed(list(evaluated)) for document in one.documents}


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write scores, values of single answers and slices in the form of a run's. Raises StorageError."""
    scored = comparison.scored
    write_json(folder / "scores.json", [one.model_dump() for one in scored.scores])
    write_jsonl(folder / "items.jsonl", scored.items)
    write_jsonl(folder / "slices.jsonl", scored.slices)
    write_rows(folder / "scores.csv", list(Score.model_fields), (one.model_dump() for one in scored.scores))
    write_rows(folder / "slices.csv", SLICE_COLUMNS, (one.model_dump() for one in scored.slices))
