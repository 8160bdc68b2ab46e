"""Stage 7: answers to scores."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from data.jsonl import read_json, read_jsonl, write_json, write_jsonl
from data.store import ANSWERS, SCORES, Run
from doceo.core.config import EvaluateConfig
from doceo.core.protocols import Progress
from doceo.core.records import Answered, Score
from evaluation.cited import Cited, cited
from evaluation.scoring import score

ORDER = ("base", "tuned", "base+rag", "tuned+rag", "quote+rag")
"""Systems in the order of the tables; others follow by name."""
SCORES_FILE = TypeAdapter(list[Score])
PACKAGES = ("doceo", "sacrebleu", "rouge-score", "numpy")


def make_scores(run: Run, config: EvaluateConfig, progress: Progress) -> list[Score]:
    """Score every system's answers, each set by itself, with intervals and paired differences."""
    files = _files(run)
    stage = run.stage(SCORES, config=[config], inputs=files, packages=PACKAGES, seed=config.seed)
    if not stage.finished:
        answered = {file.stem: read_jsonl(file, Answered) for file in files}
        with stage.making() as work, progress.task("evaluate", total=1, unit="scorings") as task:
            scores, items = score(answered, config)
            write_json(work / "scores.json", [s.model_dump() for s in scores])
            write_jsonl(work / "items.jsonl", items)
            task.advance(1)
    return load_scores(run)


def citations(run: Run) -> list[Cited]:
    """Return how many citations of each system's answers are verified. Raises StageMissing where there are none."""
    return cited({file.stem: read_jsonl(file, Answered) for file in _files(run)})


def _files(run: Run) -> list[Path]:
    """Return the files of answers in the order of the tables."""
    files = run.file(ANSWERS, "manifest.json").parent.glob("*.jsonl")
    return sorted(files, key=lambda file: (ORDER.index(file.stem) if file.stem in ORDER else len(ORDER), file.stem))


def load_scores(run: Run) -> list[Score]:
    """Return the scores of a run. Raises StageMissing where there are none."""
    return SCORES_FILE.validate_python(read_json(run.file(SCORES, "scores.json")))
