"""A chance made true for one index, from questions of which it is known whether its documents answer them.

The shipped chance is bent on the scale of its logarithmic odds by two numbers (Platt 1999), drawn to leaving it as it
is, so that few questions change little. All that is reported, and the threshold, comes from chances that the questions
themselves had no part in (five folds). Kept beside the versions of the index as `calibration.json`, without the
questions' words: of each only a hash, what was found out and where it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from data.jsonl import write_json
from doceo.core.config import RetrieveConfig
from doceo.core.errors import IndexUnusable
from doceo.core.fingerprint import canonical, sha256
from doceo.core.records import Record
from rag.refusal import Gate
from rag.signs import chance_weights
from rag.weights import fitted

if TYPE_CHECKING:
    from rag.index import Index

FILE = "calibration.json"
CURVE = "calibration.svg"
Origin = Literal["made", "given", "reviewed"]


class Point(Record):
    """One question: a hash of it, whether what was found answers it, where it comes from, and its shipped scores."""

    question: str
    answerable: bool
    origin: Origin
    model: float
    quote: float
    cosine: float


class Fit(Record):
    """How one answerer decides, and how well: AUROC and what is answered at the threshold, by unseen questions.

    `risk` is the share of wrongly answered among the answered, `coverage` the share of answered among all. Intervals
    are 95 %; `error` is the Brier score.
    """

    slope: float
    offset: float
    threshold: float
    auroc: float
    auroc_interval: tuple[float, float]
    cosine_auroc: float
    risk: float
    risk_interval: tuple[float, float]
    coverage: float
    error: float


class Recipe(Record):
    """What the scores depend on: they say nothing of an index that is searched in another way."""

    embedder: str
    retrieve: str
    weights: str

    @classmethod
    def of(cls, embedder: str, config: RetrieveConfig) -> Recipe:
        """Return the recipe of searches with an embedder and a config."""
        weights = canonical([chance_weights().model_dump(), fitted().model_dump()])
        return cls(
            embedder=embedder,
            retrieve=canonical(config.model_dump(mode="json", exclude={"where"})),
            weights=sha256(weights)[:16],
        )


class Calibration(Record):
    """What was fitted, on which questions, for which documents (`version` and `chunks` of the index)."""

    format: int = 1
    recipe: Recipe
    version: str
    chunks: int
    wanted: str
    model: Fit
    quote: Fit
    points: tuple[Point, ...]


def read_calibration(folder: Path) -> Calibration | None:
    """Return an index's calibration, or None where there is none. Raises IndexUnusable for a damaged file."""
    try:
        return Calibration.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise IndexUnusable(
            f"The calibration {folder / FILE} cannot be read.",
            hint="Delete the file, or make it again: doceo calibrate.",
        ) from error


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Keep a calibration beside its index. Raises StorageError."""
    write_json(folder / FILE, calibration.model_dump(mode="json"))
    (folder / FILE).chmod(0o600)


def gate(index: Index, config: RetrieveConfig, refuse_below: float | None, of: Literal["model", "quote"]) -> Gate:
    """Return how an answerer over an index decides: calibrated where that was done for searches like these.

    Args:
        index: The open index.
        config: How it is searched.
        refuse_below: The user's own threshold; left out, the calibrated, else the shipped one.
        of: Who answers.
    """
    shipped = chance_weights().threshold if of == "model" else fitted().threshold
    found = read_calibration(index.folder)
    if found is None:
        return Gate(shipped if refuse_below is None else refuse_below)
    if found.recipe != Recipe.of(index.manifest.embedder, config):
        note = "The index was calibrated for another way of searching, so that this does not count: doceo calibrate."
        return Gate(shipped if refuse_below is None else refuse_below, note=note)
    fit: Fit = getattr(found, of)
    note = "" if found.version == index.version else "The documents have changed since the index was calibrated."
    return Gate(fit.threshold if refuse_below is None else refuse_below, fit.slope, fit.offset, note)


def merged(old: Sequence[Point], new: Sequence[Point]) -> list[Point]:
    """Return points with newer ones for the same question in their place; what people say outweighs what was made.

    Questions that were made from the documents use their words: once people have given thirty, ten of either kind,
    those that were made are left out.
    """
    by_question = {point.question: point for point in (*old, *new)}
    points = list(by_question.values())
    people = [point for point in points if point.origin != "made"]
    yes = sum(point.answerable for point in people)
    return people if len(people) >= 30 and min(yes, len(people) - yes) >= 10 else points
