"""Measures a judge against labels: pairs that people wrote are good, pairs with a planted fault are not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from doceo.core.errors import InputError, ReplyInvalid, StorageError
from doceo.core.fingerprint import identify, sha256
from doceo.core.protocols import Progress
from doceo.core.records import Chunk, Document, Pair, Record, Span
from generator.judge import Judge
from generator.parallel import in_order

NOT_MEASURED = "not measured"


class Labelled(Record):
    """A pair with its passage and what is known of it.

    `fault` names what is wrong with a pair that is not good, `point` the point of the rubric that it spoils.
    """

    id: str
    language: str = ""
    title: str
    passage: str
    question: str
    answer: str = ""
    answerable: bool = True
    good: bool
    fault: str = ""
    point: str = ""
    origin: str = ""


class FaultMeasure(Record):
    """How often one sort of fault was refused, of `n`; `named`: refused on the very point that it spoils.

    `precision` is over these and the good pairs: the share of the refused that have the fault; None where nothing was
    refused.
    """

    n: int
    recall: float
    precision: float | None
    named: float


class Measure(Record):
    """A judge's agreement with labels. What counts as found is a pair that is refused.

    `labels` is the hash of the labels, `least` the mark from which a pair passes. `kappa` is Cohen's (1960), None where
    it is undefined; `unreadable` counts pairs whose marks could not be read, which are refused, as in a run.
    """

    model: str
    prompt_hash: str
    labels: str
    least: int
    n: int
    accuracy: float
    kappa: float | None
    precision: float | None
    recall: float | None
    unreadable: int
    faults: dict[str, FaultMeasure]


def shipped() -> list[Labelled]:
    """Return the labels that ship: questions of SQuAD and XQuAD, and faults planted in them (see README there)."""
    return read_labels(files("generator").joinpath("labels", "judge.jsonl"))


def read_labels(path: Traversable) -> list[Labelled]:
    """Return the labelled pairs of a JSONL file. Raises InputError naming file and line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", hint="Check the file's name.") from error
    found: list[Labelled] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(Labelled.model_validate_json(line))
        except ValidationError as error:
            fields = ", ".join(str(part) for part in error.errors()[0]["loc"]) or "the line"
            raise InputError(
                f"{path}, line {number}: {fields}: {error.errors()[0]['msg']}.",
                hint='A line is like {"id", "title", "passage", "question", "answer", "good", "fault", "point"}.',
            ) from error
    if not found:
        raise InputError(f"{path} holds no labels.", hint="Give a file with one labelled pair a line.")
    return found


async def measure(
    judge: Judge, labels: Sequence[Labelled], progress: Progress, *, least: int = 1, at_once: int = 8
) -> Measure:
    """Have a judge mark labelled pairs and compare.

    Args:
        judge: The judge.
        labels: The pairs, with what is known of them.
        progress: Where the work is shown.
        least: Least mark with which a pair passes, as in a run's config.
        at_once: Pairs marked at the same time.

    Raises:
        ProviderError: The judge failed.
    """

    async def work(item: Labelled) -> str:
        pair, chunk, document = _parts(item)
        try:
            return (await judge.marks(pair, [chunk], {document.id: document})).refused(least)
        except ReplyInvalid:
            return "unreadable"

    refused: list[str] = []
    with progress.task("judge", total=len(labels), unit="pairs") as task:
        async for _, point in in_order(labels, work, at_once):
            refused.append(point)
            task.advance()
    return _measured(judge, labels, refused, least)


def store(found: Measure, folder: Path) -> Path:
    """Write a measure into a folder, one file per judge, prompt, labels and line. Raises StorageError."""
    name = re.sub(r"[^\w.-]+", "-", found.model)[:60]
    key = identify("", found.model, found.prompt_hash, found.labels, found.least)
    path = folder / f"{name}-{key}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror}.", hint="Check that the folder is yours.") from error
    return path


def stored(folder: Path) -> list[Measure]:
    """Return the measures of a folder, by file name; files that are none are passed over."""
    found: list[Measure] = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            found.append(Measure.model_validate_json(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return found


def measured(model: str, prompt_hash: str, folder: Path) -> str:
    """Return in words how well a judge with a prompt agrees with labels, or "not measured"."""
    found = [one for one in stored(folder) if (one.model, one.prompt_hash) == (model, prompt_hash)]
    return "; ".join(in_words(one) for one in found) or NOT_MEASURED


def in_words(found: Measure) -> str:
    """Return a measure in a line."""
    kappa = "undefined" if found.kappa is None else f"{found.kappa:.2f}"
    rates = [("precision", found.precision), ("recall", found.recall)]
    shares = " and ".join(f"{name} {value:.2f}" for name, value in rates if value is not None)
    return (
        f"agrees with {found.accuracy:.1%} of {found.n} labels (Cohen's kappa {kappa}); its refusals have "
        f"{shares or 'no measure'} (labels {found.labels[:8]}, least mark {found.least})"
    )


def _parts(item: Labelled) -> tuple[Pair, Chunk, Document]:
    document = Document(
        id=Document.identify(item.passage), source=item.id, media_type="text/plain", title=item.title,
        text=item.passage, sha256=sha256(item.passage),
    )  # fmt: skip
    span = Span(document_id=document.id, start=0, end=len(item.passage))
    chunk = Chunk(
        id=Chunk.identify(span), document_id=document.id, span=span, text=item.passage, tokens=0,
        text_sha256=document.sha256,
    )  # fmt: skip
    pair = Pair(
        id=item.id, question=item.question, answer=item.answer, answerable=item.answerable, chunk_ids=(chunk.id,),
        teacher="label",
    )  # fmt: skip
    return pair, chunk, document


def _measured(judge: Judge, labels: Sequence[Labelled], refused: Sequence[str], least: int) -> Measure:
    n = len(labels)
    hits = sum(not item.good and bool(point) for item, point in zip(labels, refused, strict=True))
    faulty, found = sum(not item.good for item in labels), sum(map(bool, refused))
    right = hits + sum(item.good and not point for item, point in zip(labels, refused, strict=True))
    chance = (faulty * found + (n - faulty) * (n - found)) / (n * n)
    names = dict.fromkeys(item.fault for item in labels if item.fault)
    text = "\n".join(item.model_dump_json() for item in labels)
    return Measure(
        model=judge.name,
        prompt_hash=judge.prompts["judge_pair"],
        labels=sha256(text)[:16],
        least=least,
        n=n,
        accuracy=right / n,
        kappa=(right / n - chance) / (1 - chance) if chance < 1 else None,
        precision=hits / found if found else None,
        recall=hits / faulty if faulty else None,
        unreadable=sum(point == "unreadable" for point in refused),
        faults={name: _fault(name, labels, refused) for name in names},
    )


def _fault(name: str, labels: Sequence[Labelled], refused: Sequence[str]) -> FaultMeasure:
    rows = list(zip(labels, refused, strict=True))
    mine = [(item, point) for item, point in rows if item.fault == name]
    hits = sum(bool(point) for _, point in mine)
    false = sum(item.good and bool(point) for item, point in rows)
    return FaultMeasure(
        n=len(mine),
        recall=hits / len(mine),
        precision=hits / (hits + false) if hits + false else None,
        named=sum(point == item.point for item, point in mine) / len(mine),
    )
