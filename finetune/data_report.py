"""What the checks found in training data, as one JSON object and as lines for a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from doceo.core.records import Record

NAMED = 5
"""Most places that a report names for one thing."""
_PART = 600
"""Most characters of one part of the row that is shown; a longer one has its middle left out."""


class DataReport(Record):
    """What was found in the data. Lengths are in tokens; places are `line 3` or, of a mixture, `faq.csv, line 3`."""

    file: str
    forms: dict[str, int]
    """Rows of the file by format."""
    rows: int
    """Rows to train on: what was held out, repeated or faulty is not among them."""
    repeated: int
    repeated_places: tuple[str, ...]
    too_long: int
    too_long_places: tuple[str, ...]
    max_length: int
    examples: int
    """Rows as they are trained: conversations may become several, plain texts are cut."""
    tokens: int
    learned_tokens: int
    learned_share: float
    end_of_turn: str
    """The mark that ends every answer, and is learned."""
    ended: int
    """Examples whose learned part ends with a mark at which answering stops."""
    lengths: dict[int, int]
    """Examples by length: `{64: 12}` are 12 of 33 to 64 tokens."""
    longest: int
    validation_rows: int
    same_questions: int
    """Held-out questions that are trained word for word."""
    near_questions: int
    """Held-out questions that are trained nearly so."""
    overlapping_places: tuple[str, ...]
    sample: str
    """One row, special tokens shown, what is learned between ⟦ and ⟧."""
    notes: tuple[str, ...] = ()

    def said(self) -> list[str]:
        """Return the report as lines for a terminal."""
        forms = ", ".join(f"{count:,} {form}" for form, count in self.forms.items())
        held = f", {self.validation_rows:,} to validate on" if self.validation_rows else ""
        bars = ", ".join(f"{count:,} up to {end:,}" for end, count in self.lengths.items())
        chats = self.forms.keys() - {"text"}
        ends = f"; {self.ended:,} examples end with {self.end_of_turn!r} or the end of sequence" if chats else ""
        return [
            f"Data: {self.file} ({forms}): {self.examples:,} examples of {self.rows:,} rows{held}.",
            f"Tokens: {self.tokens:,} a pass, {self.learned_share:.0%} of them learned{ends}.",
            f"Lengths in tokens: {bars}; the longest is {self.longest:,} of {self.max_length:,}.",
            *self.notes,
            "The first example, what is learned between ⟦ and ⟧:",
            shortened(self.sample),
        ]


def named(places: Sequence[str], count: int) -> str:
    """Return the places of so many rows in words, the first few of many."""
    return f"{', '.join(places[:NAMED])}{', ...' if count > NAMED else ''}"


def shortened(sample: str) -> str:
    """Return a marked example whose long parts have their middle left out."""
    half = _PART // 2
    parts = re.split("(⟦[^⟧]*⟧)", sample)
    return "".join(part if len(part) <= _PART else f"{part[:half]} [...] {part[-half:]}" for part in parts)
