"""Formats that are text with marks: Org, RTF, XML such as feeds. Small cleaners; nothing is included or fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from data.cleaning import normalise
from data.hidden import leave_out
from data.loaders.archives import defines_entities
from data.loaders.html import page_text
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import decode, first_heading, first_line, plain_title

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_BLOCK = re.compile(r"^[ \t]*#\+(begin|end)_(\w+)(.*)$", re.IGNORECASE | re.MULTILINE)
_KEYWORD = re.compile(r"^[ \t]*#(?:\+\w+:.*|[ \t].*)$\n?", re.MULTILINE)
_DRAWER = re.compile(
    r"^[ \t]*:[\w-]+:[ \t]*\n(?:[ \t]*:[\w-]+:.*\n)*?[ \t]*:END:[ \t]*\n", re.MULTILINE | re.IGNORECASE
)
_STARS = re.compile(r"^(\*+)[ \t]+(?:(?:TODO|DONE)[ \t]+)?(.*?)(?:[ \t]+:[\w:@]+:)?[ \t]*$", re.MULTILINE)
_ORG_LINK = re.compile(r"\[\[([^\]\n]+)\](?:\[([^\]\n]+)\])?\]")
_ORG_CODE = re.compile(r"(?<![\w~=])([~=])(\S(?:[^\n]*?\S)?)\1(?![\w~=])")
_TITLE_KEYWORD = re.compile(r"^[ \t]*#\+title:[ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)
_HIDDEN_RTF = re.compile(r"\{\\v(?![a-z0-9])([^{}]*)\}|\\v(?![a-z0-9])([^{}]{1,20000}?)\\v0(?![0-9])")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_NO_WORDS = re.compile(r"[a-z]+:\S+|\S*\d\S*", re.IGNORECASE)
"""An address, a date, a number."""
_MARKED_UP = re.compile(r"<(?:p|br|div|a|ul|li|b|i|em|strong|img|span|h[1-6])\b", re.IGNORECASE)


def load_org(content: bytes, limit: int) -> Loaded:
    """Read Org as Markdown: headlines, code blocks, links; drawers, keywords and comments are left out."""
    raw, encoding = decode(content)
    text = normalise(raw)
    named = _TITLE_KEYWORD.search(text)
    text = _DRAWER.sub("", text)
    text = _BLOCK.sub(_org_block, text)
    text = _STARS.sub(lambda found: f"{'#' * min(6, len(found[1]))} {found[2]}", _KEYWORD.sub("", text))
    text = _ORG_LINK.sub(lambda found: found[2] or found[1], text)
    text = normalise(_ORG_CODE.sub(r"`\2`", text))
    title = plain_title(named.group(1) if named else first_heading(text))
    return Loaded(text=text, media_type="text/org", title=title, metadata={"encoding": encoding})


def _org_block(found: re.Match[str]) -> str:
    if found[2].lower() not in ("src", "example"):
        return ""
    return "```" if found[1].lower() == "end" else "```" + found[3].split(" ")[1] if found[3].strip() else "```"


def load_rtf(content: bytes, limit: int) -> Loaded:
    """Read the words of rich text, by striprtf; embedded objects are left out."""
    from striprtf.striprtf import rtf_to_text

    try:
        words: str = rtf_to_text(_seen(content.decode("latin-1")), errors="replace")  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, IndexError, TypeError, LookupError) as error:
        raise Unreadable("damaged", f"the content cannot be read ({type(error).__name__}: {error})") from error
    text = normalise(words)
    if not text:
        raise Unreadable("empty", "the file holds no text")
    return Loaded(text=text, media_type="application/rtf", title=first_line(text))


def _seen(rtf: str) -> str:
    """Return rich text without what is formatted as hidden."""

    def gone(found: re.Match[str]) -> str:
        leave_out("invisible text", found[1] or found[2])
        return "" if found[1] else "\\v0"

    return _HIDDEN_RTF.sub(gone, rtf)


def load_xml(content: bytes, limit: int) -> Loaded:
    """Read the texts of XML elements as paragraphs, as of a feed or an article; tags and attributes are left out."""
    from defusedxml.ElementTree import fromstring

    raw, encoding = decode(content, declares=True)
    if defines_entities(raw.encode("utf-8", "replace")):
        raise Unreadable("hostile", "the file defines XML entities, which are never expanded")
    try:
        root = fromstring(_DECLARATION.sub("", raw))
    except ParseError as error:
        raise Unreadable("damaged", f"not XML: {error}") from error
    text = normalise("\n\n".join(filter(None, _paragraphs(root))))
    if not text:
        raise Unreadable("empty", "the elements hold no text")
    title = next((" ".join(t.text.split()) for t in root.iter() if t.tag.endswith("title") and t.text), "")
    return Loaded(text=text, media_type="application/xml", title=title[:200], metadata={"encoding": encoding})


def _paragraphs(element: Element) -> Iterator[str]:
    """Yield the texts in order, an element with words between its children whole; HTML in it becomes Markdown."""
    mixed = bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)
    if not mixed:
        for child in element:
            yield from _paragraphs(child)
        return
    text = "".join(element.itertext()).strip()
    if _MARKED_UP.search(text):
        text = page_text(text)[0].strip()
    if not _NO_WORDS.fullmatch(text):
        yield text
