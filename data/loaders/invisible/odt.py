"""OpenDocument: text that its style makes invisible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.hidden import leave_out
from data.loaders.invisible import css

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_TEXT, _STYLE, _FO = _NS % "text", _NS % "style", _NS % "xsl-fo-compatible"
_HIDING = frozenset({f"{_TEXT}hidden-text", f"{_TEXT}hidden-paragraph"})


def take_out_invisible(root: Element) -> None:
    """Take out fields and sections that are hidden, and text whose style shows nothing; what follows them stays."""
    styles = {name for style in root.iter(f"{_STYLE}style") if (name := style.get(f"{_STYLE}name")) and _hides(style)}
    for parent in list(root.iter()):
        before: Element | None = None
        for child in list(parent):
            if not _is_hidden(child, styles):
                before = child
                continue
            leave_out("invisible text", "".join(child.itertext()))
            if before is None:
                parent.text = (parent.text or "") + (child.tail or "")
            else:
                before.tail = (before.tail or "") + (child.tail or "")
            parent.remove(child)


def _is_hidden(element: Element, styles: set[str]) -> bool:
    named = element.get(f"{_TEXT}style-name")
    return element.tag in _HIDING or element.get(f"{_TEXT}display") == "none" or named in styles


def _hides(style: Element) -> bool:
    found = style.find(f"{_STYLE}text-properties")
    if found is None:
        return False
    if found.get(f"{_TEXT}display") == "none":
        return True
    names = ("color", "font-size", "background-color")
    declared = {name: value for name in names if (value := found.get(f"{_FO}{name}"))}
    around = style.find(f"{_STYLE}paragraph-properties")
    on_paper = around is None or not around.get(f"{_FO}background-color")
    return css.hides(declared) or (on_paper and css.is_white(declared))
