"""Sources of answers."""

from __future__ import annotations

from doceo.core.records import Citation


class CitationReply(Citation):
    """A source of an answer; `file_id` where it is a file of a vector store."""

    file_id: str | None = None
