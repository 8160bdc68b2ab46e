"""The page of a loop: what its rounds came to, in one self-contained file."""

from __future__ import annotations

from pathlib import Path

from data.jsonl import write_text
from doceo.core.loop import LoopRecord
from evaluation.page import Part, page
from evaluation.view import budget, rounds, series


def write_loop_report(record: LoopRecord, out: Path, *, title: str) -> Path:
    """Write the page of a loop and return its path. Raises StorageError."""
    write_text(out, render_loop(record, title=title))
    return out


def render_loop(record: LoopRecord, *, title: str) -> str:
    """Return the page as text."""
    advantages = rounds.advantages(record)
    parts = [
        Part("rounds", "Scores by round"),
        *([Part("advantage", "Weakness against even")] if advantages else []),
        Part("budget", "Where the budget went"),
        Part("series", "What was unlearned, and how it ended"),
        Part("making", "How it was made"),
    ]
    shown = {
        "record": record,
        "headline": _headline(record),
        "result": series.headline(record),
        "charts": rounds.charts(record),
        "advantages": advantages,
        "areas": budget.areas(record),
        "arms": [rounds.ARMS[arm] for arm in dict.fromkeys(one.arm for one in record.series)],
        "series": series.series_rows(record),
        "settings": _settings(record),
        "label": series.label(record),
    }
    return page("loop.html", title, parts, (), shown)


def _headline(record: LoopRecord) -> list[tuple[str, str]]:
    done = max((len(one.rounds) for one in record.series), default=0)
    seeds = len({one.seed for one in record.series})
    asked = sum(record.exam.sets.values())
    numbers = [
        (f"{done} of {record.rounds}", "rounds"),
        (f"{record.budget:,}", "pairs to spend"),
        (f"{len(record.areas):,}", "areas" if len(record.areas) != 1 else "area"),
        (f"{asked:,}", "exam questions"),
        (f"{seeds:,}", "seeds" if seeds != 1 else "seed"),
    ]
    return numbers


def _settings(record: LoopRecord) -> list[tuple[str, str]]:
    return [
        ("base model", record.base),
        ("teacher", record.teacher),
        ("what is asked", record.system),
        ("areas are", f"values of {record.axis}"),
        ("measured in", record.metric),
        ("exam", record.exam.words),
        ("spent evenly in any case", f"{100 * record.explore:.0f} % of every round"),
        ("power of the weakness", f"{record.focus:g}"),
        ("kept-out passages", f"{record.exam.kept_out_passages:,}"),
    ]
