"""How documents and plain texts are read, cut and cleaned."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from doceo.core.config.base import Config

Drop = Literal["boilerplate", "letters", "lines", "exact", "near", "short"]
"""What can be dropped from texts to train on."""


class ReadConfig(Config):
    """How documents are read."""

    seconds: float = Field(default=30.0, gt=0)
    """Time limit for reading one file, in seconds."""
    megabytes: int = Field(default=64, gt=0)
    """Largest file that is read, in MB; for zip formats also the unpacked size."""
    memory: int = Field(default=1024, ge=512)
    """Most resident memory that reading one file may take, in MB."""
    redact: bool = False
    """Replace secrets and personal data by marks such as [EMAIL-1], the same mark for the same value."""
    local: tuple[str, ...] = ()
    """Documents (by source name, * allowed) whose text is never sent to a teacher on another machine."""


class ChunkConfig(Config):
    """How documents are cut into passages."""

    max_tokens: int = Field(default=254, ge=32, le=510)
    """Most tokens of a chunk, counted by the embedder's tokenizer."""
    target_tokens: int = Field(default=160, ge=16)
    """Size at which a chunk is closed at the next paragraph or heading."""


class TextConfig(Config):
    """How texts to train on are read."""

    fields: tuple[str, ...] = ("text",)
    """Fields of a JSON Lines row that hold its text; rows with `messages` give the contents of these."""


class CleanConfig(Config):
    """What is put right in texts to train on, and what is dropped from them."""

    mend: Literal["all", "unicode"] = "all"
    """`all`: mojibake, HTML entities and ligatures too; `unicode`: only NFC, control characters and line ends."""
    drop: tuple[Drop, ...] = ("boilerplate", "letters", "lines", "exact", "near", "short")
    """What is dropped: `boilerplate` (book headers, licences), `letters` (paragraphs without any), `lines` (short ones
    that recur), `exact` and `near` duplicates, `short` texts. What is left out of the list stays."""
    paragraph_characters: int = Field(default=60, ge=1)
    """Length from which a paragraph that stood before is a duplicate; shorter ones recur by right, as "Yes." does."""
    line_repeats: int = Field(default=5, ge=1)
    """How often a shorter paragraph that ends as no sentence does (navigation, page headers) is kept."""
    near: float = Field(default=0.8, gt=0, le=1)
    """Jaccard similarity of word triples from which a paragraph of 100 characters or more is a near-duplicate."""
    near_window: int = Field(default=1 << 18, ge=1)
    """How many paragraphs are looked back for near-duplicates, at 200 bytes of memory each."""
    least_characters: int = Field(default=20, ge=0)
    """Length below which a whole text (a file, or a row) is dropped."""
