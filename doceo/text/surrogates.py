"""Half characters: lone surrogates, which Python's strings hold and UTF-8 does not."""

from __future__ import annotations

import re

_SURROGATES = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """Return a text whose lone surrogates are U+FFFD, one for one, so that offsets stay as they are."""
    return _SURROGATES.sub("\ufffd", text)
