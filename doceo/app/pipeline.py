"""The story of a run, from documents to a report: read this first.

    documents -> chunks -> pairs -> dataset -> adapter -> index -> answers -> scores -> report

Every stage is a folder of the run. A finished stage whose config and inputs are unchanged is not redone; an
unfinished one goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.store import ADAPTER, CHUNKS, DATASET, STAGES, Run
from doceo.app.bases import NO_MODEL, base_of, base_to_tune
from doceo.app.models import QUOTE
from doceo.app.runs import default_run, existing_run, run_at
from doceo.app.settings import Settings
from doceo.app.stages.corpus import cannot_read
from doceo.app.stages.dataset import make_dataset
from doceo.app.stages.documents import Ingested, ingest, load_ingested
from doceo.app.stages.pairs import Made, make_pairs
from doceo.core.errors import CostCapReached, UsageError
from doceo.core.protocols import Progress
from doceo.core.records import Score
from doceo.providers.model_folder import base_of as adapter_base


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `short` says what it lacks of what was asked, `unchanged` that nothing was to be done."""

    run: Run
    ingested: Ingested
    made: Made
    scores: list[Score]
    report: Path
    short: str
    unchanged: bool


def run_all(
    run: Run, sources: Sequence[str], questions: Path | None, settings: Settings, progress: Progress
) -> Outcome:
    """Take documents through every stage. Raises DoceoError; what is finished stays."""
    # What only some commands need is imported where it is used: the others start sooner.
    from doceo.app.stages.adapter import Manner, train_adapter
    from doceo.app.stages.index import index_run
    from doceo.app.stages.report import make_report
    from doceo.app.stages.scores import check_scoring

    check_scoring(run, settings.evaluate, settings.judging, settings.embedder)
    with run.locked():
        before = _finished(run)
        ingested = read(run, sources, settings, progress)
        made = generate_dataset(run, ingested, questions, settings, progress)
        tuned = settings.base != NO_MODEL and has_rows(run)
        if tuned:
            base = base_to_tune(settings.base, "", progress)
            train_adapter(run, base, settings.finetune, progress, Manner(force=True))
        index_run(run, ingested, settings.embedder, progress, settings.executor)
        # Without training now, an adapter of an earlier dataset may stand there: it is not asked.
        scores = _evaluate(run, default_systems(run, tuned=tuned), settings, progress)
        report = make_report(run)
        short = shortfall(made, ingested, settings) or (
            "" if has_rows(run) else "No pair was left to train on: all are held out."
        )
        return Outcome(run, ingested, made, scores, report, short, before == _finished(run) != {})


def open_run(out: str, sources: Sequence[str], redo: Iterable[str] = ()) -> Run:
    """Return the run that a command writes, with the stages that it makes anew. Raises UsageError, RunError."""
    if not out and not sources:
        raise UsageError(
            "There is neither a SRC nor a run.", hint="Name documents, or a run that has some with --out RUN."
        )
    if not out:
        return Run(default_run(sources).path, frozenset(redo))
    named = run_at(out) if sources else existing_run(out)
    return Run(named.path, frozenset(redo))


def read(run: Run, sources: Sequence[str], settings: Settings, progress: Progress) -> Ingested:
    """Documents and chunks of the sources."""
    from doceo.app.parts import open_embedder_on

    embedder = open_embedder_on(settings.executor, settings.embedder)
    return ingest(run, sources, settings.read, settings.chunk, embedder, progress)


def read_or_load(run: Run, sources: Sequence[str], settings: Settings, progress: Progress) -> Ingested:
    """Documents and chunks of the sources, or those that the run has."""
    return read(run, sources, settings, progress) if sources else load_ingested(run)


def generate_dataset(
    run: Run, ingested: Ingested, questions: Path | None, settings: Settings, progress: Progress
) -> Made:
    """Pairs, and the dataset made of them."""
    made = make_pairs(run, ingested, settings, progress)
    make_dataset(run, ingested, made, questions, settings.generate, settings.dataset, progress)
    return made


def has_rows(run: Run) -> bool:
    """Return whether a run has rows to train on."""
    return run.file(DATASET, "train.jsonl").stat().st_size > 0


def finetune_run(
    run: Run,
    out: Path | None,
    settings: Settings,
    progress: Progress,
    *,
    force: bool,
    resume: bool = False,
    start: Path | None = None,
) -> Path:
    """An adapter of a run's dataset, in the run or in a folder of its own. Raises as `train_adapter`."""
    from doceo.app.stages.adapter import Manner, train_adapter, train_on_file

    manner = Manner(force, resume, start)
    with run.locked():
        base = base_for_run(run, settings, progress, start)
        if out is not None:
            rows, held = run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl")
            validation = held if held.stat().st_size else None
            return train_on_file(rows, out, base, settings.finetune, progress, manner, validation=validation)
        return train_adapter(run, base, settings.finetune, progress, manner)


def base_for_run(run: Run, settings: Settings, progress: Progress, start: Path | None = None) -> str:
    """Return the base to tune on a run's rows: the one named, that of `start`, the run's, or the one that ships.

    Raises UsageError where `none` is named.
    """
    known = adapter_base(start) if start else base_of(run) if run.has(ADAPTER) else ""
    return base_to_tune(settings.base, known, progress)


def finetune_file(
    file: Path,
    out: Path,
    settings: Settings,
    progress: Progress,
    *,
    force: bool,
    resume: bool = False,
    start: Path | None = None,
    validation: Path | None = None,
) -> Path:
    """An adapter of any file of chat rows. Raises as `train_on_file`."""
    from doceo.app.stages.adapter import Manner, train_on_file

    base = base_to_tune(settings.base, adapter_base(start) if start else "", progress)
    manner = Manner(force, resume, start)
    return train_on_file(file, out, base, settings.finetune, progress, manner, validation=validation)


def evaluate_run(
    run: Run,
    systems: Sequence[str],
    settings: Settings,
    progress: Progress,
    prompts: Sequence[Path] = (),
    judge: str = "",
) -> list[Score]:
    """Answers and scores of the systems named, or of all that the run has, and of models with other prompts.

    Where a judge is named, `KIND:NAME`, it marks the answers too.

    Raises StageMissing, UsageError, InputError, ProviderError.
    """
    from doceo.app.stages.index import index_run
    from doceo.app.stages.scores import check_scoring
    from doceo.app.systems import RAG

    check_scoring(run, settings.evaluate, settings.judging, settings.embedder, judge=judge)
    names = list(systems) or default_systems(run)
    with run.locked():
        if any(RAG in name for name in names):
            index_run(run, load_ingested(run), settings.embedder, progress)
        return _evaluate(run, names, settings, progress, prompts, judge)


def _evaluate(
    run: Run,
    systems: Sequence[str],
    settings: Settings,
    progress: Progress,
    prompts: Sequence[Path] = (),
    judge: str = "",
) -> list[Score]:
    from doceo.app.stages.answers import answer_held_out
    from doceo.app.stages.scores import make_scores, without_baseline

    asked = [*systems, *(f"{name}@{prompt.stem}" for name in systems for prompt in prompts)]
    if words := without_baseline(run, asked, settings.evaluate):
        if "baseline" in settings.evaluate.model_fields_set:
            raise UsageError(words, hint="Name one of them with --baseline, or ask it too with --systems.")
        progress.say(words)
    answer_held_out(run, systems, settings, progress, prompts)
    if judge:
        from doceo.app.stages.judged import judge_answers

        judge_answers(run, judge, settings, progress)
    return make_scores(run, settings.evaluate, progress, settings.judging, settings.embedder)


def default_systems(run: Run, *, tuned: bool = True) -> list[str]:
    """Return the systems that a run can be asked with, those of its adapter where it is `tuned`."""
    from doceo.app.stages.answers import has_recorded
    from doceo.app.system_names import RAG, RECORDED

    models = ["base", "tuned", "base+rag", "tuned+rag"] if tuned and run.has(ADAPTER) else []
    if has_recorded(run):
        return [RECORDED, *models, *([QUOTE + RAG] if run.has(CHUNKS) else [])]
    return [*models, QUOTE + RAG]


def shortfall(made: Made, ingested: Ingested, settings: Settings) -> str:
    """Say in words how and why there are fewer pairs than were asked for; empty where there are enough."""
    ledger = made.ledger
    if ledger.accepted >= ledger.requested:
        return ""
    counts = {
        **{f"{k} (rejected)": n for k, n in ledger.rejected.items()},
        **{f"{k} (failed)": n for k, n in ledger.failed.items()},
    }
    reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items(), key=lambda item: -item[1]))
    proposed = f"the documents gave {ledger.asked} proposals{'; ' + reasons if reasons else ''}"
    parts = [f"{ledger.accepted} of {ledger.requested} pairs: {proposed}.", cannot_read(ingested, settings)]
    if CostCapReached.code in ledger.failed:
        cap = settings.engine.max_cost
        parts.append(
            f"The cost cap of {cap or 0:g} USD was reached; the same command with a higher --max-cost goes on."
        )
    return " ".join(part for part in parts if part)


def _finished(run: Run) -> dict[str, int]:
    manifests = [run.path / stage / "manifest.json" for stage in STAGES]
    return {str(path): path.stat().st_mtime_ns for path in manifests if path.exists()}
