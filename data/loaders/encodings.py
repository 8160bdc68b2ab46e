"""In which encoding bytes are: marks, what the file declares, and charset-normalizer's guess, corrected."""

from __future__ import annotations

import codecs
import re

from data.loaders.loaded import Unreadable
from doceo.text.language import language_of

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
_USERS = {
    "cp1250": frozenset("pl cs sk hu sl hr ro bs sr sq".split()),
    "cp1257": frozenset("lt lv et".split()),
    "cp1254": frozenset({"tr", "az"}),
    "cp1258": frozenset({"vi"}),
}
"""Latin code pages, and the languages that are written in them; any other language means cp1252."""
_LATIN = re.compile(r"cp(?:1250|1254|1257|1258|437|77\d|85\d|86[0135])|mac_(?!cyr|greek)|latin|iso8859_(?:[1-4]|9|1[03456])$")
_SAMPLE = 200_000
_MOST_BROKEN = 0.25


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
    return (text, "utf-8, damaged") if whole > 8 * min(broken, text[:_SAMPLE].count("\ufffd")) else None


def _guessed(content: bytes) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    sample = content if len(content) <= _SAMPLE else content[: content.rfind(b" ", 0, _SAMPLE) + 1 or _SAMPLE]
    matches = from_bytes(sample)
    best = matches.best()
    if best is None:
        if sum(byte > 127 for byte in sample) > _MOST_BROKEN * len(sample):
            raise Unreadable("binary", "the bytes are not text in any known encoding")
        return content.decode("utf-8", "replace"), "utf-8, damaged"
    name = best.encoding
    known = {other for match in matches for other in (match.encoding, *match.could_be_from_charset)}
    western = "cp1252" in known and _LATIN.match(name)
    if western and language_of(str(best)) not in _USERS.get(name, ()):
        name = "cp1252"
    return content.decode(name, "replace"), codecs.lookup(name).name
