"""Texts that something else found, as passages: of our index where they stand in it, else of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Hit, Passage, Span
from doceo.text.hidden import without_hidden
from doceo.text.injections import flags

if TYPE_CHECKING:
    from rag.index import Index

_KEPT = 4096
"""Texts whose places are kept."""


class Places:
    """Finds the places of texts. Safe for several threads.

    Args:
        index: Where texts are looked for; None: nowhere, so that each becomes a passage of its own.
    """

    def __init__(self, index: Index | None = None) -> None:
        self._index = index
        self._known: dict[tuple[str, str], Passage] = {}

    def passage(
        self, text: str, source: str, *, title: str = "", page: int | None = None, headings: Sequence[str] = ()
    ) -> Passage:
        """Return a text as a passage, with flags and without arms; what hides in it is taken out.

        One that is a passage of the index, or stands in the index's document of that source, is of that document, so
        that what is cited of it can be verified. Any other one is of a document that is this text and stands in no
        index: no citation of it is ever verified.

        Args:
            text: The text.
            source: Where it says that it is from: a path may be longer than ours.
            title: Title of what it is from; left out, the source.
            page: Page there, from 1.
            headings: Headings there, outermost first.
        """
        text = without_hidden(text)
        if (text, source) not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._indexed(text, source, headings) if self._index is not None else None
            if found is None:
                span = Span(document_id=Document.identify(text), start=0, end=len(text))
                found = _passage(span, text, source, title or source, page, headings)
            self._known[text, source] = found
        return self._known[text, source]

    def _indexed(self, text: str, named: str, headings: Sequence[str]) -> Passage | None:
        assert self._index is not None
        texts = self._index.texts
        rows = texts.query("SELECT id FROM chunks WHERE text_sha256 = ?", [sha256(text)])
        stored = texts.chunks([str(row[0]) for row in rows]).values()
        if stored:
            one = min(stored, key=lambda one: (not _is_same(named, one.source), one.chunk.id))
            found = _passage(one.chunk.span, text, one.source, one.title, one.page, one.chunk.heading_path)
            return found.model_copy(update={"sections": one.chunk.sections})
        for source, document_id in sorted(texts.sources().items()):
            whole = self._index.document(document_id) if _is_same(named, source) else None
            if whole is not None and (at := whole.text.find(text)) >= 0:
                span = Span(document_id=whole.id, start=at, end=at + len(text))
                return _passage(span, text, source, whole.title, whole.page(at), headings)
        return None


def _passage(span: Span, text: str, source: str, title: str, page: int | None, headings: Sequence[str]) -> Passage:
    hit = Hit(
        chunk_id=Chunk.identify(span),
        source=source,
        heading_path=tuple(headings),
        page=page,
        span=span,
        score=0.0,
        flags=flags(text),
    )
    return Passage(hit=hit, title=title, text=text)


def _is_same(named: str, source: str) -> bool:
    """Say whether a path is that of a document of ours, whose source begins at the folder that was indexed."""
    named = named.replace("\\", "/")
    return named == source or named.endswith("/" + source)
