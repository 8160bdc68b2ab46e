"""`doceo clean`: texts to train on, put right, without boilerplate and duplicates."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.cli.tokenizer import Texts
from doceo.core.config import TextConfig

if TYPE_CHECKING:
    from data.corpus.tally import CleanReport

SHOWN = 40
_BAR = 32


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "clean", panel="Data", sections=("texts", "clean"))
    def clean(
        texts: Texts,
        settings: Settings,
        console: Console,
        out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.", show_default=False)],
    ) -> int | None:
        """Put texts right and drop boilerplate, duplicates and what is no text, each with its reason."""
        from data.corpus.folder import clean_texts

        start = time.perf_counter()
        report = clean_texts(texts, out, settings.clean, settings.texts.fields, console)
        seconds = time.perf_counter() - start
        _show_files(console, report)
        _show_dropped(console, report)
        _show_histogram(console, "words", report.histogram_words)
        _show_histogram(console, "characters", report.histogram_characters)
        console.show(
            f"\n{report.bytes_in / 1e6:,.1f} MB in, {report.bytes_out / 1e6:,.1f} MB out, "
            f"{report.mended:,} paragraphs put right, {report.bytes_in / 1e6 / max(seconds, 1e-9):.1f} MB/s. "
            f"What was dropped, line by line: {out}/dropped.jsonl"
        )
        console.result({"folder": str(out), **report.model_dump(mode="json")})
        if not report.paragraphs.kept:
            console.say(f"Nothing was kept; {out}/dropped.jsonl says why.")
            return 3
        fields = f" --fields {','.join(settings.texts.fields)}" if settings.texts != TextConfig() else ""
        console.next_steps(
            f"doceo tokenizer {out}{fields} --out tok", f"doceo pretrain {out}{fields} --tokenizer tok --out model"
        )
        return None


def _show_files(console: Console, report: CleanReport) -> None:
    rows = [
        [file.source, file.encoding, f"{file.read:,}", f"{file.kept:,}", f"{file.read - file.kept:,}"]
        for file in report.files[:SHOWN]
    ]
    total = report.paragraphs
    rows.append([f"{len(report.files):,} in all", "", *(f"{n:,}" for n in (total.read, total.kept))])
    rows[-1].append(f"{total.read - total.kept:,}")
    console.table(["source", "encoding", "paragraphs read", "kept", "dropped"], rows)
    if len(report.files) > SHOWN:
        console.show(f"... and {len(report.files) - SHOWN:,} more, in report.json.")
    left_out = [file for file in report.files if file.why]
    for file in left_out[:SHOWN]:
        console.show(f"  {file.source}, {'only in part' if file.read else 'left out'}: {file.why}")
    if len(left_out) > SHOWN:
        console.show(f"... and {len(left_out) - SHOWN:,} more like these.")


def _show_dropped(console: Console, report: CleanReport) -> None:
    rows = [
        [reason, f"{count:,}", f"{report.characters.dropped[reason]:,}"]
        for reason, count in report.paragraphs.dropped.items()
    ]
    if rows:
        console.show("")
        console.table(["dropped because", "paragraphs", "characters"], rows)


def _show_histogram(console: Console, unit: str, bins: dict[int, int]) -> None:
    """Show how many kept paragraphs have which length."""
    most = max(bins.values(), default=0)
    if not most:
        return
    console.show("")
    edges = [*bins, None]
    rows = []
    for (least, count), following in zip(bins.items(), edges[1:], strict=True):
        span = f"{least:,} and more" if following is None else f"{least:,} to {following - 1:,}"
        rows.append([span, "█" * round(_BAR * count / most) or ("▏" if count else ""), f"{count:,}"])
    console.table([f"{unit} of a kept paragraph", "", "paragraphs"], rows, words=True)
