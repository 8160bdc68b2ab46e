"""Stage 7: answers to scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from data.answers import SYSTEMS, answer_files, read_facts
from data.csv_file import write_rows
from data.jsonl import read_json, read_jsonl, write_json, write_jsonl
from data.store import ANSWERS, DATASET, DOCUMENTS, SCORES, Run
from doceo.app.metrics import models_asked, open_metrics, recipes
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.judgements import JUDGE, judgement_files, label_files, load_judgements, summarized
from doceo.core.config import EvaluateConfig, JudgeConfig
from doceo.core.protocols import Progress
from doceo.core.records import Answered, Document, Question, Score
from doceo.providers.embedders import DEFAULT
from evaluation.cited import Cited, cited
from evaluation.contest import contest
from evaluation.copies import copies
from evaluation.costs import costs
from evaluation.judging.records import PREFIX
from evaluation.judging.summary import JudgeSummary, noted
from evaluation.metric import Metric
from evaluation.scoring import score
from evaluation.verdict import Verdict, verdict

SCORES_FILE = TypeAdapter(list[Score])
VERDICT = "verdict.json"
SLICE_COLUMNS = ("axis", "key", *Score.model_fields)
PACKAGES = ("doceo", "sacrebleu", "rouge-score", "rapidfuzz", "numpy", "scipy")


def check_scoring(run: Run, config: EvaluateConfig, judging: JudgeConfig, embedder: str, *, judge: str = "") -> None:
    """Raise for what would stop the scoring, before anything is made or paid.

    Raises:
        UsageError: there is no such metric, or labels are named and neither a judge now nor one before.
        ModelNotFound: there is no such embedding model.
        InputError: a file of labels is missing.
    """
    names = {metric.name for metric in open_metrics(config.metrics, embedder)}
    sliced = [name for name in config.slice_metrics if not name.startswith(PREFIX)]
    for name in (config.primary, *sliced):
        if name not in names:
            open_metrics([name], embedder)
    if judge:
        label_files(run, judging)
    else:
        judgement_files(run, judging)


def without_baseline(run: Run, systems: Collection[str], config: EvaluateConfig) -> str:
    """Say that the baseline is neither among the systems nor among those whose answers a run has; else nothing."""
    there = dict.fromkeys([*systems, *answer_files(run.path / ANSWERS)])
    if config.baseline in there:
        return ""
    return f"Nothing is compared: the baseline {config.baseline} is not among {', '.join(there)} (see --baseline)."


def make_scores(
    run: Run,
    config: EvaluateConfig,
    progress: Progress,
    judging: JudgeConfig | None = None,
    embedder: str = DEFAULT,
) -> list[Score]:
    """Score every system's answers, each set by itself, with intervals and paired differences.

    What a judge said of them counts where one was asked; `judging` names the labels that it is compared with.
    `embedder` is the model of the metric `semantic`.
    """
    files = _files(run)
    asked = [run.file(DATASET, f"{name}.jsonl") for name in ("taught", "unseen")] if run.has(DATASET) else []
    facts = [path for path in (run.path / ANSWERS / SYSTEMS,) if path.is_file()]
    judging = judging or JudgeConfig()
    wanted = (*config.metrics, config.primary)
    inputs = [*files.values(), *facts, *asked, *judgement_files(run, judging)]
    made_from = [config, *models_asked(wanted, embedder)]
    own, (primary,) = open_metrics(config.metrics, embedder), open_metrics([config.primary], embedder)
    made_by = recipes([*own, primary])
    stage = run.stage(SCORES, config=made_from, inputs=inputs, prompts=made_by, packages=PACKAGES, seed=config.seed)
    if not stage.finished:
        answered = {name: read_jsonl(file, Answered) for name, file in files.items()}
        with stage.making() as work, progress.task("evaluate", total=1, unit="scorings") as task:
            questions = load_held_out(run) if asked else []
            documents = read_jsonl(run.file(DOCUMENTS, "documents.jsonl"), Document) if run.has(DOCUMENTS) else []
            named = {document.id: document for document in documents}
            judgements = load_judgements(run)
            metrics = [*own, *(judgements.metrics if judgements else ())]
            made = score(answered, metrics, config, questions, named)
            if judgements is not None:
                told = summarized(run, judgements, judging, config)
                write_json(work / JUDGE, told.model_dump())
                made = replace(made, scores=noted(made.scores, told))
            write_json(work / "scores.json", [s.model_dump() for s in made.scores])
            write_jsonl(work / "items.jsonl", made.items)
            write_jsonl(work / "slices.jsonl", made.slices)
            write_rows(work / "scores.csv", list(Score.model_fields), (s.model_dump() for s in made.scores))
            write_rows(work / "slices.csv", SLICE_COLUMNS, (s.model_dump() for s in made.slices))
            write_json(work / VERDICT, _judged(run, answered, primary, config, questions).model_dump())
            task.advance(1)
    return load_scores(run)


def _judged(
    run: Run,
    answered: Mapping[str, Sequence[Answered]],
    primary: Metric,
    config: EvaluateConfig,
    questions: Sequence[Question],
) -> Verdict:
    facts = read_facts(run.file(ANSWERS, "manifest.json").parent)
    # A copy under a second name would count as so many more comparisons, and make what is clear look like chance.
    copy_of = copies(answered)
    apart = {name: lines for name, lines in answered.items() if name not in copy_of}
    return verdict(contest(apart, primary, config, questions), costs(apart, facts), copy_of)


def load_verdict(run: Run) -> Verdict:
    """Return the verdict on the systems of a run. Raises StageMissing, InputError."""
    return Verdict.model_validate(read_json(run.file(SCORES, VERDICT)))


def load_judge_summary(run: Run) -> JudgeSummary | None:
    """Return how far the judge of a run's answers can be trusted, if there was one. Raises StageMissing, InputError."""
    path = run.file(SCORES, JUDGE)
    return JudgeSummary.model_validate(read_json(path)) if path.is_file() else None


def citations(run: Run) -> list[Cited]:
    """Return how many citations of each system's answers are verified. Raises StageMissing where there are none."""
    return cited({name: read_jsonl(file, Answered) for name, file in _files(run).items()})


def _files(run: Run) -> dict[str, Path]:
    """Return the systems with their files of answers, in the order of the tables."""
    return answer_files(run.file(ANSWERS, "manifest.json").parent)


def load_scores(run: Run) -> list[Score]:
    """Return the scores of a run. Raises StageMissing where there are none."""
    return SCORES_FILE.validate_python(read_json(run.file(SCORES, "scores.json")))
