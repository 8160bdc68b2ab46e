"""Rows of JSON Lines on their way through cleaning; fields that hold no text stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from data.corpus.paragraphs import Paragraph, joined, paragraphs
from data.text_file import parsed_row, plain_line_ends, row_places

APART = "\n\n"


class Row:
    """A row: one of a single text is cleaned by paragraphs, one of several texts is kept or dropped whole.

    The latter is a duplicate only where it is equal to another.

    Args:
        line: Number of the row.
        content: The line.
        fields: Fields that hold text.
        mend: Puts characters right.

    Raises ValueError, in words, for a line that is no object or has no text.
    """

    def __init__(self, line: int, content: str, fields: Sequence[str], mend: Callable[[str], str]) -> None:
        self.row = parsed_row(content)
        self._places = row_places(self.row, fields)
        self.mended = 0
        self.by_paragraphs = len(self._places) == 1 and "messages" not in self.row
        if self.by_paragraphs:
            (place, key), *_ = self._places
            self.parts = list(paragraphs(plain_line_ends(place[key]))) or [Paragraph(line, "")]
        else:
            self._mend_all(mend)
            text = APART.join(place[key] for place, key in self._places)
            # questions over one long text are similar throughout, and yet are different rows
            self.parts = [Paragraph(line, text, compared=False)]
        for part in self.parts:
            part.line, part.whole = line, len(self.parts) == 1

    def _mend_all(self, mend: Callable[[str], str]) -> None:
        for place, key in self._places:
            text = mend(place[key])
            self.mended += text != place[key]
            place[key] = text

    def written(self) -> str:
        """Return the line of what is kept."""
        if self.by_paragraphs:
            (place, key), *_ = self._places
            place[key] = joined([part for part in self.parts if not part.reason])
        return json.dumps(self.row, ensure_ascii=False) + "\n"
