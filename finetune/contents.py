"""What stands in a row where a text should."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from data.sft.drafts import Missing

LONGEST = 4_000_000
"""Most characters of one text, that of a long novel: tokenizing a longer one takes more memory than a training."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Zs")
"""Categories of characters of which a text that shows nothing is made."""


def content_fault(content: object) -> tuple[str, str] | None:
    """Return what is wrong with what stands where a text should, and the cure; None where it is a text."""
    if isinstance(content, Missing):
        return "is missing", "write the text or remove the row"
    if content is None:
        return "is null, not text", "write the text or remove the row"
    if not isinstance(content, str):
        return f"is {_kind(content)}, not text", "write it as a string in quotes"
    if half := _SURROGATE.search(content):
        what = f"holds half of a surrogate pair (\\u{ord(half[0]):04x}) at character {half.start() + 1}"
        return what, "write the whole character, or remove the half"
    if len(content) > LONGEST:
        return f"has {len(content):,} characters", f"split it into rows of at most {LONGEST:,}"
    seen = any(unicodedata.category(character) not in _UNSEEN for character in content)
    return None if seen else ("is empty", "write the text or remove the row")


def _kind(value: object) -> str:
    names: dict[type[Any], str] = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")
