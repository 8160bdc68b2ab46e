"""The file of rows that a training reads: the one that is named, or a mixture of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from data.sft.hub import PREFIX
from doceo.core.protocols import Progress
from finetune.mixture import is_plain, mix, source_of


def is_rows(source: str) -> bool:
    """Return whether an argument names a file of rows or a data set, rather than a run."""
    name = source_of(source).name
    return name.startswith(PREFIX) or Path(name).is_file()


@contextmanager
def rows_of(
    names: Sequence[str], out: Path, seed: int, progress: Progress, *, skip_faulty: bool = False
) -> Iterator[Path]:
    """Give the file of rows of some sources.

    A mixture is written beside the folder that is to be made, and taken away in the end: equal sources and an equal
    seed make it again, so that an interrupted training can go on.

    Args:
        names: Files or `hf:NAME`, each perhaps with =TIMES behind it.
        out: The folder of the training.
        seed: Decides which rows are taken of a source.
        progress: Told what was taken of each source.
        skip_faulty: Leave faulty rows out instead of refusing the source.

    Raises InputError, UsageError and StorageError as `finetune.mixture.mix`.
    """
    sources = [source_of(name) for name in names]
    if is_plain(sources, skip_faulty=skip_faulty):
        yield Path(sources[0].name)
        return
    file = out.expanduser().resolve().with_name(f".{out.name}.rows.jsonl")
    try:
        for taken in mix(sources, file, seed, skip_faulty=skip_faulty):
            progress.say(taken.said())
        yield file
    finally:
        file.unlink(missing_ok=True)
