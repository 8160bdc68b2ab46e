"""Everything that was measured on one set of questions, for the page; no chart mixes two sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluation.case import Case
from evaluation.scoring import SETS
from evaluation.table import TITLES, Table, tables
from evaluation.view.charts import CHARTS, DotChart, dot_charts
from evaluation.view.curves import Lines, latency, risk_coverage
from evaluation.view.forest import Forest, forests
from evaluation.view.heat import Heat, heats
from evaluation.view.records import RunRecords

NAMES = {
    "taught": "Taught",
    "unseen": "Unseen",
    "taught-written": "Taught, written",
    "unseen-written": "Unseen, written",
}
GROUP_TITLES = {
    "answer": "What they answer",
    "evidence": "What they cite",
    "retrieval": "What was found for them",
    "refusal": "When they refuse",
    "cost": "What they cost",
    "judged": "What a judge says of them",
}
"""Groups of metrics, as headings."""


@dataclass(frozen=True)
class Group:
    """A table of one group of metrics, with charts of up to three.

    Two small ones stand beside each other, each on `half` of the page's width and shown by its charts alone.
    """

    table: Table
    charts: tuple[DotChart, ...]
    half: bool


@dataclass(frozen=True)
class SetView:
    """The figures of one set."""

    name: str
    label: str
    title: str
    n: int
    note: str
    baseline: str
    groups: tuple[Group, ...]
    forests: tuple[Forest, ...]
    heats: tuple[Heat, ...]
    curves: tuple[Lines, ...]


def set_views(records: RunRecords, tone: Mapping[str, int], primary: str) -> list[SetView]:
    """Return the figures of every set that has scores, in their order."""
    found = tables(records.scores)
    views = []
    for name in SETS:
        own = [table for table in found if table.set == name]
        if own:
            cases = _cases(records, name)
            curves = (risk_coverage(cases, tone), latency(cases, tone))
            views.append(
                SetView(
                    name=name,
                    label=NAMES[name],
                    title=TITLES[name],
                    n=max(table.n for table in own),
                    note=own[0].note,
                    baseline=next((table.baseline for table in own if table.baseline), ""),
                    groups=tuple(_groups(own, tone, primary)),
                    forests=tuple(forest for table in own for forest in forests(table, tone)),
                    heats=tuple(heats(records.slices, name)),
                    curves=tuple(lines for lines in curves if lines is not None),
                )
            )
    return views


def _groups(found: Sequence[Table], tone: Mapping[str, int], primary: str) -> Iterator[Group]:
    """Yield the groups of a set."""
    small = [len(table.metrics) <= CHARTS and len(found) > 1 for table in found]
    left = True
    for at, table in enumerate(found):
        beside = not left or (at + 1 < len(found) and small[at + 1])
        half = small[at] and beside
        left = not (half and left)
        charts = dot_charts(table, tone, (primary, "chrf", "rougeL"))
        yield Group(table, tuple(charts), half)


def _cases(records: RunRecords, set_name: str) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {system: [] for system in records.answers}
    for (name, _), answers in records.cases.items():
        if name == set_name:
            for system, case in answers.items():
                found[system].append(case)
    return found
