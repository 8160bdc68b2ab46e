"""The report: one self-contained page from whatever stages of a run are finished."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.jsonl import write_text
from data.store import SCORES, Run
from doceo.providers.shipped_model import NAME
from doceo.text.language import count_words
from evaluation.page import Part, as_script, page
from evaluation.table import labels, number
from evaluation.traits import WHAT
from evaluation.view import answers, browser, charts, dataset, examples, making, review, sets, standing
from evaluation.view.passages import Library
from evaluation.view.records import RunRecords, read_run
from evaluation.view.tones import tones

_SCRIPTS = ("elements.js", "pairs.js", "questions.js", "scores.js")
_DATA = ("verdict.json", "scores.json", "scores.csv", "slices.csv", "slices.jsonl", "items.jsonl")
_ONE = {
    "documents": "document",
    "question and answer pairs": "question and answer pair",
    "passages": "passage",
    "systems compared": "system",
}


def write_report(run: Run, out: Path, *, title: str = "", seed: int = 0) -> Path:
    """Write the report of a run and return its path.

    Args:
        run: The run; stages that are not finished are left out.
        out: The HTML file.
        title: Heading of the page; left out, the run's name.
        seed: Decides which questions stand on the cards.

    Raises:
        InputError: a file of a finished stage is damaged.
        StorageError: the page cannot be written.
    """
    write_text(out, render(read_run(run), title=title, seed=seed))
    return out


def render(records: RunRecords, *, title: str = "", seed: int = 0) -> str:
    """Return the page as text, for the arguments of `write_report`."""
    shown = {**_evaluation(records, seed), **_dataset(records), "records": records, "headline": _headline(records)}
    return page("report.html", title or records.name, _parts(shown), _SCRIPTS, shown)


def _evaluation(records: RunRecords, seed: int) -> dict[str, Any]:
    """Return what the page shows of the answers and their scores."""
    library = Library(records.documents, records.chunks)
    verdict = records.verdict if records.scores else None
    tone = tones([*records.answers, *(score.system for score in records.scores)])
    metric = answers.preferred_metric(records.items, (verdict.metric if verdict else "f1", "rougeL", "chrf"))
    label = labels(records.scores).get(metric, metric)
    values = answers.item_values(records.items, metric)
    worked = answers.worked_examples(records, library)
    questions = browser.questions_data(records, library, tone, values, label) if records.answers else None
    return {
        "verdict": verdict,
        "picture": standing.picture(verdict, tone) if verdict else None,
        "worked": worked,
        "introduction": answers.introduction(worked),
        "bold": any(piece.kind == "short" for work in worked for piece in work.pieces),
        "what": WHAT.get(worked[0].system, "") if worked else "",
        "sets": sets.set_views(records, tone, metric),
        "groups": sets.GROUP_TITLES,
        "number": number,
        "systems": [(name, WHAT.get(name, "")) for name in records.answers],
        "empty_sets": [name for name in ("taught", "unseen") if records.rows.get(name) == 0],
        "galleries": examples.galleries(records, library, tone, _focus(records), values, seed),
        "example_metric": label,
        "asked": len(records.cases),
        "questions": as_script(questions) if questions else "",
        "signatures": making.signatures(records.scores),
        "files": [f"{SCORES}/{name}" for name in _DATA] if records.verdict else [],
    }


def _dataset(records: RunRecords) -> dict[str, Any]:
    """Return what the page shows of the documents, the pairs, the training and how all was made."""
    library = Library(records.documents, records.chunks)
    rows, more_documents = dataset.document_rows(records)
    return {
        "outcome": dataset.outcome(records.ledger, records.pairs, records.rejected),
        "use": dataset.use(records.rows),
        "coverage": dataset.coverage_shares(records.coverage),
        "unasked": dataset.unasked(records.coverage),
        "documents": rows,
        "more_documents": more_documents,
        "make_up": dataset.make_up(records.pairs),
        "curve": charts.curve(records.training),
        "base_model": _base_model(records),
        "shipped": NAME,
        "review": as_script(review.review_data(records, library)) if records.pairs or records.rejected else "",
        "stages": making.stage_rows(records),
        "packages": making.packages(records),
        "written_by": "; ".join(records.authors),
    }


def _focus(records: RunRecords) -> str:
    """Return the system whose answers are shown as examples: the advised one, else the best of the verdict's."""
    verdict = records.verdict
    if verdict and verdict.systems:
        return verdict.systems[0]
    values = {s.system: s for s in reversed(verdict.scores if verdict else ()) if not s.versus and s.value is not None}
    if not values:
        return next(iter(reversed(list(records.answers))), "")
    return max(values, key=lambda name: (values[name].value or 0.0) * (-1 if values[name].better == "lower" else 1))


def _parts(shown: Mapping[str, Any]) -> list[Part]:
    """Return the sections that the page has, in their order."""
    pairs = ("pairs", "All pairs", shown["review"])
    answered = ("answers", "Answers", shown["worked"])
    sections = (
        ("verdict", "Verdict", shown["verdict"]),
        answered if shown["worked"] else pairs,
        ("scores", "Scores", shown["sets"]),
        ("examples", "Examples", shown["galleries"]),
        ("questions", "Every question", shown["questions"]),
        ("dataset", "Dataset", shown["documents"] or shown["review"] or shown["outcome"]),
        ("model", "Model", shown["curve"]),
        pairs if shown["worked"] else answered,
        ("making", "How it was made", shown["stages"]),
    )
    return [Part(id_, title) for id_, title, has_it in sections if has_it]


def _headline(records: RunRecords) -> list[tuple[str, str]]:
    """Return the few numbers that say what this run is."""
    words = sum(count_words(document.text) for document in records.documents.values())
    asked = {(line.set, line.pair_id) for lines in records.answers.values() for line in lines}
    numbers = [
        (len(records.documents), "documents"),
        (words, "words"),
        (len(records.chunks), "passages"),
        (len(records.pairs), "question and answer pairs"),
        (records.rows.get("train", 0), "training rows"),
        (len(records.answers), "systems compared"),
        (len(asked), "test questions"),
    ]
    return [(f"{n:,}", _ONE.get(label, label) if n == 1 else label) for n, label in numbers if n]


def _base_model(records: RunRecords) -> str:
    """Return the base model with its size, where the fine-tuning says them."""
    known = records.finetuning
    base, parameters, trained = known.get("base"), known.get("parameters"), known.get("trainable")
    if not isinstance(base, str):
        return ""
    if not isinstance(parameters, int | float):
        return base
    # An adapter's weights are counted among the parameters of the model that was trained.
    added = trained if isinstance(trained, int | float) and known.get("method") != "full" else 0
    return f"{base}, {(parameters - added) / 1e6:,.1f} million parameters"
