"""Scores as rows of text: one table for every set, for a terminal or a page to lay out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from doceo.core.records import Score
from evaluation.scoring import SETS

LABELS = {
    "bleu": "BLEU",
    "chrf": "chrF",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "em": "EM",
    "f1": "F1",
}
TITLES = {
    "taught": "Taught: facts of the training pairs, asked in other words",
    "unseen": "Unseen: documents kept out of training",
    "taught-written": "Taught, written questions: facts of the training documents, not asked by the generator",
    "unseen-written": "Unseen, written questions: documents kept out, not asked by the generator",
}
MARKS = {"better": "▲", "worse": "▼", "": ""}

Direction = Literal["better", "worse", ""]


@dataclass(frozen=True)
class Cell:
    """One score of a table, with what the paired difference to the baseline says of it.

    `direction` is set only where the 95 % interval of the difference excludes zero.
    """

    score: Score | None
    difference: Score | None = None

    @property
    def direction(self) -> Direction:
        """Better or worse than the baseline, or nothing where the interval holds zero or there is none."""
        return direction(self.difference)

    def text(self) -> str:
        """Return the cell as `31.2 [27.9, 34.6] ▲`, or `n/a` where the score is undefined."""
        if self.score is None or self.score.value is None:
            return "n/a"
        value = f"{self.score.value:.1f}"
        if self.score.low is not None and self.score.high is not None:
            value += f" [{self.score.low:.1f}, {self.score.high:.1f}]"
        return f"{value} {MARKS[self.direction]}".rstrip()

    def stacked(self) -> str:
        """Return the cell in two short lines, `31.2 ▲` over `28–35`, for a narrow terminal."""
        if self.score is None or self.score.value is None:
            return "n/a"
        value = f"{self.score.value:.1f} {MARKS[self.direction]}".rstrip()
        if self.score.low is None or self.score.high is None:
            return value
        return f"{value}\n{self.score.low:.0f}–{self.score.high:.0f}"


@dataclass(frozen=True)
class Table:
    """The scores of one set: a row for each system, a column for each metric."""

    set: str
    title: str
    n: int
    baseline: str
    metrics: tuple[str, ...]
    systems: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @property
    def headers(self) -> list[str]:
        """The head of each column."""
        return ["system", *(LABELS.get(metric, metric) for metric in self.metrics)]

    @property
    def rows(self) -> list[list[str]]:
        """The text of each row."""
        return [
            [system, *(cell.text() for cell in cells)] for system, cells in zip(self.systems, self.cells, strict=True)
        ]

    def fitting(self, width: int, gap: int = 2) -> list[list[str]]:
        """Return the rows where they fit into `width` characters, `gap` between columns; else rows of stacked cells."""
        columns = zip(self.headers, *self.rows, strict=True)
        if sum(max(map(len, column)) + gap for column in columns) <= width:
            return self.rows
        return [
            [system, *(cell.stacked() for cell in cells)]
            for system, cells in zip(self.systems, self.cells, strict=True)
        ]

    @property
    def note(self) -> str:
        """One line on how to read the table."""
        line = f"{self.n} questions; 0 to 100, with 95 % intervals"
        if self.baseline:
            line += f"; {MARKS['better']} better and {MARKS['worse']} worse than {self.baseline} on the same questions"
            line += " (the interval of the difference excludes zero)"
        return line + "."


def direction(difference: Score | None) -> Direction:
    """Return what a paired difference says: its interval lies above zero, below it, or holds it."""
    if difference is None or difference.low is None or difference.high is None:
        return ""
    return "better" if difference.low > 0 else "worse" if difference.high < 0 else ""


def tables(scores: Sequence[Score]) -> list[Table]:
    """Return one table for every set that has scores, in the order of the sets."""
    return [_table(set_name, chosen) for set_name in SETS if (chosen := [s for s in scores if s.set == set_name])]


def _table(set_name: str, scores: Sequence[Score]) -> Table:
    single = {(s.system, s.metric): s for s in scores if not s.versus}
    paired = {(s.system, s.metric): s for s in scores if s.versus}
    systems = tuple(dict.fromkeys(s.system for s in scores))
    metrics = tuple(dict.fromkeys(s.metric for s in scores))
    return Table(
        set=set_name,
        title=TITLES[set_name],
        n=max(s.n for s in scores),
        baseline=next((s.versus for s in scores if s.versus), ""),
        metrics=metrics,
        systems=systems,
        cells=tuple(
            tuple(Cell(single.get((system, metric)), paired.get((system, metric))) for metric in metrics)
            for system in systems
        ),
    )
