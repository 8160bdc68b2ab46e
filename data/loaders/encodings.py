"""In which encoding bytes are: marks, what the file declares, and charset-normalizer's guess, corrected."""

from __future__ import annotations

import codecs
import re

from data.loaders.loaded import Unreadable
from doceo.text.language import likeliest_language

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z][\w.:-]{1,40})""", re.IGNORECASE)
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
}  # fmt: skip
"""What a declared name means on the web (WHATWG Encoding Standard, section 4.2): the wider set of the same family."""
_PAGES = {
    name: frozenset(languages.split())
    for name, languages in {
        "cp1252": "en de fr es it pt nl sv da no fi is ga gl ca eu af sq id ms la br sw tl",
        "cp1250": "pl cs sk hu sl hr ro bs sq",
        "cp1251": "ru uk bg sr mk be kk ky mn",
        "koi8-r": "ru",
        "cp1253": "el",
        "cp1254": "tr az ku",
        "cp1255": "he",
        "cp1256": "ar fa ur ps ug",
        "cp1257": "lt lv et",
        "cp1258": "vi",
        "cp932": "ja",
        "euc_jp": "ja",
        "cp949": "ko",
        "gb18030": "zh",
        "big5hkscs": "zh",
    }.items()
}
"""Encodings before Unicode, and the languages that are written in them (of those that py3langid knows)."""
_SAMPLE = 200_000
_READ = 20_000
_FEW = 20
"""Bytes beyond ASCII, among many of ASCII, that say nothing: "ö" and "ß" together are a sign of Chinese in Big5."""
_BROKEN = "utf-8, damaged"
_ACCENTED = re.compile(r"[A-Za-z]*[À-ÖØ-öø-ÿ][A-Za-zÀ-ÖØ-öø-ÿ]*")
_ONE_LETTER_WORDS = frozenset("àáâäåèéêíîïñóòôöøúùûüÀÁÂÄÅÉÈÊÍÓÒÔÖØÚÜæÆ")
_MOST_BROKEN = 0.25
_LIKELY, _DOUBTFUL, _SURE = 0.4, 0.9, 0.99
_LATIN = ("cp1250", "cp1252", "cp1254", "cp1257", "cp1258")
_LATIN_TOO = (*_LATIN, "cp437", "cp77", "cp85", "mac-latin", "mac-roman", "mac-iceland", "iso8859-1", "iso8859-2")


def decoded(content: bytes, *, declares: bool = False) -> tuple[str, str]:
    """Return (text, encoding) of bytes; `declares`: the first 2 KB may name a charset, as HTML and XML do.

    A byte order mark decides, then what is valid UTF-8 (other text practically never is), then the declared name,
    then a guess. UTF-8 with a few broken bytes is read with U+FFFD in their places, and called `utf-8, damaged`.
    Raises Unreadable with reason `binary`.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content.decode(name, "replace"), name
    names = [_unmarked_utf16(content), "utf-8", _declared(content) if declares else ""]
    for name in filter(None, names):
        try:
            return content.decode(name), name
        except UnicodeDecodeError:
            continue
    return _damaged(content) or _guessed(content)


def _declared(content: bytes) -> str:
    found = _DECLARED.search(content[:2048])
    try:
        name = codecs.lookup(found.group(1).decode("ascii")).name if found else ""
        return "" if name.startswith("utf-16") else _WIDER.get(name, name)
    except LookupError:
        return ""


def _unmarked_utf16(content: bytes) -> str:
    """Return the byte order of UTF-16 without a mark: in Latin text every other byte is zero."""
    head = content[:4096]
    half = max(1, len(head) // 2)
    first, second = head[::2].count(0) / half, head[1::2].count(0) / half
    if len(content) < 4 or min(first, second) > 0.05 or max(first, second) < 0.5:
        return ""
    return "utf-16-be" if first > second else "utf-16-le"


def _damaged(content: bytes) -> tuple[str, str] | None:
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = len(re.findall(r"[^\x00-\x7f\ufffd]", text[:_SAMPLE]))
    return (text, _BROKEN) if whole > 8 * min(broken, text[:_SAMPLE].count("\ufffd")) else None


def _guessed(content: bytes) -> tuple[str, str]:
    """Guess: of the known encodings the one whose text is surest to be in one of its languages, else the general one.

    charset-normalizer alone takes short French for Central European and Hebrew for Cyrillic.
    """
    from charset_normalizer import from_bytes

    sample = content if len(content) <= _SAMPLE else content[: content.rfind(b" ", 0, _SAMPLE) + 1 or _SAMPLE]
    best = from_bytes(sample).best()
    high = sum(byte > 127 for byte in sample)
    if best is None and high > _MOST_BROKEN * len(sample):
        raise Unreadable("binary", "the bytes are not text in any known encoding")
    guessed = codecs.lookup(best.encoding).name if best else ""
    latin = guessed.startswith(_LATIN_TOO) or (bool(guessed) and high < min(_FEW, 0.1 * len(sample)))
    certainty, page = max((_certainty(sample, page), page) for page in (_LATIN if latin else _PAGES))
    if latin:
        name = page if certainty >= _LIKELY else "cp1252"
    else:
        name = page if certainty >= _SURE and _certainty(sample, guessed) < _DOUBTFUL else guessed
    if not name or (name == "cp1252" and _is_mojibake(sample.decode(name, "replace"))):
        return content.decode("utf-8", "replace"), _BROKEN
    return content.decode(name, "replace"), name


def _certainty(sample: bytes, name: str) -> float:
    """Return how sure it is that a sample, read in an encoding, is in a language that is written in it."""
    try:
        language, probability = likeliest_language(sample.decode(name)[:_READ])
    except (LookupError, UnicodeDecodeError, OSError):  # OSError: a full disk, on which the model cannot be unpacked
        return 0.0
    return probability if language in _PAGES.get(name, ()) else 0.0


def _is_mojibake(text: str) -> bool:
    """Return whether most words with an accent have no plain letter: broken bytes rather than western text."""
    words = _ACCENTED.findall(text[:_READ])
    odd = sum(not re.search("[A-Za-z]", word) and word not in _ONE_LETTER_WORDS for word in words)
    return odd > len(words) / 2
