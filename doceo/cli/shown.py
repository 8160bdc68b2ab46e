"""How records look on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from doceo.app.stages.documents import Ingested
from doceo.app.stages.pairs import Made
from doceo.cli.console import Console
from doceo.core.records import Ledger, Score
from generator.change import HEAD, Change

if TYPE_CHECKING:
    from evaluation.verdict import Verdict

REASONS = 3
"""Reasons of a verdict that a terminal shows."""
WHOLE = ("answer", "judged")
"""Groups of metrics that are shown with their intervals; a judge's never without what its word is worth."""
SHOWN = 40
"""Documents, and skipped files, that are listed one by one."""


def show_ingested(console: Console, ingested: Ingested) -> None:
    """Show what became of every file: read or skipped, why, pages, words, chunks, language; then the sums."""
    from data import inventory

    rows = inventory.table(ingested.documents, ingested.skipped)
    of_document = Counter(chunk.document_id for chunk in ingested.chunks)
    chunks = {document.source: of_document[document.id] for document in ingested.documents}
    read = [row for row in rows if row.outcome == "read"]
    skipped = [row for row in rows if row.outcome == "skipped"]
    shown = [
        [row.source, *(f"{n:,}" if n else "" for n in (row.pages, row.words, chunks[row.source])), row.language]
        for row in read[:SHOWN]
    ]
    console.table(["read", "pages", "words", "chunks", "language"], shown)
    _show_rest(console, len(read), "documents.jsonl")
    for row in read[:SHOWN]:
        if row.why:
            console.show(f"  {row.source}: {row.why}")
    if skipped:
        console.show(f"\n{len(skipped):,} skipped")
    for row in skipped[:SHOWN]:
        console.show(f"  {row.source}: {row.why}")
    _show_rest(console, len(skipped), "skipped.jsonl")
    console.show(f"\n{inventory.totals(rows)} {len(ingested.chunks):,} chunks.")


def _show_rest(console: Console, count: int, file: str) -> None:
    if count > SHOWN:
        console.show(f"... and {count - SHOWN:,} more, in 1-documents/{file}.")


def show_ledger(console: Console, ledger: Ledger) -> None:
    """Show what became of every pair asked for."""
    rows = [["asked", str(ledger.asked)], ["accepted", str(ledger.accepted)]]
    rows += [[f"rejected: {reason}", str(n)] for reason, n in ledger.rejected.items()]
    rows += [[f"failed: {reason}", str(n)] for reason, n in ledger.failed.items()]
    console.table(["pairs", f"{ledger.requested} requested"], rows)


def show_learned(console: Console, changes: Sequence[Change]) -> None:
    """Show what was learned from rejections and from a review, if anything was looked at."""
    if changes:
        console.table(HEAD, [change.cells() for change in changes], title="\nLearned", words=True)


def show_pairs(console: Console, made: Made, n: int = 3) -> None:
    """Show a few pairs with the words that prove them."""
    step = max(1, len(made.pairs) // n)
    for pair in made.pairs[::step][:n]:
        quote = " ".join(pair.evidence[0].quote.split()) if pair.evidence else ""
        console.show(f"\nQ: {pair.question}\nA: {pair.answer}\n   \u201c{quote[:200]}\u201d")


def show_scores(console: Console, scores: list[Score]) -> None:
    """Show for every set a table of what was answered, with intervals, and the values of all other metrics."""
    from evaluation.compact import side_by_side
    from evaluation.table import tables

    found = tables(scores)
    for set_name in dict.fromkeys(table.set for table in found):
        own = [table for table in found if table.set == set_name]
        whole = [table for table in own if table.group in WHOLE]
        for table in whole:
            rows = table.fitting(console.width)
            console.table(table.headers, rows, title=f"\n{table.title} (n = {table.n})")
        asked = (whole or own)[0].n
        if not whole:
            console.show(f"\n{own[0].title} (n = {asked})")
        for headers, rows in side_by_side([table for table in own if table not in whole], console.width, asked):
            console.show("")
            console.table(headers, rows)
    if found:
        console.show(found[0].note.split("; ", 1)[-1])
    if any("(n=" in text for table in found for row in (table.headers, *table.rows) for text in row):
        console.show("(n=5): the number rests on 5 questions; for others the metric has no value.")


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Show whether to fine-tune, to use retrieval, or both: what it rests on, and what would change it first."""
    console.show(f"\nVerdict: {verdict.headline}")
    for reason in verdict.reasons[:REASONS]:
        console.show(f"  {reason}")
    for change in verdict.changes[:1]:
        console.show(f"  What would change it: {change}")
    console.show(f"  {verdict.basis}")
