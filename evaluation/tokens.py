"""Words of any script, for metrics that compare words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ASCII = re.compile(r"[a-z0-9]+")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
# Named CJK or KATAKANA too, but punctuation and symbols by category, so never asked for here.


@lru_cache(maxsize=65536)
def _place(character: str) -> str:
    """Return `w` for a character inside words, `c` for one that is a word by itself, `` for one between words."""
    if unicodedata.category(character)[0] not in "LNM":
        return ""
    return "c" if unicodedata.name(character, "").startswith(_UNSPACED) else "w"


def spaced(text: str) -> str:
    """Return the text with spaces around every letter of scripts that are written without spaces."""
    return "".join(f" {c} " if not c.isascii() and _place(c) == "c" else c for c in text)


@lru_cache(maxsize=16384)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, lowercased: runs of letters, digits and their marks.

    Equal to rouge_score's default tokenizer (`[a-z0-9]+`, no stemming) on ASCII. Scripts written without spaces
    give one word a letter. Compatibility forms (ligatures, full-width letters) are unified (NFKC).
    """
    if text.isascii():
        return tuple(_ASCII.findall(text.lower()))
    lowered = unicodedata.normalize("NFKC", text).lower()
    return tuple("".join(c if _place(c) == "w" else f" {c} " if _place(c) else " " for c in lowered).split())
