"""What stands around a text and is not of it: headers and licences of Project Gutenberg, licences, notices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from data.corpus.paragraphs import Paragraph

BOILERPLATE = "boilerplate"
_START = re.compile(
    r"^[ \t]*\*{3}[ \t]*START OF (?:THE|THIS) PROJECT GUTENBERG\b[^*]{0,400}\*{3}"
    r"|^[ \t]*\*?END[ *]*THE SMALL PRINT![^\n]{0,120}END\*?",
    re.MULTILINE | re.IGNORECASE,
)
_OPENING = re.compile(r"\W{0,4}(?:The )?Project Gutenberg(?:'s|’s)? e-?(?:book|text)\b", re.IGNORECASE)
_END = re.compile(
    r"^[ \t]*\*{3}[ \t]*END OF (?:THE|THIS) PROJECT GUTENBERG\b"
    r"|^[ \t]*\*{0,3}[ \t]*End of (?:The |This )?Project Gutenberg(?:'s|’s| e-?book\b| e-?text\b)",
    re.MULTILINE | re.IGNORECASE,
)
_LAST_WORDS = re.compile(r"subscribe to our email newsletter to hear about new\s+e-?books", re.IGNORECASE)
"""The end of Project Gutenberg's licence, where it is whole."""
_CREDIT = re.compile(
    r"[\s\[_*]*(?:This e-?(?:book|text) was )?"
    r"(?:produced|prepared|transcribed|scanned|digiti[sz]ed|e-?text prepared|html version) by\b",
    re.IGNORECASE,
)
_VOLUNTEER = re.compile(r"gutenberg|distributed proofread|volunteer|e-?(?:book|text)", re.IGNORECASE)
"""Words of a credit in a text whose header somebody has cut already."""
_LICENCE = re.compile(
    r"[\s#/*;%.<!|-]*(?:"
    r"permission is (?:hereby )?granted[, ]+(?:free of charge|to copy, distribute)"
    r"|redistribution and use in source and binary forms"
    r"|th(?:e|is) software is provided [\"“']{1,2}as[ -]is"
    r"|licensed under the apache license"
    r"|unless required by applicable law or agreed to in writing, software"
    r"|this (?:program|library|file) is free software"
    r"|this (?:program|library|file) is distributed in the hope that it will be useful"
    r"|you should have received a copy of the gnu"
    r"|this (?:work|page|document|article|text) is (?:licensed|available|released) under (?:a|the) creative commons"
    r"|(?:this|our) (?:web)?site uses cookies|we use cookies"
    r"|\[?(?:project gutenberg editor|transcriber)(?:'s|’s|s)? note"
    r"|skip to (?:main )?(?:content|navigation)$"
    r")",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    r"[\s#/*;%.<!|-]*(?:copyright|©|\(c\)) ?(?:©|\(c\)|by)? ?[^.\n]{0,40}\b(?:1[5-9]|20)\d\d\b"
    r"|[^\n]{0,80}\ball rights reserved\b",
    re.IGNORECASE,
)
_SHORT_NOTICE = 240
_HEADER_PARTS = 300
"""Most paragraphs of a header; the old small print has a hundred."""
_NAMED_WITHIN = 3_000
_LONGEST_LICENCE = 40_000
_CREDITS_WITHIN = 3
_HEADER, _TEXT, _AFTER = range(3)


class Notices:
    """Finds the notices of one source, paragraph by paragraph.

    Of an e-book of Project Gutenberg, all up to its START mark goes (or the end of the older "small print"), and all
    from its END mark on, until the next book's START mark where several stand in one file.
    """

    def __init__(self) -> None:
        self._state = _TEXT
        self._begun = self._stripped = False
        self._credits = _CREDITS_WITHIN
        self._after = 0

    def marked(self, found: Iterable[Paragraph]) -> Iterator[Paragraph]:
        """Yield the paragraphs in order, those that are notices with a reason; one that is so in part is cut in two."""
        parts = list(found)
        if not self._begun:
            self._begun = True
            self._state = _HEADER if _has_header(parts) else _TEXT
        for place, part in enumerate(parts):
            if self._state == _TEXT and _OPENING.match(part.text) and _starts(parts[place : place + _HEADER_PARTS]):
                self._state = _HEADER
            yield from self._judged(part)

    def _judged(self, part: Paragraph) -> Iterator[Paragraph]:
        if "*" in part.text and (start := _START.search(part.text)):
            self._state, self._credits, self._stripped = _TEXT, _CREDITS_WITHIN, True
            yield _dropped(part, part.text[: start.end()])
            if rest := part.text[start.end() :].strip():
                line = part.line + part.text.count("\n", 0, start.end())
                yield from self._kept(Paragraph(line, rest))
        elif self._state == _TEXT and "gutenberg" in part.text.lower() and (end := _END.search(part.text)):
            self._state, self._after = _AFTER, 0
            if before := part.text[: end.start()].rstrip():
                yield Paragraph(part.line, before, part.gap)
            line = part.line + part.text.count("\n", 0, end.start())
            yield _dropped(Paragraph(line, ""), part.text[end.start() :])
        elif self._state == _TEXT:
            yield from self._kept(part)
        else:
            yield _dropped(part, part.text)
            self._leave_licence(part)

    def _kept(self, part: Paragraph) -> Iterator[Paragraph]:
        self._credits -= 1
        credit = self._credits >= 0 and _CREDIT.match(part.text) and (self._stripped or _VOLUNTEER.search(part.text))
        if credit or is_notice(part.text):
            part.reason = BOILERPLATE
        yield part

    def _leave_licence(self, part: Paragraph) -> None:
        """Go back to text where the licence is over, so that what follows it in the file is kept."""
        if self._state == _AFTER:
            self._after += len(part.text)
            if self._after > _LONGEST_LICENCE or _LAST_WORDS.search(part.text):
                self._state = _TEXT


def is_notice(text: str) -> bool:
    """Return whether a paragraph opens as a well-known licence does, or is a short copyright or cookie notice."""
    return bool(_LICENCE.match(text) or (len(text) <= _SHORT_NOTICE and _COPYRIGHT.match(text)))


def _has_header(parts: list[Paragraph]) -> bool:
    """Return whether a first piece begins with a header of Project Gutenberg that has an end."""
    head = parts[:_HEADER_PARTS]
    return "gutenberg" in "\n".join(part.text for part in head)[:_NAMED_WITHIN].lower() and _starts(head)


def _starts(parts: list[Paragraph]) -> bool:
    return any("*" in part.text and _START.search(part.text) for part in parts)


def _dropped(part: Paragraph, text: str) -> Paragraph:
    return Paragraph(part.line, text, part.gap, reason=BOILERPLATE)
