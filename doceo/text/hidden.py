"""Characters that no reader sees and a model does: taken out, unless the writing of a language needs them.

Text can be hidden in tag characters and variation selectors (a letter each), broken up by zero-width characters, or
shown in another order than it is stored by bidirectional controls ("Trojan Source", Boucher and Anderson 2023). What
stays is what Unicode asks for (UAX 31 section 2.3, UTS 51): ZWJ and ZWNJ in Indic and Arabic writing, ZWJ, selectors
and flags of emoji, selectors behind Chinese and Mongolian characters, the break that parts words in Thai and Khmer.
"""

from __future__ import annotations

import re
import unicodedata

ZWSP, ZWNJ, ZWJ = "\u200b", "\u200c", "\u200d"
_CONTROLS = "\x00-\x08\x0b\x0e-\x1f\x7f"
_ALWAYS = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d159\U0001d173-\U0001d17a"
)
_SOMETIMES = "\u115f\u1160\u180b-\u180f\u200b-\u200d\ufe00-\ufe0f\U000e0000-\U000e0fff"
_SUSPECTS = re.compile(f"[{_CONTROLS}{_ALWAYS}{_SOMETIMES}]+")
_TAGS = re.compile("[\U000e0020-\U000e007e]")
_FLAG = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
"""The tags of a flag such as that of Scotland, which follow a black flag."""
_BLACK_FLAG = "\U0001f3f4"
_EMOJI = re.compile(
    "[#*0-9\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001fbff]"
)
_JOINING = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1700-\u18af\u1a00-\u1b7f\ua840-\ua8ff\uaa00-\uaaff\uabc0-\uabff\ufb50-\ufdff"
    "\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
"""Arabic, Syriac, Indic and related scripts, in which a joiner shapes the letters beside it."""
_UNSPACED = re.compile("[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u19e0-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf]")
_HAN = re.compile("[\u2e80-\u2fdf\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MONGOLIAN = re.compile("[\u1800-\u180a\u1810-\u18af]")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_TELLING = re.compile("[\u200b-\u200d\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\U000e0000-\U000e0fff]")


def without_hidden(text: str) -> str:
    """Return a text without control characters and characters that show nothing, but for those that writing needs."""
    return _SUSPECTS.sub(_kept, text)


def count_hidden(text: str) -> int:
    """Count the characters that `without_hidden` takes out of a text and that could be there to hide something.

    Soft hyphens, byte order marks and control characters come about by themselves and are not counted.
    """
    count = 0
    for found in _SUSPECTS.finditer(text):
        count += len(_TELLING.findall(found.group())) - len(_TELLING.findall(_kept(found)))
    return count


def spelled(text: str) -> str:
    """Return what tag characters in a text spell: each stands for a letter of ASCII."""
    return "".join(chr(ord(sign) - 0xE0000) for sign in _TAGS.findall(text))


def _kept(found: re.Match[str]) -> str:
    """Return what stays of a run of suspect characters."""
    text, run, kept = found.string, found.group(), ""
    before = text[found.start() - 1 : found.start()]
    after = text[found.end() : found.end() + 1]
    if before == _BLACK_FLAG and (flag := _FLAG.match(run)):
        return flag.group()
    for sign in run:
        if _belongs(sign, kept, before, after):
            kept += sign
    return kept


def _belongs(sign: str, kept: str, before: str, after: str) -> bool:
    """Return whether a sign shapes the character before it, given what was kept of its run until now."""
    code = ord(sign)
    if sign == ZWJ and _EMOJI.match(before) and before not in "#*0123456789":
        return kept in ("", "\ufe0f") and bool(_EMOJI.match(after))
    if kept:
        return False
    if sign in "\u115f\u1160":
        return bool(_JAMO.match(before) or _JAMO.match(after))
    if not before:
        return False
    if sign in (ZWJ, ZWNJ):
        return bool(_JOINING.match(before)) and (sign == ZWJ or bool(_JOINING.match(after)))
    if sign == ZWSP:
        return bool(_UNSPACED.match(before) and _UNSPACED.match(after))
    if 0xFE00 <= code <= 0xFE0F:
        return _takes_selector(code, before)
    if 0xE0100 <= code <= 0xE01EF:
        return bool(_HAN.match(before))
    return 0x180B <= code <= 0x180F and bool(_MONGOLIAN.match(before))


def _takes_selector(code: int, before: str) -> bool:
    """Return whether a variation selector means something behind a character."""
    if code >= 0xFE0E:
        return bool(_EMOJI.match(before))
    return bool(_HAN.match(before) or "\u1000" <= before <= "\u109f") or unicodedata.category(before) == "Sm"
