"""From an index and questions to its calibration, kept beside it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from data.jsonl import read_rows, storage_error
from doceo.app.asked_of_documents import Probe, made_questions
from doceo.app.assistant import choose_documents
from doceo.app.settings import Settings
from doceo.app.systems import Systems
from doceo.core.errors import InputError, UsageError
from doceo.core.fingerprint import sha256
from doceo.core.protocols import Progress
from doceo.core.records import Passage
from rag import versions
from rag.calibration import CURVE, Calibration, Origin, Point, Recipe, merged, read_calibration, write_calibration
from rag.fitting import check, choosers, fit, out_of_fold
from rag.reading import read
from rag.refusal import chance, log_odds, sentence_chance
from rag.retriever import HybridRetriever
from rag.risk_curve import draw_risk


class JudgedQuestion(BaseModel):
    """A line of a file of questions or reviews; other fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    question: str
    answerable: bool


@dataclass(frozen=True)
class Calibrated:
    """A calibration, the picture of its curve, and what is to be said of it."""

    calibration: Calibration
    curve: Path
    notes: tuple[str, ...]

    @property
    def origins(self) -> dict[str, int]:
        """How many questions come from where."""
        return dict(Counter(point.origin for point in self.calibration.points))

    def as_json(self) -> dict[str, object]:
        """Return it for scripts: all but the questions."""
        found = self.calibration.model_dump(mode="json", exclude={"points"})
        return {**found, "questions": self.origins, "curve": str(self.curve), "notes": list(self.notes)}


def calibrate_index(
    settings: Settings, progress: Progress, *, run: str, collection: str, questions: str, reviews: str
) -> Calibrated:
    """Fit the refusals of an index and keep the calibration and its curve beside it.

    Args:
        settings: How it is searched; what is wanted.
        progress: Where the search is shown.
        run: The run whose documents are meant, or nothing.
        collection: The collection, or nothing.
        questions: A file of judged questions; left out, some are made from the documents.
        reviews: A file of questions judged since: what was fitted on before stays.

    Raises:
        UsageError: Both a risk and a coverage are wanted, or reviews come with questions.
        InputError: A file cannot be read, or there are too few questions of one kind.
        IndexUnusable: There is no index, or it is damaged.
        RunLocked: Another process writes the index.
    """
    wanted = settings.calibrate
    if wanted.risk is not None and wanted.coverage is not None:
        raise UsageError("--risk and --coverage decide the same.", hint="Name one of them.")
    if questions and reviews:
        raise UsageError("--reviews adds to what was fitted on; --questions begins anew.", hint="Name one of them.")
    found, folder = choose_documents(run, collection, none=False)
    assert folder is not None
    retriever = Systems(settings, progress, found, folder).retriever()
    with versions.writing(folder):
        points, notes = _points(retriever, settings, progress, folder, questions, reviews)
        check(points)
        choose, words = choosers(wanted.risk, wanted.coverage)
        calibration = Calibration(
            recipe=Recipe.of(retriever.index.manifest.embedder, settings.retrieve),
            version=retriever.index.version,
            chunks=retriever.index.manifest.chunks,
            wanted=words,
            model=fit(points, lambda point: point.model, choose["model"]),
            quote=fit(points, lambda point: point.quote, choose["quote"]),
            points=tuple(sorted(points, key=lambda point: point.question)),
        )
        _draw(calibration, folder / CURVE)
        write_calibration(folder, calibration)
    return Calibrated(calibration, folder / CURVE, tuple(notes))


def _points(
    retriever: HybridRetriever,
    settings: Settings,
    progress: Progress,
    folder: Path,
    questions: str,
    reviews: str,
) -> tuple[list[Point], list[str]]:
    old, notes = None if questions else read_calibration(folder), list[str]()
    recipe = Recipe.of(retriever.index.manifest.embedder, settings.retrieve)
    if old is not None and old.recipe != recipe:
        notes.append("What was fitted on before was searched in another way and is left out.")
        old = None
    people = [point for point in old.points if point.origin != "made"] if old else []
    if people and not reviews:
        notes.append(f"Fitted on the {len(people)} questions that people gave before; --questions begins anew.")
        if old and old.version != retriever.index.version:
            notes.append("The documents have changed since they were asked: give the questions again.")
        return merged(old.points if old else (), ()), notes
    if questions or (old is not None and reviews):
        named = Path(questions or reviews)
        new = _scored(retriever, _judged(named), settings, progress, "reviewed" if reviews else "given")
        return merged(old.points if old else (), new), notes
    probes = made_questions(retriever, settings, progress)
    made = [_point(retriever, probe, "made") for probe in probes]
    notes.append("Questions made from the documents use their words; your own (--questions FILE) tell more.")
    extra = _scored(retriever, _judged(Path(reviews)), settings, progress, "reviewed") if reviews else []
    return merged(made, extra), notes


def _judged(path: Path) -> list[JudgedQuestion]:
    """Return the questions of a file. Raises InputError naming the line where one cannot be used."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the spelling and the current folder.")
    judged = []
    for number, row in read_rows(path):
        try:
            judged.append(JudgedQuestion.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(
                f"{path}, line {number}: {'.'.join(map(str, first['loc']))}: {first['msg']}.",
                hint='A line looks like {"question": "Who ...?", "answerable": true}.',
            ) from error
    return judged


def _scored(
    retriever: HybridRetriever,
    judged: Sequence[JudgedQuestion],
    settings: Settings,
    progress: Progress,
    origin: Origin,
) -> list[Point]:
    points = []
    with progress.task("search", len(judged), "questions") as task:
        for one in judged:
            passages = retriever.search(one.question, settings.retrieve.k)
            points.append(_point(retriever, Probe(one.question, passages, one.answerable), origin))
            task.advance()
    return points


def _point(retriever: HybridRetriever, probe: Probe, origin: Origin) -> Point:
    question, passages = probe.question, probe.passages
    candidates = read(question, passages, retriever.index)
    return Point(
        # the same question with and without its document counts twice
        question=sha256(f"{question}|{probe.answerable if origin == 'made' else ''}")[:16],
        answerable=probe.answerable,
        origin=origin,
        model=round(chance(question, passages, retriever.index), 6),
        quote=round(sentence_chance(candidates[0]), 6) if candidates else 0.0,
        cosine=round(_cosine(passages), 6),
    )


def _cosine(passages: Sequence[Passage]) -> float:
    return max((passage.hit.arms["dense"].score for passage in passages if "dense" in passage.hit.arms), default=0.0)


def _draw(calibration: Calibration, path: Path) -> None:
    points = sorted(calibration.points, key=lambda point: point.question)
    labels = np.array([point.answerable for point in points])
    scores = {
        name: out_of_fold(np.array([log_odds(getattr(point, name)) for point in points]), labels)
        for name in ("model", "quote")
    }
    scores["cosine"] = np.array([point.cosine for point in points])
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draw_risk(
            scores, labels, {"model": calibration.model.threshold, "quote": calibration.quote.threshold}, temporary
        )
        temporary.replace(path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)
