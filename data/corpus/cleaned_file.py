"""One source file, cleaned in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from data.corpus.judging import DUPLICATE, NEAR, Judge
from data.corpus.notices import Notices
from data.corpus.output import DroppedList, Output
from data.corpus.paragraphs import Paragraph, joined, paragraphs
from data.corpus.rows import Row
from data.corpus.tally import Tally
from data.text_file import PIECE, TextFile
from doceo.core.config import CleanConfig
from doceo.core.errors import InputError

SHORT, UNREADABLE, UNREADABLE_ROW = "too short", "unreadable", "unreadable row"


class FileCleaner:
    """Cleans one file into another.

    Args:
        source: The file's name in the records.
        file: Where it is read from.
        output: Where what is kept goes.
        dropped: Where what is dropped is listed.
        judge: What stood before in the corpus.
        config: What is dropped.
        fields: Fields of rows that hold text.

    Attributes:
        tally: What became of its paragraphs.
        damage: Why it could not be read to its end; empty where it could.
    """

    def __init__(
        self,
        source: str,
        file: TextFile,
        output: Output,
        dropped: DroppedList,
        judge: Judge,
        config: CleanConfig,
        fields: Sequence[str],
    ) -> None:
        self._source = source
        self._file = file
        self._output = output
        self._dropped = dropped
        self._judge = judge
        self._config = config
        self._fields = fields
        self.tally = Tally()
        self.damage = ""

    def run(self) -> Iterator[int]:
        """Clean the file; yield the bytes read until now, about once a megabyte. Raises StorageError."""
        for _ in self._run_rows() if self._file.is_rows else self._run_plain():
            yield self._file.size

    def _run_plain(self) -> Iterator[None]:
        notices, text = Notices(), Tally()
        for line, piece in self._readable(self._file.pieces()):
            parts = self._mended(self._marked(paragraphs(piece, line), notices), text)
            self._judge.judge(parts)
            kept = self._settled(parts, text)
            if kept:
                self._output.write((kept[0].gap if self._output.size else "") + joined(kept))
            yield
        if self._output.size and (reason := self._drops_rest(text)):
            self._dropped.add(self._source, 1, reason, f"all {text.kept} paragraphs that were left")
            text.take_back(reason)
            self._output.discard()
        elif self._output.size:
            self._output.write("\n")
        self.tally.add(text)

    def _readable(self, found: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """Yield what can be read; what was judged before the damage has to be written too, since copies are dropped."""
        line = 1
        try:
            for line, text in found:
                yield line, text
        except InputError as error:
            self.damage = error.message
            self._dropped.add(self._source, line, UNREADABLE, "", error.message)

    def _run_rows(self) -> Iterator[None]:
        batch: list[tuple[Row, Tally]] = []
        size = 0
        for number, line in self._readable(self._file.lines()):
            if not line.strip():
                continue
            try:
                batch.append(self._read(number, line))
            except ValueError as error:
                self.tally.drop(line, UNREADABLE_ROW)
                self._dropped.add(self._source, number, UNREADABLE_ROW, line, str(error))
            size += len(line)
            if size > PIECE:
                self._finish(batch)
                batch, size = [], 0
                yield
        self._finish(batch)
        yield

    def _read(self, number: int, line: str) -> tuple[Row, Tally]:
        row, text = Row(number, line, self._fields, self._judge.mend), Tally()
        text.mended = row.mended
        if row.by_paragraphs:
            row.parts = self._mended(self._marked(row.parts, Notices()), text)
        return row, text

    def _finish(self, batch: list[tuple[Row, Tally]]) -> None:
        """Judge some rows together, which is faster, and write those that are kept."""
        self._judge.judge([part for row, _ in batch for part in row.parts])
        for row, text in batch:
            kept = self._settled(row.parts, text)
            if reason := self._drops_rest(text) if kept else "":
                self._dropped.add(self._source, kept[0].line, reason, joined(kept))
                text.take_back(reason)
            elif kept:
                self._output.write(row.written())
            self.tally.add(text)

    def _marked(self, parts: Iterable[Paragraph], notices: Notices) -> Iterable[Paragraph]:
        return notices.marked(parts) if "boilerplate" in self._config.drop else parts

    def _mended(self, parts: Iterable[Paragraph], text: Tally) -> list[Paragraph]:
        found = list(parts)
        for part in found:
            if not part.reason:
                before, part.text = part.text, self._judge.mend(part.text)
                text.mended += part.text != before
        return found

    def _settled(self, parts: Sequence[Paragraph], text: Tally) -> list[Paragraph]:
        """Count and list paragraphs; return those that are kept."""
        for part in parts:
            if part.reason:
                text.drop(part.text, part.reason)
                self._dropped.add(self._source, part.line, part.reason, part.text)
            else:
                text.keep(part.text)
        return [part for part in parts if not part.reason]

    def _drops_rest(self, text: Tally) -> str:
        """Return why what is left of a text is not kept either.

        Of a text that stood before, its short paragraphs are left, which are no text.
        """
        repeated = text.dropped_characters[DUPLICATE] + text.dropped_characters[NEAR]
        if text.longest < self._config.paragraph_characters and repeated > text.kept_characters:
            return DUPLICATE
        return SHORT if "short" in self._config.drop and text.kept_characters < self._config.least_characters else ""
