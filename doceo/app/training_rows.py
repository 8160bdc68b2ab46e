"""The file of rows that a training reads: the one that is named, or a mixture of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from data.sft.hub import PREFIX
from data.sft.reading import kind_of
from data.store import STAGES
from data.text_file import PLAIN
from doceo.app.runs import run_at
from doceo.core.protocols import Progress
from finetune.mixture import is_plain, mix, source_of

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", *PLAIN)
"""Endings of files of rows, by which one that is not there is told from a run."""


def is_rows(source: str) -> bool:
    """Return whether an argument names a file of rows or a data set, rather than a run.

    A folder without a run that holds files of rows counts as one of them: reading it says what to name instead.
    """
    name = source_of(source).name
    path, run = Path(name), run_at(name).path
    if name.startswith(PREFIX) or path.is_file():
        return True
    if not run.is_dir():
        return kind_of(path) in ENDINGS
    return not any((run / stage).exists() for stage in STAGES) and any(kind_of(at) in ENDINGS for at in run.iterdir())


@contextmanager
def rows_of(
    names: Sequence[str], out: Path, seed: int, progress: Progress, *, skip_faulty: bool = False
) -> Iterator[Path]:
    """Give the file of rows of some sources.

    A mixture is written beside the folder that is to be made, and taken away in the end: equal sources and an equal
    seed make it again, so that an interrupted training can go on. One that a killed command left is taken away too.

    Args:
        names: Files or `hf:NAME`, each perhaps with =TIMES behind it.
        out: The folder of the training.
        seed: Decides which rows are taken of a source.
        progress: Told what was taken of each source.
        skip_faulty: Leave faulty rows out instead of refusing the source.

    Raises InputError, UsageError and StorageError as `finetune.mixture.mix`.
    """
    sources = [source_of(name) for name in names]
    place = out.expanduser().resolve()
    file = place.with_name(f".{place.name}.rows.jsonl")
    try:
        if is_plain(sources, skip_faulty=skip_faulty):
            yield Path(sources[0].name)
            return
        for taken in mix(sources, file, seed, skip_faulty=skip_faulty):
            progress.say(taken.said())
        yield file
    finally:
        file.unlink(missing_ok=True)
