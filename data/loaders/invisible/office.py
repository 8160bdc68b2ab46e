"""Office files: hidden text and shapes, and letters without size or colour, taken out of the XML before it is read."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

from data.hidden import leave_out
from data.loaders.invisible.html import take_out_invisible

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Change = Callable[[bytes, zipfile.ZipFile], bytes]
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_TINY = 3
"""Half points up to which letters are too small to be seen."""
_WORD_SIGNS = re.compile(rb"<w:vanish\b|w:color [^>]*w:val=\"[fF]{6}\"|<w:sz [^>]*w:val=\"[0-3]\"")
_SLIDE_SIGNS = re.compile(rb"<p:cNvPr [^>]*hidden=\"(?:1|true)\"")
_PAGE_SIGNS = re.compile(
    rb"<!--|\shidden\b|display\s*:\s*none|visibility\s*:|opacity\s*:|font-size\s*:\s*[01.]|color\s*:|text-indent\s*:\s*-",
    re.I,
)
_WORD_PARTS = re.compile(r"word/(?:document|footnotes|endnotes|header\d*|footer\d*)\.xml")
_SLIDES = re.compile(r"ppt/slides/slide\d+\.xml")
_PAGES = re.compile(r".*\.(?:x?html?|htm)", re.I)
_STYLES = "word/styles.xml"
_SHADED_STYLE = re.compile(rb"<w:style\b[^>]*w:styleId=\"([^\"]+)\"(?:(?!</w:style>).)*?<w:shd\b", re.DOTALL)
_PREFIX = re.compile(r'xmlns:((?!ns\d|xml)\w+)="([^"]+)"')
_OFF = ("0", "false", "off", "none")


def without_hidden_runs(content: bytes) -> bytes:
    """Return a Word document without hidden, tiny and white runs; white ones stay where anything is shaded."""
    return _changed(content, _WORD_PARTS, _WORD_SIGNS, _word)


def without_hidden_shapes(content: bytes) -> bytes:
    """Return slides without the shapes that are marked as hidden."""
    return _changed(content, _SLIDES, _SLIDE_SIGNS, _slide)


def without_hidden_elements(content: bytes) -> bytes:
    """Return an EPUB book whose pages have no comments and no elements that are styled invisible."""
    return _changed(content, _PAGES, _PAGE_SIGNS, _page)


def _changed(content: bytes, names: re.Pattern[str], signs: re.Pattern[bytes], change: Change) -> bytes:
    """Return an archive in which members of such names, where they have a sign of something hidden, are changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        found = [member for member in members if names.fullmatch(member.filename)]
        new = {member.filename: change(xml, archive) for member in found if signs.search(xml := archive.read(member))}
        if not new:
            return content
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as other:
            for member in members:
                other.writestr(member.filename, new.get(member.filename) or archive.read(member))
    return written.getvalue()


def _word(xml: bytes, archive: zipfile.ZipFile) -> bytes:
    styles = archive.read(_STYLES) if _STYLES in archive.namelist() else b""
    shaded = {name.decode("utf-8", "replace") for name in _SHADED_STYLE.findall(styles)}
    root = _parsed(xml)
    _drop_runs(root, frozenset(shaded), shaded=root.find(f"{_W}background") is not None)
    return _written(root)


def _parsed(xml: bytes) -> Element:
    """Parse XML so that it is written again with the prefixes that it has; readers go by them here and there."""
    from xml.etree.ElementTree import register_namespace

    from defusedxml.ElementTree import fromstring

    for prefix, address in _PREFIX.findall(xml.decode("utf-8", "replace")):
        register_namespace(prefix, address)
    root: Element = fromstring(xml)
    return root


def _written(root: Element) -> bytes:
    from defusedxml.ElementTree import tostring

    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _drop_runs(parent: Element, styles: frozenset[str], *, shaded: bool) -> None:
    """Take the runs out that show nothing, a paragraph's mark aside: it is no text."""
    shaded = shaded or parent.tag in (f"{_W}txbxContent", f"{_W}tbl") or _is_shaded(parent, styles)
    for child in list(parent):
        if child.tag == f"{_W}r" and _is_hidden(child.find(f"{_W}rPr"), shaded=shaded):
            leave_out("invisible text", "".join(text.text or "" for text in child.iter(f"{_W}t")))
            parent.remove(child)
        else:
            _drop_runs(child, styles, shaded=shaded)


def _is_shaded(element: Element, styles: frozenset[str]) -> bool:
    """Return whether a paragraph has a background of its own or by its style."""
    found = element.find(f"{_W}pPr")
    return found is not None and (found.find(f"{_W}shd") is not None or _value(found, "pStyle") in styles)


def _is_hidden(properties: Element | None, *, shaded: bool) -> bool:
    if properties is None:
        return False
    if (vanish := properties.find(f"{_W}vanish")) is not None and vanish.get(f"{_W}val", "1").lower() not in _OFF:
        return True
    size, colour = _value(properties, "sz"), _value(properties, "color").lower()
    if size.isdigit() and int(size) <= _TINY:
        return True
    own = properties.find(f"{_W}shd") is not None or properties.find(f"{_W}highlight") is not None
    return colour == "ffffff" and not shaded and not own


def _value(properties: Element, name: str) -> str:
    found = properties.find(f"{_W}{name}")
    return found.get(f"{_W}val", "") if found is not None else ""


def _slide(xml: bytes, archive: zipfile.ZipFile) -> bytes:
    root = _parsed(xml)
    for parent in list(root.iter()):
        for shape in list(parent):
            named = shape.find(f"./*/{_P}cNvPr")
            if named is not None and named.get("hidden", "").lower() in ("1", "true"):
                leave_out("invisible text", " ".join(filter(None, (part.text for part in shape.iter()))))
                parent.remove(shape)
    return _written(root)


def _page(xhtml: bytes, archive: zipfile.ZipFile) -> bytes:
    from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(xhtml, "html.parser")
    take_out_invisible(soup)
    return soup.encode("utf-8")
