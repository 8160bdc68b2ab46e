"""Retrieval against pinning on the user's own questions: which answers better, what each costs, and which to take."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from data.jsonl import read_rows
from doceo.app.assistant import choose_documents
from doceo.app.contexts import Comparison, Mode, Way, keep
from doceo.app.models import QUOTE
from doceo.app.settings import Settings
from doceo.app.systems import RAG, Systems, default_model
from doceo.core.errors import InputError, UsageError
from doceo.core.protocols import Answerer, Progress
from doceo.core.records import Answer
from doceo.text.passages import without_markers
from evaluation.metric import Rows
from evaluation.metrics.squad import F1
from evaluation.significance import Estimate, paired
from rag.answerer import ModelAnswerer

FEWEST = 5
"""Questions below which nothing is compared."""


class AskedQuestion(BaseModel):
    """A line of a file of questions with their right answers; other fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    question: str
    answers: list[str] = []
    answerable: bool = True


class _Measured(NamedTuple):
    way: Way
    rows: Rows


def compare_contexts(
    settings: Settings, progress: Progress, *, run: str, collection: str, questions: str, folder: Path | None = None
) -> Comparison:
    """Ask every question with passages retrieved and with all pinned, keep what was found, and say which is better.

    Args:
        settings: The model, and how it answers.
        progress: Where the questions are shown.
        run: The run whose documents are meant, or nothing.
        collection: The collection, or nothing.
        questions: A file of JSON lines {"question", "answers", "answerable"}.
        folder: Folder of the index, where it is known.

    Raises:
        UsageError: No model is named that could be given documents, or no questions are.
        InputError: The file cannot be used, or there are too few questions in it.
        IndexUnusable, ProviderError: As for `ask`.
    """
    found, index = (None, folder) if folder is not None else choose_documents(run, collection, none=False)
    assert index is not None
    model = settings.model or default_model(found)
    if model == QUOTE:
        raise UsageError(
            "`quote` reads what a search finds; only a model can be given a whole corpus.",
            hint="Name one with --model, such as hf:PATH or ollama:MODEL.",
        )
    if not questions:
        raise UsageError(
            "The two ways are compared on questions of yours.",
            hint='Name a file with --questions; a line is {"question": "Who ...?", "answers": ["..."]}.',
        )
    asked = _asked(Path(questions))
    # a journal would give back what was said, and the seconds of that, instead of asking again
    systems = Systems(_with(settings, "retrieve"), progress, found, index, journaled=False)
    version = systems.retriever().index.version
    answerer = systems.open(model + RAG)
    assert isinstance(answerer, ModelAnswerer)
    name = answerer.provider.name
    retrieve = _measured(answerer, asked, progress, "retrieve")
    del answerer  # of a local model one at a time is in memory
    systems = Systems(_with(settings, "pin"), progress, found, index, journaled=False)
    try:
        pinning = systems.open(model + RAG)
    except UsageError as error:  # it does not fit
        done = Comparison(
            model=name, version=version, questions=len(asked), retrieve=retrieve.way, pin=None, choice="retrieve",
            why=str(error),
        )  # fmt: skip
    else:
        done = compared(name, version, retrieve, _measured(pinning, asked, progress, "pin"))
    keep(index, done)
    return done


def compared(model: str, version: str, retrieve: _Measured, pin: _Measured) -> Comparison:
    """Return which of two ways is better: by its answers where the questions can tell, else by its seconds."""
    metric = F1()
    found = paired(metric, pin.rows, retrieve.rows, resamples=2000, seed=0)
    choice, because = _chosen(found, retrieve.way, pin.way)
    scores = f"F1 {pin.way.score:.1f} pinned, {retrieve.way.score:.1f} retrieved"
    spread = f"{found.low:.1f} to {found.high:.1f}" if found.low is not None else "no interval"
    return Comparison(
        model=model,
        version=version,
        questions=len(pin.rows),
        retrieve=retrieve.way,
        pin=pin.way,
        difference=found.value or 0.0,
        low=found.low,
        high=found.high,
        choice=choice,
        why=f"{because} ({scores}; difference {found.value or 0.0:+.1f}, 95 % interval {spread}; "
        f"{pin.way.seconds:.2f} s pinned, {retrieve.way.seconds:.2f} s retrieved).",
    )


def _chosen(found: Estimate, retrieve: Way, pin: Way) -> tuple[Mode, str]:
    if found.low is not None and found.low > 0:
        return "pin", "the answers are better"
    if found.high is not None and found.high < 0:
        return "retrieve", "the answers are better"
    choice: Mode = "pin" if pin.seconds < retrieve.seconds else "retrieve"
    return choice, "the answers do not differ by more than chance, and it is faster"


def _with(settings: Settings, mode: Mode) -> Settings:
    return settings.model_copy(update={"answer": settings.answer.model_copy(update={"context": mode})})


def _measured(answerer: Answerer, asked: Sequence[AskedQuestion], progress: Progress, name: str) -> _Measured:
    answers: list[Answer] = []
    with progress.task(name, len(asked), "questions") as task:
        for one in asked:
            answers.append(answerer.answer(one.question))
            task.advance()
    metric = F1()
    rows = np.array([_score(metric, one, answer) for one, answer in zip(asked, answers, strict=True)])
    usages = [answer.usage for answer in answers]
    later = usages[1:] or usages
    way = Way(
        score=float(metric.corpus(rows.sum(axis=0, keepdims=True))[0]),
        refused=sum(answer.refused for answer in answers) / len(answers),
        seconds=statistics.median(usage.seconds for usage in later),
        first_seconds=usages[0].seconds,
        prompt_tokens=statistics.fmean(usage.prompt_tokens for usage in usages),
        cached_tokens=statistics.fmean(usage.cached_tokens for usage in usages),
    )
    return _Measured(way, rows)


def _score(metric: F1, asked: AskedQuestion, answer: Answer) -> Rows:
    """Return F1; 100 for a refusal of what the documents do not answer, 0 for every other one."""
    if answer.refused or not asked.answerable:
        return np.array([100.0 * (answer.refused and not answer.failed and not asked.answerable), 1.0])
    return metric.compare(without_markers(answer.text), asked.answers)


def _asked(path: Path) -> list[AskedQuestion]:
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the spelling and the current folder.")
    asked = []
    hint = 'A line looks like {"question": "Who ...?", "answers": ["..."]}, or {"question": ..., "answerable": false}.'
    for number, row in read_rows(path):
        try:
            one = AskedQuestion.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise InputError(f"{path}, line {number}: {where}: {first['msg']}.", hint=hint) from error
        if one.answerable and not any(text.strip() for text in one.answers):
            raise InputError(f"{path}, line {number}: an answerable question has no answer.", hint=hint)
        asked.append(one)
    if len(asked) < FEWEST:
        raise InputError(f"{path} has {len(asked)} questions; {FEWEST} are the fewest that say anything.", hint=hint)
    return asked
