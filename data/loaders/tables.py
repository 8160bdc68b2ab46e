"""CSV and TSV, whatever the delimiter."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from data.cleaning import normalise
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import decode
from data.loaders.rows import rows_text

_DELIMITERS = (",", ";", "\t", "|", ":")
_LOOKED_AT = 100
_LONGEST_CELL = 2**31 - 1


def load_csv(content: bytes, limit: int) -> Loaded:
    """Read a table; the delimiter is the one that cuts most lines into the same number of cells, two or more."""
    raw, encoding = decode(content)
    text = normalise(raw)
    delimiter = delimiter_of(text)
    csv.field_size_limit(_LONGEST_CELL)
    # An odd number of quotes: they are inches or typing errors, and one of them would swallow the rest of the file.
    quotes: Literal[0, 3] = csv.QUOTE_NONE if text.count('"') % 2 else csv.QUOTE_MINIMAL
    try:
        table = rows_text(csv.reader(_lines(text), delimiter=delimiter, quoting=quotes))
    except csv.Error as error:
        raise Unreadable("damaged", f"not a table of cells: {error}") from error
    name = "tab" if delimiter == "\t" else delimiter
    return Loaded(text=table + "\n", media_type="text/csv", metadata={"encoding": encoding, "delimiter": name})


def delimiter_of(text: str) -> str:
    """Return the delimiter of a table in text; a comma where no delimiter cuts it into cells."""
    lines = text[:200_000].split("\n")[:_LOOKED_AT]
    best = (0.0, 0, ",")
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]), default=(0, 0))
        if width > 1:
            best = max(best, (count / max(1, sum(widths.values())), width, delimiter))
    return best[2]


def _lines(text: str) -> Iterator[str]:
    return (match.group() for match in re.finditer(r"[^\n]*\n?", text))
