"""Scores as rows of text: tables for every set, for a terminal or a page to lay out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from doceo.core.records import Score, SetName
from evaluation.judging.agreement import NOT_COMPARED
from evaluation.scoring import SETS

TITLES = {
    "taught": "Taught: facts of the training pairs, asked in other words",
    "unseen": "Unseen: documents kept out of training",
    "taught-written": "Taught, written questions: facts of the training documents, not asked by the generator",
    "unseen-written": "Unseen, written questions: documents kept out, not asked by the generator",
}
GROUPS = {
    "answer": "",
    "evidence": "what the answers cite",
    "retrieval": "what was found for them",
    "refusal": "when they refuse",
    "cost": "what they cost",
    "judged": "as a judge model marks them",
}
"""The groups of metrics in the order of their tables, as their titles say them."""
SIGNIFICANT = 0.05
MARKS = {"better": "▲", "worse": "▼", "": ""}

Direction = Literal["better", "worse", ""]


@dataclass(frozen=True)
class Cell:
    """One score of a table, with what the paired difference to the baseline says of it.

    `direction` is set only where the difference is significant at 5 % after the correction for all of its set.
    """

    score: Score | None
    difference: Score | None = None

    @property
    def direction(self) -> Direction:
        """Better or worse than the baseline, or nothing where there is no significant difference."""
        return direction(self.difference)

    def text(self, n: int = 0) -> str:
        """Return the cell as `31.2 [27.9, 34.6] ▲`, or `n/a` where the score is undefined.

        `n` is how many questions its column says it rests on: another number is added, as ` (n=5)`.
        """
        if self.score is None or self.score.value is None:
            return "n/a"
        value = number(self.score.value, self.score.unit)
        if self.score.low is not None and self.score.high is not None:
            value += f" [{number(self.score.low, self.score.unit)}, {number(self.score.high, self.score.unit)}]"
        return f"{value} {MARKS[self.direction]}".rstrip() + self.rests_on(n)

    def rests_on(self, n: int) -> str:
        """Return on how many questions the score rests, as ` (n=5)`, where it is defined and that is not `n`."""
        known = self.score is not None and self.score.value is not None
        return f" (n={self.score.n})" if known and self.score and n and self.score.n != n else ""

    def stacked(self, n: int = 0) -> str:
        """Return the cell in two or three short lines, `31.2 ▲` over `28–35` over `(n=5)`, for a narrow terminal."""
        if self.score is None or self.score.value is None:
            return "n/a"
        unit = self.score.unit
        value = f"{number(self.score.value, unit)} {MARKS[self.direction]}".rstrip()
        lines = [value]
        if self.score.low is not None and self.score.high is not None:
            ends = (number(end, unit) if unit else f"{end:.0f}" for end in (self.score.low, self.score.high))
            lines.append("–".join(ends))
        return "\n".join([*lines, *self.rests_on(n).split()])


@dataclass(frozen=True)
class Table:
    """The scores of one set and group of metrics: a row for each system, a column for each metric."""

    set: str
    group: str
    title: str
    n: int
    baseline: str
    metrics: tuple[str, ...]
    labels: tuple[str, ...]
    systems: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @property
    def counts(self) -> list[int]:
        """On how many questions most scores of each column rest; of a column without any, all."""
        columns = [[row[at].score for row in self.cells] for at in range(len(self.labels))]
        known = [Counter(one.n for one in column if one is not None and one.value is not None) for column in columns]
        return [max(found, key=lambda n: (found[n], n)) if found else self.n for found in known]

    @property
    def headers(self) -> list[str]:
        """The head of each column, with the number of questions where it is not the table's."""
        return ["system", *self.heads(self.n)]

    def heads(self, asked: int) -> list[str]:
        """Return the names of the metrics, with the number of questions where it is not `asked`, as `F1 (n=5)`."""
        both = zip(self.labels, self.counts, strict=True)
        return [label if n == asked else f"{label} (n={n})" for label, n in both]

    @property
    def rows(self) -> list[list[str]]:
        """The text of each row."""
        return self._texts(Cell.text)

    def fitting(self, width: int, gap: int = 2) -> list[list[str]]:
        """Return the rows where they fit into `width` characters, `gap` between columns; else rows of stacked cells."""
        columns = zip(self.headers, *self.rows, strict=True)
        if sum(max(map(len, column)) + gap for column in columns) <= width:
            return self.rows
        return self._texts(Cell.stacked)

    def _texts(self, text: Callable[[Cell, int], str]) -> list[list[str]]:
        counts = self.counts
        rows = zip(self.systems, self.cells, strict=True)
        return [[system, *(text(cell, n) for cell, n in zip(cells, counts, strict=True))] for system, cells in rows]

    @property
    def note(self) -> str:
        """One line on how to read the table."""
        scale = "with" if self.group == "cost" else "0 to 100, with"
        line = f"{self.n:,} questions; {scale} 95 % intervals"
        if self.baseline:
            line += f"; {MARKS['better']} better and {MARKS['worse']} worse than {self.baseline} on the same questions"
            line += f" (p < {SIGNIFICANT:g} after Holm's correction for all differences of the set)"
        return line + "."


def number(value: float, unit: str = "") -> str:
    """Return a value as tables print it: one decimal, small amounts of a unit with three digits that count."""
    if not unit:
        return f"{value:.1f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def labels(scores: Sequence[Score]) -> dict[str, str]:
    """Return metric -> its name as people write it."""
    return {score.metric: score.label or score.metric for score in scores}


def direction(difference: Score | None) -> Direction:
    """Return what a paired difference says: significantly better or worse, or neither."""
    if difference is None or not difference.value or difference.p_holm is None or difference.p_holm >= SIGNIFICANT:
        return ""
    if not difference.better:
        return ""
    return "better" if (difference.value > 0) == (difference.better == "higher") else "worse"


def tables(scores: Sequence[Score]) -> list[Table]:
    """Return a table for every set that has scores and every group of metrics that it defines, in their orders.

    A metric of another group than `answer` that is undefined for every system has no column, nor has a price of 0.
    """
    found = []
    for set_name in SETS:
        of_set = [score for score in scores if score.set == set_name]
        for group in dict.fromkeys((*GROUPS, *(score.group for score in of_set))):
            chosen = [score for score in of_set if score.group == group]
            defined = {score.metric for score in chosen if _says_something(score)}
            if kept := [score for score in chosen if score.metric in defined]:
                found.append(_table(set_name, group, kept))
    return found


def _says_something(score: Score) -> bool:
    return bool(score.value) if score.unit == "USD" else score.value is not None or score.group == "answer"


def _table(set_name: SetName, group: str, scores: Sequence[Score]) -> Table:
    single = {(s.system, s.metric): s for s in scores if not s.versus}
    paired = {(s.system, s.metric): s for s in scores if s.versus}
    systems = tuple(dict.fromkeys(s.system for s in scores))
    names = labels(scores)
    about = GROUPS.get(group, group)
    if group == "judged" and all(NOT_COMPARED in score.note for score in scores):
        about += f" ({NOT_COMPARED})"
    return Table(
        set=set_name,
        group=group,
        title=f"{TITLES[set_name]}; {about}" if about else TITLES[set_name],
        n=max(s.n for s in scores),
        baseline=next((s.versus for s in scores if s.versus), ""),
        metrics=tuple(names),
        labels=tuple(names.values()),
        systems=systems,
        cells=tuple(
            tuple(Cell(single.get((system, metric)), paired.get((system, metric))) for metric in names)
            for system in systems
        ),
    )
