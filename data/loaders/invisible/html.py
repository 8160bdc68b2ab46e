"""HTML: elements that a browser shows nothing of, as far as the page itself says so. Nothing is fetched for that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bs4 import Comment, Tag
from soupsieve import SelectorSyntaxError

from data.hidden import leave_out
from data.loaders.invisible import css

if TYPE_CHECKING:
    from bs4 import BeautifulSoup


def take_out_invisible(soup: BeautifulSoup) -> None:
    """Take out comments, elements with `hidden`, and those that inline styles or the page's own rules make invisible.

    White text counts as invisible where no background is declared for it or around it, and no style sheet stands in
    another file. Of rules the last that says something about an element holds.
    """
    for comment in soup.find_all(string=lambda string: isinstance(string, Comment)):
        leave_out("comment", str(comment))
        comment.extract()
    plain = not soup.find("link", rel="stylesheet")
    styled = _by_rules(soup)
    found = [tag for tag in soup.find_all(True) if _is_invisible(tag, styled.get(id(tag), {}), styled, plain=plain)]
    for tag in found:
        if not tag.decomposed:
            leave_out("invisible text", tag.get_text(" "))
            tag.decompose()


def _is_invisible(tag: Tag, ruled: css.Declarations, styled: dict[int, css.Declarations], *, plain: bool) -> bool:
    if tag.name in ("html", "body", "head", "style", "script"):
        return False
    if tag.has_attr("hidden") and tag.get("hidden") != "until-found":
        return True
    declared = {**ruled, **css.declarations(str(tag.get("style") or ""))}
    colour = str(tag.get("color") or "") if tag.name == "font" else ""
    declared = {"color": colour.lower(), **declared} if colour else declared
    if not declared:
        return False
    if css.hides(declared):
        return True
    return plain and css.is_white(declared) and not any(map(css.has_background, _around(tag, styled)))


def _around(tag: Tag, styled: dict[int, css.Declarations]) -> Iterator[css.Declarations]:
    for parent in tag.parents:
        attributes = {"background": str(parent.get("bgcolor") or parent.get("background") or "").lower()}
        yield {**attributes, **styled.get(id(parent), {}), **css.declarations(str(parent.get("style") or ""))}


def _by_rules(soup: BeautifulSoup) -> dict[int, css.Declarations]:
    """Return {id of an element: what the page's own rules declare for it}."""
    styled: dict[int, css.Declarations] = {}
    sheet = "\n".join(style.get_text() for style in soup.find_all("style"))
    for selector, declared in css.rules(sheet):
        try:
            matched = soup.select(selector)
        except (SelectorSyntaxError, NotImplementedError):
            continue
        for tag in matched:
            styled[id(tag)] = {**styled.get(id(tag), {}), **declared}
    if styled:
        _add_backgrounds(soup, sheet, styled)
    return styled


def _add_backgrounds(soup: BeautifulSoup, sheet: str, styled: dict[int, css.Declarations]) -> None:
    """A background that any rule names makes white text visible: which element it is for is not worked out."""
    body = soup.body or soup
    if "background" in sheet.lower():
        styled[id(body)] = {**styled.get(id(body), {}), "background": "named"}
