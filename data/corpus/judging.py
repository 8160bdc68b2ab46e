"""Which paragraphs of a corpus are kept, and why the others are not."""

from __future__ import annotations

from collections.abc import Sequence

from data.corpus.mending import mended
from data.corpus.near import RecentTexts
from data.corpus.paragraphs import Paragraph
from data.corpus.repeats import LineCounts, Seen, is_label
from doceo.core.config import CleanConfig

LETTERLESS, REPEATED, DUPLICATE, NEAR = "no letters", "repeated line", "duplicate", "near-duplicate"
_NEAR_CHARACTERS = 100
"""Least length of a paragraph that is compared with similar ones; in a shorter one every word counts."""


class Judge:
    """Remembers what stood in a corpus until now, and drops from what follows what stood there before."""

    def __init__(self, config: CleanConfig) -> None:
        self._config = config
        self._seen = Seen()
        self._counts = LineCounts()
        self._recent = RecentTexts(config.near, config.near_window) if "near" in config.drop else None

    def mend(self, text: str) -> str:
        """Return a text with its characters put right."""
        return mended(text, unicode_only=self._config.mend == "unicode")

    def judge(self, parts: Sequence[Paragraph]) -> None:
        """Give a reason to every paragraph that is to be dropped. Of equal ones the first is kept."""
        for part in parts:
            part.reason = part.reason or self._reason(part)
        if self._recent is None:
            return
        compared = [p for p in parts if not p.reason and p.compared and len(p.text) >= _NEAR_CHARACTERS]
        for part, near in zip(compared, self._recent.add([part.text for part in compared]), strict=True):
            if near:
                part.reason = NEAR

    def _reason(self, part: Paragraph) -> str:
        config = self._config
        alone = part.gap == "\n\n"
        if not part.text or ("letters" in config.drop and alone and not any(map(str.isalpha, part.text))):
            return LETTERLESS
        if part.whole or len(part.text) >= config.paragraph_characters:
            return DUPLICATE if "exact" in config.drop and self._seen.add(part.text) else ""
        if alone and "lines" in config.drop and is_label(part.text):
            return REPEATED if self._counts.add(part.text) >= config.line_repeats else ""
        return ""
