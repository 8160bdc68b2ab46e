"""The report: one self-contained page from whatever stages of a run are finished.

The page loads nothing: its style and script stand in it and are named by hash in its content security policy, which
forbids everything else. Documents are hostile input: every text is escaped by the template engine, or stands in the
JSON block that the script reads, escaped so that it cannot end the block, and is only ever shown as text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from data.jsonl import write_text
from data.store import Run
from doceo.providers.shipped_model import NAME
from evaluation.table import LABELS, TITLES, Table, tables
from evaluation.view import answers, charts, dataset, making, review
from evaluation.view.passages import Library
from evaluation.view.records import RunRecords, read_run

_TEMPLATES = Path(__file__).parent / "templates"
# Control characters and lone surrogates, which HTML and UTF-8 cannot hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ONE = {
    "documents": "document",
    "question and answer pairs": "question and answer pair",
    "passages": "passage",
    "systems compared": "system",
}
SYSTEMS = {
    "base": "the base model alone",
    "tuned": "the base model with the adapter",
    "base+rag": "the base model, given retrieved passages",
    "tuned+rag": "the tuned model, given retrieved passages",
    "quote+rag": "no language model: finds the passage and quotes it",
}


@dataclass(frozen=True)
class Part:
    """A section that the page has, for its table of contents."""

    id: str
    title: str


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
    library = Library(records.documents, records.chunks)
    metric, cards = answers.question_cards(records, library, seed)
    worked = answers.worked_examples(records, library)
    rows, more_documents = dataset.document_rows(records)
    found = tables(records.scores)
    style, script = (_TEMPLATES / "report.css").read_text("utf-8"), (_TEMPLATES / "report.js").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html").render(
        title=title or records.name,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        records=records,
        parts=_parts(records, bool(worked), bool(cards)),
        headline=_headline(records),
        worked=worked,
        what=SYSTEMS.get(worked[0].system, "") if worked else "",
        outcome=dataset.outcome(records.ledger, records.pairs, records.rejected),
        use=dataset.use(records.rows),
        coverage=dataset.coverage_shares(records.coverage),
        unasked=dataset.unasked(records.coverage),
        documents=rows,
        more_documents=more_documents,
        make_up=dataset.make_up(records.pairs),
        curve=charts.curve(records.training),
        base_model=_base_model(records),
        shipped=NAME,
        tables=[(table, charts.dot_charts(table), verdicts(table)) for table in found],
        empty_sets=[name for name in ("taught", "unseen") if records.rows.get(name) == 0],
        systems=[(name, SYSTEMS.get(name, "")) for name in records.answers],
        cards=cards,
        card_metric=LABELS.get(metric, metric),
        set_titles=TITLES,
        review=review.as_script(review.review_data(records, library)) if records.pairs or records.rejected else "",
        stages=making.stage_rows(records),
        packages=making.packages(records),
        signatures=making.signatures(records.scores),
        written_by="; ".join(records.authors),
        seed=seed,
    )
    return _UNPRINTABLE.sub("\ufffd", page)


def verdicts(table: Table) -> list[str]:
    """Return, for each system beside the baseline, one sentence on where it clearly differs from it."""
    lines = []
    for system, cells in zip(table.systems, table.cells, strict=True):
        compared = [(m, c) for m, c in zip(table.metrics, cells, strict=True) if c.difference]
        if not compared:
            continue
        groups = {
            word: [LABELS.get(metric, metric) for metric, cell in compared if cell.direction == direction]
            for direction, word in (
                ("better", "clearly better"),
                ("worse", "clearly worse"),
                ("", "no clear difference"),
            )
        }
        if len(groups["no clear difference"]) == len(compared):
            lines.append(f"{system} against {table.baseline}: no clear difference on any metric.")
            continue
        said = [
            f"{word} on {'every metric' if len(names) == len(compared) else ', '.join(names)}"
            for word, names in groups.items()
            if names
        ]
        lines.append(f"{system} against {table.baseline}: {'; '.join(said)}.")
    return lines


def _policy(style: str, script: str) -> str:
    def source(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    allowed = f"style-src {source(style)}; script-src {source(script)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _parts(records: RunRecords, worked: bool, cards: bool) -> list[Part]:
    shown = {
        "answers": ("Answers", worked),
        "dataset": ("Dataset", bool(records.documents or records.pairs or records.ledger)),
        "model": ("Model and scores", bool(records.training or records.scores)),
        "questions": ("Question cards", cards),
        "pairs": ("All pairs", bool(records.pairs or records.rejected)),
        "making": ("How it was made", bool(records.manifests)),
    }
    order = list(shown) if worked else ["pairs", *(id_ for id_ in shown if id_ != "pairs")]
    return [Part(id_, shown[id_][0]) for id_ in order if shown[id_][1]]


def _headline(records: RunRecords) -> list[tuple[str, str]]:
    """Return the few numbers that say what this run is."""
    words = sum(len(document.text.split()) for document in records.documents.values())
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
    base, parameters = records.finetuning.get("base"), records.finetuning.get("parameters")
    if not isinstance(base, str):
        return ""
    return f"{base}, {parameters / 1e6:,.1f} million parameters" if isinstance(parameters, int | float) else base
