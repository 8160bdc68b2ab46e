"""Several files, or data sets of the hub, as one file of rows: each source with its share, chosen by the seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from data.jsonl import write_jsonl
from data.sft.detection import drafts, drafts_of
from data.sft.hub import PREFIX, hub_rows
from doceo.core.errors import UsageError
from doceo.core.records import Record
from finetune.checks import Checked, Row, check_drafts, refuse_faulty

MOST_TIMES = 100.0


class Source(NamedTuple):
    """A file, or `hf:NAME`, and how often each of its rows is taken: 0.3 of them, 1 all, 2.5 twice and half again."""

    name: str
    times: float = 1.0


class Taken(Record):
    """What was taken of a source: `rows` were good, `taken` go into training."""

    name: str
    times: float
    forms: dict[str, int]
    rows: int
    repeated: int
    faulty: int
    taken: int

    def said(self) -> str:
        """Return the line for a terminal."""
        left = f", {self.repeated:,} repeated" if self.repeated else ""
        left += f", {self.faulty:,} faulty and left out" if self.faulty else ""
        return f"{self.name}: {self.taken:,} rows taken of {self.rows:,} ({', '.join(self.forms)}{left})"


def source_of(text: str) -> Source:
    """Return the source of an argument: FILE or hf:NAME, with =TIMES behind it to take part of its rows, or more.

    Raises UsageError where TIMES is no number above 0 and at most 100.
    """
    name, sign, times = text.rpartition("=")
    if not sign or Path(text).exists():
        return Source(text)
    try:
        number = float(times)
    except ValueError:
        number = math.nan
    if not 0 < number <= MOST_TIMES:
        raise UsageError(
            f"{text}: {times!r} is no share of rows.",
            hint=f"FILE=0.3 takes 30 % of the rows, FILE=2 each of them twice; up to {MOST_TIMES:.0f}.",
        )
    return Source(name, number)


def is_plain(sources: Sequence[Source], *, skip_faulty: bool = False) -> bool:
    """Return whether the sources are one file, taken as it is, that need not be written anew."""
    return len(sources) == 1 and sources[0].times == 1 and not sources[0].name.startswith(PREFIX) and not skip_faulty


def mix(sources: Sequence[Source], to: Path, seed: int, *, skip_faulty: bool = False) -> list[Taken]:
    """Write the rows of all sources to one file of {"messages"} and {"text"} rows, and return what was taken of each.

    Equal sources and an equal seed give equal bytes. Which rows of a source are taken does not depend on the others.

    Args:
        sources: Files and data sets; none is named twice.
        to: The file to write.
        seed: Decides which rows are taken of a source that is not taken whole.
        skip_faulty: Leave faulty rows out and count them, instead of refusing the source.

    Raises:
        InputError: A source cannot be read, holds no row, or has faulty ones.
        UsageError: A source is named twice.
        StorageError: The file cannot be written.
    """
    named: set[str] = set()
    for name in (source.name for source in sources):
        same = name if name.startswith(PREFIX) else str(Path(name).resolve())
        if same in named:
            raise UsageError(f"{name} is named twice.", hint="Write FILE=2 to take its rows twice.")
        named.add(same)
    found = [(source, _read(source, skip_faulty=skip_faulty)) for source in sources]
    chosen = [(source, checked, list(_chosen(source, checked.rows, seed))) for source, checked in found]
    write_jsonl(to, (_written(row, source, copy) for source, _, rows in chosen for row, copy in rows))
    return [
        Taken(
            name=source.name,
            times=source.times,
            forms=checked.forms,
            rows=len(checked.rows),
            repeated=len(checked.repeated),
            faulty=len({(problem.unit, problem.line) for problem in checked.problems}),
            taken=len(rows),
        )
        for source, checked, rows in chosen
    ]


def _read(source: Source, *, skip_faulty: bool) -> Checked:
    on_hub = source.name.startswith(PREFIX)
    checked = check_drafts(drafts(hub_rows(source.name)) if on_hub else drafts_of(Path(source.name)))
    if not (skip_faulty and checked.rows):
        refuse_faulty(source.name, checked)
    return checked


def _chosen(source: Source, rows: Sequence[Row], seed: int) -> Iterator[tuple[Row, int]]:
    """Yield the rows that are taken, each with the number of its copy, in the order of the source."""
    whole, part = divmod(source.times, 1)
    luck = Random(f"{seed} {Path(source.name).name}")
    again = set(luck.sample(range(len(rows)), max(round(part * len(rows)), not whole)))
    for place, row in enumerate(rows):
        for copy in range(int(whole) + (place in again)):
            yield row, copy


def _written(row: Row, source: Source, copy: int) -> dict[str, object]:
    name = source.name if source.name.startswith(PREFIX) else Path(source.name).name
    origin = {"number": row.line, "unit": f"{name}, {row.unit}", "copy": copy}
    if row.text:
        return {"text": row.text, **({} if row.ends else {"continued": True}), "origin": origin}
    taught = set(row.taught)
    messages: list[dict[str, object]] = [
        message.model_dump() | ({"weight": 0} if message.role == "assistant" and n not in taught else {})
        for n, message in enumerate(row.messages)
    ]
    if row.rejected:
        both = [{"role": "assistant", "content": said} for said in (row.messages[-1].content, row.rejected)]
        given = {"messages": messages[:-1]}
        return {"input": given, "preferred_output": both[:1], "non_preferred_output": both[1:], "origin": origin}
    return {"messages": messages, "origin": origin}
