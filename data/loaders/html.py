"""Web pages, by markitdown, without scripts, navigation and page furniture. Nothing in a page is fetched."""

from __future__ import annotations

import io
import warnings

from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning
from markitdown import StreamInfo
from markitdown.converters import HtmlConverter

from data.cleaning import normalise, unescaped
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import decode, plain_title

_FURNITURE = ("script", "style", "noscript", "template", "nav", "aside", "form", "button", "iframe", "svg", "img")
_FURNITURE_ROLES = ("navigation", "banner", "contentinfo", "search", "complementary")


def load_html(content: bytes, limit: int) -> Loaded:
    """Read an HTML page as Markdown; the title is <title>, else the first <h1>."""
    declared = _declared(content)
    text, encoding = (declared, "declared") if declared is not None else decode(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(text, "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    if not title and (heading := soup.find("h1")):
        title = heading.get_text(" ", strip=True)
    for tag in soup(_FURNITURE):
        tag.decompose()
    for tag in soup.find_all(role=list(_FURNITURE_ROLES)):
        tag.decompose()
    for tag in soup.find_all(["header", "footer"]):
        if tag.find_parent(["article", "main"]) is None and (tag.name == "footer" or not tag.find("h1")):
            tag.decompose()
    for anchor in soup.find_all("a"):
        anchor.unwrap()
    body = soup.find("main") or soup.find("article") or soup.body or soup
    markdown = HtmlConverter().convert(
        io.BytesIO(str(body).encode("utf-8", "replace")), StreamInfo(mimetype="text/html", charset="utf-8")
    )
    cleaned = normalise(unescaped(markdown.markdown))
    if not cleaned:
        raise Unreadable("empty", "the page holds no text")
    return Loaded(text=cleaned, media_type="text/html", title=plain_title(title), metadata={"encoding": encoding})


def _declared(content: bytes) -> str | None:
    """Return the text in the encoding that the page declares, where that decodes without an error."""
    found = BeautifulSoup(content[:2048], "html.parser").find("meta", charset=True)
    name = str(found["charset"]) if found else ""
    if not name or content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return None
    try:
        return content.decode(name)
    except (LookupError, UnicodeDecodeError):
        return None
