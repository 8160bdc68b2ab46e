"""Web pages, by markitdown, without scripts, navigation and page furniture. Nothing in a page is fetched."""

from __future__ import annotations

import io
import warnings

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning

from data.cleaning import normalise, unescaped, with_table_heads
from data.loaders.invisible.html import take_out_invisible
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import decode, plain_title

_FURNITURE = ("script", "style", "noscript", "template", "nav", "aside", "form", "button", "input", "select",
              "iframe", "svg", "img")  # fmt: skip
_FURNITURE_ROLES = ("navigation", "banner", "contentinfo", "search", "complementary")
_TABLE_PARTS = ("caption", "thead", "tbody", "tfoot", "tr", "td", "th")
_LONGEST_CELL = 600
"""Characters of a cell from which its table is no table but a layout."""
_PREFORMATTED = 0.9
"""Share of a page's text that stands in <pre> from which the page is a text file in disguise."""


def load_html(content: bytes, limit: int) -> Loaded:
    """Read an HTML page as Markdown; the title is <title>, else the first <h1>."""
    page, encoding = decode(content, declares=True)
    text, title = page_text(page)
    if not text:
        raise Unreadable("empty", "the page holds no text")
    return Loaded(text=text, media_type="text/html", title=title, metadata={"encoding": encoding})


def page_text(page: str) -> tuple[str, str]:
    """Return (Markdown, title) of a page of HTML; a page that is (nearly) all <pre> is given as it stands."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(page, "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    if not title and (heading := soup.find("h1")):
        title = heading.get_text(" ", strip=True)
    take_out_invisible(soup)
    _clear(soup)
    body = soup.find("main") or soup.find("article") or soup.body or soup
    blocks = [block.get_text() for block in body.find_all("pre") if block.find_parent("pre") is None]
    if sum(map(len, blocks)) > _PREFORMATTED * len(body.get_text()):
        return normalise("\n\n".join(blocks)), plain_title(title)
    return with_table_heads(normalise(unescaped(_markdown(body)))), plain_title(title)


def _clear(soup: BeautifulSoup) -> None:
    """Take out what is not content: scripts, navigation, page headers and footers, pictures, the addresses of links."""
    for tag in soup(_FURNITURE):
        tag.decompose()
    for tag in soup.find_all(role=list(_FURNITURE_ROLES)):
        tag.decompose()
    for tag in soup.find_all(["header", "footer"]):
        if tag.find_parent(["article", "main"]) is None and (tag.name == "footer" or not tag.find("h1")):
            tag.decompose()
        else:
            for menu in tag.find_all(["ul", "ol"]):
                menu.decompose()
    for anchor in soup.find_all("a"):
        anchor.unwrap()
    for table in reversed(soup.find_all("table")):
        if table.find("table") or any(len(cell.get_text()) > _LONGEST_CELL for cell in table.find_all(["td", "th"])):
            _flatten(table)


def _flatten(table: Tag) -> None:
    """Make a table that only arranges the page, with whole paragraphs or tables in its cells, into blocks."""
    for part in table.find_all(_TABLE_PARTS):
        if part.find_parent("table") is table:
            part.name = "div"
    table.name = "div"


def _markdown(body: Tag) -> str:
    from markitdown import StreamInfo
    from markitdown.converters import HtmlConverter

    stream = io.BytesIO(str(body).encode("utf-8", "replace"))
    try:
        converted = HtmlConverter().convert(stream, StreamInfo(mimetype="text/html", charset="utf-8"))
    except RecursionError:
        return body.get_text("\n")  # nested too deeply for structure; the words are still there
    return str(converted.markdown)
