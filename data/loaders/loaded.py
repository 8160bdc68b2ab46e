"""What a loader gives."""

from __future__ import annotations

from doceo.core.records import Record


class Loaded(Record):
    """The text of a file. `pages` holds each page's start offset in `text`; both are final."""

    text: str
    media_type: str
    title: str = ""
    pages: tuple[int, ...] = ()
    metadata: dict[str, str] = {}


class Unreadable(Exception):
    """A file that gives no document; `reason` is one word, `detail` a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
