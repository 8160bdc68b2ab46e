"""Doceo from Python: the same stages as the command line, with records for results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.jsonl import read_jsonl
from data.store import PAIRS, Run
from doceo.app.settings import Settings, load_settings
from doceo.core.progress import Silent
from doceo.core.protocols import Answerer, Progress
from doceo.core.records import Answer, Chunk, Document, Ledger, Message, Pair, Rejected, Score
from rag.indexing import IndexReport

if TYPE_CHECKING:
    from doceo.core.loop import LoopRecord


@dataclass(frozen=True)
class RunResult:
    """A run folder, read on demand. Every attribute raises StageMissing where its stage is not finished."""

    path: Path

    @cached_property
    def documents(self) -> list[Document]:
        """The documents that were read."""
        from doceo.app.stages.documents import load_ingested

        return load_ingested(Run(self.path)).documents

    @cached_property
    def chunks(self) -> list[Chunk]:
        """Their passages."""
        from doceo.app.stages.documents import load_ingested

        return load_ingested(Run(self.path)).chunks

    @cached_property
    def pairs(self) -> list[Pair]:
        """The accepted pairs."""
        from doceo.app.stages.pairs import load_pairs

        return load_pairs(Run(self.path)).pairs

    @cached_property
    def rejected(self) -> list[Rejected]:
        """The rejected pairs, each with its reason."""
        return read_jsonl(Run(self.path).file(PAIRS, "rejected.jsonl"), Rejected)

    @cached_property
    def ledger(self) -> Ledger:
        """What became of every pair that was asked for."""
        from doceo.app.stages.pairs import load_pairs

        return load_pairs(Run(self.path)).ledger

    @cached_property
    def scores(self) -> Scores:
        """The scores of every system on every set."""
        from doceo.app.stages.scores import load_scores

        return Scores(load_scores(Run(self.path)))

    @property
    def report(self) -> Path:
        """The page that shows the run."""
        return self.path / "report.html"


class Scores(list[Score]):
    """Scores, and the way to print them."""

    def table(self) -> str:
        """Return the scores as text, one table for every set."""
        from evaluation.table import tables

        parts = []
        for table in tables(self):
            cells = [table.headers, *table.rows]
            widths = [max(len(row[i]) for row in cells) for i in range(len(table.headers))]
            lines = [
                "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
            ]
            parts.append("\n".join([f"{table.title} (n = {table.n})", *lines]))
        return "\n\n".join(parts)


class Conversation:
    """A conversation over documents; it remembers its turns."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self.history: list[Message] = []

    def ask(self, question: str) -> Answer:
        """Answer a question in the light of the turns before. Raises ProviderError."""
        answer = self._answerer.answer(question, self.history)
        self._remember(question, answer)
        return answer

    def stream(self, question: str) -> Iterator[str]:
        """Yield the answer piece by piece; its sources are in `last` afterwards. Raises ProviderError."""
        for piece in self._answerer.stream(question, self.history):
            if isinstance(piece, Answer):
                self._remember(question, piece)
            elif isinstance(piece, str):
                yield piece

    last: Answer | None = None
    """The latest answer with its sources."""

    def _remember(self, question: str, answer: Answer) -> None:
        self.last = answer
        self.history += [Message(role="user", content=question), Message(role="assistant", content=answer.text)]


def run(
    *sources: str | Path,
    out: str | Path = "",
    questions: str | Path | None = None,
    pairs: int | None = None,
    progress: Progress | None = None,
    **settings: Any,  # noqa: ANN401 - sections and values of `Settings`, checked there
) -> RunResult:
    """Take documents through every stage: pairs, a tuned model, answers, scores, a report.

    Args:
        sources: Folders, files or globs.
        out: The run folder; left out, `runs/` and the name of the first source.
        questions: Held-out questions that people wrote, as JSONL.
        pairs: How many pairs to make.
        progress: Where work is shown; left out, nowhere.
        settings: Values of `Settings`, such as `base="Qwen/Qwen3-0.6B"` or `finetune={"epochs": 2}`.

    Raises:
        DoceoError: what went wrong, with a hint; finished stages stay.
    """
    from doceo.app.pipeline import open_run, run_all

    names = [str(source) for source in sources]
    target = open_run(str(out), names)
    run_all(target, names, Path(questions) if questions else None, _settings(pairs, settings), progress or Silent())
    return RunResult(target.path)


def generate(
    *sources: str | Path,
    out: str | Path = "",
    pairs: int | None = None,
    progress: Progress | None = None,
    **settings: Any,  # noqa: ANN401 - as above
) -> RunResult:
    """Make pairs and a dataset only. Arguments and errors as for `run`."""
    from doceo.app.pipeline import generate_dataset, open_run, read_or_load

    names = [str(source) for source in sources]
    target, chosen, shown = open_run(str(out), names), _settings(pairs, settings), progress or Silent()
    with target.locked():
        ingested = read_or_load(target, names, chosen, shown)
        generate_dataset(target, ingested, None, chosen, shown)
    return RunResult(target.path)


def loop(
    *sources: str | Path,
    out: str | Path = "",
    questions: str | Path | None = None,
    systems: Sequence[str] = ("tuned",),
    progress: Progress | None = None,
    rounds: int | None = None,
    budget: int | None = None,
    control: bool | None = None,
    **settings: Any,  # noqa: ANN401 - as above
) -> LoopRecord:
    """Make pairs, train and test in rounds that spend their budget where the model is weak.

    Args:
        sources: Folders, files or globs.
        out: The loop's folder; left out, `runs/` and the name of the first source.
        questions: Questions that people wrote, as JSONL, for the exam.
        systems: What is asked after every round; the first one's answers decide where the budget goes.
        progress: Where work is shown; left out, nowhere.
        rounds: How many rounds.
        budget: How many training pairs in all.
        control: Whether to spend the same budget evenly too, and compare.
        settings: Values of `Settings`, such as `loop={"seeds": 3, "axis": "document"}`.

    Raises:
        DoceoError: what went wrong, with a hint; the same call goes on.
    """
    from doceo.app.loop import run_loop
    from doceo.app.pipeline import open_run

    given = {"rounds": rounds, "budget": budget, "control": control}
    wanted = settings.pop("loop", {}) | {name: value for name, value in given.items() if value is not None}
    names, file = [str(source) for source in sources], Path(questions) if questions else None
    target, chosen = open_run(str(out), names), load_settings({**settings, "loop": wanted})
    return run_loop(target, names, chosen, questions=file, systems=systems, progress=progress).record


def index(
    *sources: str | Path, collection: str = "default", sync: bool = False, progress: Progress | None = None
) -> IndexReport:
    """Add and update documents in a collection. Raises DoceoError."""
    from doceo.app.collection import index_collection

    report, _ = index_collection(
        collection, [str(s) for s in sources], load_settings({}), progress or Silent(), sync=sync
    )
    return report


def ask(question: str, *, run: RunResult | str | Path = "", collection: str = "", model: str = "") -> Answer:
    """Answer one question from a run's or a collection's documents. Raises DoceoError."""
    return chat(run, collection=collection, model=model).ask(question)


def chat(run: RunResult | str | Path = "", *, collection: str = "", model: str = "") -> Conversation:
    """Open a conversation over a run's or a collection's documents. Raises DoceoError."""
    from doceo.app.assistant import assistant

    place = str(run.path if isinstance(run, RunResult) else run)
    settings = load_settings({"model": model} if model else {})
    return Conversation(assistant(settings, Silent(), run=place, collection=collection))


def _settings(pairs: int | None, settings: dict[str, Any]) -> Settings:
    if pairs is not None:
        settings = {**settings, "generate": {**settings.get("generate", {}), "pairs": pairs}}
    return load_settings(settings)
