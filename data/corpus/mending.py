"""Characters put right: mojibake, HTML entities, ligatures, half characters, control characters, Unicode NFC.

Typographic quotes and the full-width marks of Chinese and Japanese stay, and so do the joiners that Persian, the
languages of India and emoji need.
"""

from __future__ import annotations

import re
import unicodedata

from data.text_file import plain_line_ends
from doceo.text.surrogates import without_surrogates

_REMOVED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u2060\ufeff\ufff9-\ufffc]")
_BLANK = re.compile("[\u00a0\u2007\u202f]")
_LINE_END = re.compile("[\x0c\x85\u2028\u2029]")
_TRAILING = re.compile(r"(?<![ \t])[ \t]+\n")
_FOR_FTFY = re.compile(r"&#?\w{1,24};|[\x1b\x80-\x9f\ufb00-\ufb06\ud800-\udfff\ufffd]")
"""Entities, terminal escapes, C1 controls, ligatures, half characters: with mojibake, all that ftfy is wanted for."""


def mended(text: str, *, unicode_only: bool = False) -> str:
    """Return a text with its characters put right and no blanks at the ends of lines.

    Args:
        text: Any text, half characters included.
        unicode_only: Leave mojibake, entities and ligatures as they are: only NFC, control characters, line ends.
    """
    if not unicode_only and (_FOR_FTFY.search(text) or _is_mojibake(text)):
        text = _by_ftfy(text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", without_surrogates(text))
        text = _BLANK.sub(" ", text)
    text = _REMOVED.sub("", _LINE_END.sub("\n", plain_line_ends(text)))
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("\n", text)
    return text.rstrip()


def _is_mojibake(text: str) -> bool:
    if text.isascii():
        return False
    from ftfy.badness import is_bad

    return bool(is_bad(text))


def _by_ftfy(text: str) -> str:
    from ftfy import TextFixerConfig, fix_text

    config = TextFixerConfig(uncurl_quotes=False, fix_character_width=False, explain=False)
    return fix_text(text, config)
