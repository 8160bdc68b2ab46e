"""What a disk says that cannot be written to, told in one way whichever library was writing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.jsonl import storage_error

_NUMBER = re.compile(r"\(os error (\d+)\)")


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Raise StorageError for what Python, safetensors and tokenizers raise in the block where a file is not written.

    The latter two are written in Rust and tell the system's number in words only, tokenizers in a bare Exception.
    """
    from safetensors import SafetensorError

    try:
        yield
    except OSError as error:
        raise storage_error(error, place) from error
    except Exception as error:
        found = _NUMBER.search(str(error))
        if isinstance(error, SafetensorError) or (type(error) is Exception and found):
            raise storage_error(OSError(int(found[1]) if found else 0, str(error)), place) from error
        raise
