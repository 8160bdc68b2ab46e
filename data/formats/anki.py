"""Flash cards: a text file that Anki imports (File > Import).

Its columns are guid, front, back, source and tags. A second import updates the cards of the first, by guid. The
note type Basic shows front and back; one with a third field shows the source too. Spans, scores and what is known of
the making stay out: the file cannot be read back as pairs.
The header lines are those of https://docs.ankiweb.net/importing/text-files.html.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from data.formats.provenance import Row
from data.formats.sources import cited, flowing
from data.jsonl import whole_file
from doceo.core.records import Chunk, Pair

HEADER = (
    "#separator:tab",
    "#html:true",
    "#guid column:1",
    "#columns:guid\tFront\tBack\tSource\tTags",
    "#tags column:5",
)
_ONE_CELL = r"^[^\t\r\n\"]*$"


class AnkiNote(Row):
    """A card; every field is HTML in one cell of one line."""

    guid: str = Field(pattern=r"^[^\s#\"]\S*$")
    front: str = Field(pattern=_ONE_CELL, min_length=1)
    back: str = Field(pattern=_ONE_CELL)
    source: str = Field(pattern=_ONE_CELL)
    tags: str = Field(pattern=_ONE_CELL)


def write_anki(
    pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path, *, sources: Mapping[str, str] | None = None
) -> int:
    """Write the cards; `sources` names the documents by id. Raises StorageError."""
    with whole_file(path) as out:
        out.write("\n".join(HEADER) + "\n")
        for pair in pairs:
            note = _note(pair, chunks, sources or {})
            out.write("\t".join((note.guid, note.front, note.back, note.source, note.tags)) + "\n")
    return len(pairs)


def _note(pair: Pair, chunks: Mapping[str, Chunk], sources: Mapping[str, str]) -> AnkiNote:
    before = "".join(f"<i>{message.role}: {_cell(message.content)}</i><br>" for message in pair.history)
    places = [f"{_cell(place)}<br>“{_cell(quote)}”" for place, quote in cited(pair, chunks, sources)]
    tags = [("kind", pair.kind), ("topic", pair.topic), ("difficulty", pair.difficulty)]
    return AnkiNote(
        guid=pair.id,
        front=before + _cell(pair.question),
        back=_cell(pair.answer),
        source="<br><br>".join(places) or "not in the documents",
        tags=" ".join(f"{name}::{_tag(value)}" for name, value in tags if value),
    )


def _cell(text: str) -> str:
    escaped = html.escape(flowing(text.strip()))
    return re.sub(r"\r\n?|\n", "<br>", escaped).replace("\t", " ")


def _tag(text: str) -> str:
    """Return a text as one tag: Anki's tags end at a blank, and :: makes a level."""
    return re.sub(r"[\s\"]+", "_", text.strip()).replace("::", ":")
