"""A full disk and a full memory, which torch reports as a RuntimeError, told from each other and from bugs."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.jsonl import storage_error
from doceo.core.errors import OutOfMemory

FULL_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
FULL_DISK = ("writing file", "no space left", "file too large", "quota exceeded", "unexpected pos")
"""What torch says, the last where the end of an archive could not be written."""


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the memory was not enough."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in FULL_MEMORY)


@contextmanager
def mapped(work: Path) -> Iterator[None]:
    """Turn what a full disk or memory raises into StorageError and OutOfMemory."""
    from safetensors import SafetensorError

    try:
        yield
    except OSError as error:
        raise storage_error(error, work) from error
    except (RuntimeError, MemoryError, SafetensorError) as error:
        if any(words in str(error).lower() for words in FULL_DISK):
            raise storage_error(OSError(errno.ENOSPC, "no space left"), work) from error
        if out_of_memory(error):
            raise OutOfMemory(
                f"The memory is not enough to train {work.name}, one row at a time: {str(error)[:120]}",
                hint="Lower --finetune-max-length, take --method qlora or a smaller base; checkpoints are kept.",
            ) from error
        raise
