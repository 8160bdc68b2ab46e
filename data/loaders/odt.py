"""OpenDocument text: headings, paragraphs, lists and tables of content.xml."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from data.cleaning import normalise
from data.loaders.archives import check_archive
from data.loaders.invisible.odt import take_out_invisible
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import first_heading, first_line
from data.loaders.rows import rows_text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_LEFT_OUT = {f"{_TEXT}note-citation", f"{_OFFICE}annotation", f"{_TEXT}tracked-changes"}
_MOST_REPEATED = 100
"""Times that a row or cell may be repeated: the format can write a million empty rows as one."""


def load_odt(content: bytes, limit: int) -> Loaded:
    """Read an OpenDocument text as Markdown. `limit` is the most bytes that it may unpack to."""
    from defusedxml.ElementTree import fromstring

    check_archive(content, limit, "content.xml")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("content.xml")
    try:
        root = fromstring(xml)
        take_out_invisible(root)
        body = root.find(f"{_OFFICE}body")
    except ParseError as error:
        raise Unreadable("damaged", f"the content cannot be read ({error})") from error
    text = normalise("\n\n".join(_blocks(body, 0))) if body is not None else ""
    if not text:
        raise Unreadable("empty", "the file holds no text")
    media_type = "application/vnd.oasis.opendocument.text"
    return Loaded(text=text, media_type=media_type, title=first_heading(text) or first_line(text))


def _blocks(parent: Element, depth: int) -> Iterator[str]:
    for element in parent:
        if element.tag == f"{_TEXT}h":
            level = element.get(f"{_TEXT}outline-level", "1")
            yield f"{'#' * min(6, int(level) if level.isdigit() else 1)} {_words(element)}"
        elif element.tag == f"{_TEXT}p":
            yield _words(element)
        elif element.tag == f"{_TEXT}list":
            yield "\n".join(_items(element, depth))
        elif element.tag == f"{_TABLE}table":
            yield rows_text(_rows(element), level=6)
        elif element.tag not in _LEFT_OUT:
            yield from _blocks(element, depth)


def _items(element: Element, depth: int) -> Iterator[str]:
    for item in element:
        blocks = list(_blocks(item, depth + 1))
        for number, block in enumerate(blocks):
            yield block if number else f"{'  ' * depth}- {block}"


def _rows(table: Element) -> Iterator[list[str]]:
    for row in table.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row:
            text = " ".join(filter(None, map(_words, cell.iter(f"{_TEXT}p"))))
            cells += [text] * _times(cell, "number-columns-repeated")
        yield cells


def _times(element: Element, name: str) -> int:
    times = element.get(f"{_TABLE}{name}", "1")
    return min(int(times), _MOST_REPEATED) if times.isdigit() else 1


def _words(element: Element) -> str:
    """Return an element's text with its tabs, blanks and line ends."""
    if element.tag in _LEFT_OUT:
        return ""
    text = element.text or ""
    for child in element:
        text += {f"{_TEXT}tab": "\t", f"{_TEXT}s": " ", f"{_TEXT}line-break": "\n"}.get(child.tag, "") or _words(child)
        text += child.tail or ""
    return text
