"""A sentence as a reader sees it: without markup, footnote marks and line breaks."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\ufffe\uffff]\\s?")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^()]*(?:\([^()]*\)[^()]*)*\)")
_NOTE_LINK = re.compile(r"\[\\?\[[^\[\]]{1,30}\\?\]\]\([^()\s]*(?:\s\"[^\"]*\")?\)|\[\^[^\]]+\]")
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?:[^()\"]|\([^()]*\)|\"[^\"]*\")*\)")
_NOTE = re.compile(
    r"(?<=[\w.,;:)\"'”’*])(?:\[(?:\d{1,3}|[a-z]{1,2}|note \d+|citation needed)\])+(?::\s?\d+(?:[-–]\d+)?(?:,\s?\d+)*)?"
)
_BREAK = re.compile(r"(\w+)[-‐]\n\s*(?:>\s*)?([a-z]\w*)")
_TAG = re.compile(r"</?(?:a|b|i|em|strong|code|br|p|span|sup|sub|kbd|tt|u|small)\b[^<>]*>", re.I)
_ITEM = re.compile(r"\A\s*(?:>\s*)*(?:[-*+•◦▪‣●○■]|\d{1,3}[.)]|[a-zA-Z][.)]|\([a-z0-9]{1,3}\))[ \t]+")
_QUOTE_LINE = re.compile(r"\n\s*>\s?")
_CODE = re.compile(r"``([^`]+)``|`([^`]+)`")
_STRONG = re.compile(r"(?<!\w)(\*\*\*|\*\*|___|__)(?=\S)(.+?)(?<=\S)\1(?!\w)|(\*\*)(?=\S)([^*]+?)\3")
_WEAK = re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_]+?)(?<=\S)_(?![\w_])")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|<>~-])")


@dataclass(frozen=True, slots=True)
class Plain:
    """Plain text, and the (start, end) of what was marked as code in it, and of what was set off as a term."""

    text: str
    code: tuple[tuple[int, int], ...]
    marked: tuple[str, ...]


def plain(raw: str, known: Callable[[str], bool]) -> Plain:
    """Return a sentence or item without list marker, markup and line breaks.

    A word that a hyphen parts at the end of a line is joined where `known` has seen the joined form.
    """
    text = _INVISIBLE.sub("", raw)
    text = _ITEM.sub("", text)
    text = _BREAK.sub(lambda m: m[1] + m[2] if known((m[1] + m[2]).lower()) else f"{m[1]}-{m[2]}", text)
    text = _QUOTE_LINE.sub(" ", text)
    if "[" in text:
        text = _NOTE_LINK.sub("", _IMAGE.sub("", text))
        text = _NOTE.sub("", _LINK.sub(r"\1", text))
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub("", text))
    text = " ".join(text.split())
    marked: list[str] = []
    return _without_marks(text, marked)


def _without_marks(text: str, marked: list[str]) -> Plain:
    def keep(match: re.Match[str]) -> str:
        inner = next(group for group in match.groups()[::-1] if group is not None)
        marked.append(inner.strip("`"))
        return inner

    if "*" in text or "_" in text:
        pieces = re.split(r"(`[^`]+`)", text)
        if len(pieces) == 1 or not re.search(r"\*\*|(?<!\w)[*_](?=`)", text):
            pieces[::2] = [_WEAK.sub(keep, _STRONG.sub(keep, piece)) for piece in pieces[::2]]
            text = "".join(pieces)
        else:
            text = _WEAK.sub(keep, _STRONG.sub(keep, text))
    out: list[str] = []
    code: list[tuple[int, int]] = []
    size = at = 0
    for match in _CODE.finditer(text):
        before = _ESCAPE.sub(r"\1", text[at : match.start()])
        inner = (match[1] or match[2]).strip()
        out += [before, inner]
        size += len(before)
        code.append((size, size + len(inner)))
        size += len(inner)
        at = match.end()
    out.append(_ESCAPE.sub(r"\1", text[at:]))
    joined = "".join(out)
    return Plain(joined, tuple((s, e) for s, e in code if e > s), tuple(marked))
