"""Plain text and Markdown, in whatever encoding."""

from __future__ import annotations

import re

from charset_normalizer import from_bytes

from data.cleaning import normalise
from data.loaders.loaded import Loaded, Unreadable

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def decode(content: bytes) -> tuple[str, str]:
    """Return (text, encoding) of bytes. Raises Unreadable for what is empty or not text."""
    if not content.strip(b"\0 \t\r\n\x0c"):
        raise Unreadable("empty", "the file holds no text")
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding
            except UnicodeDecodeError:
                break
    try:
        text, encoding = content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        best = from_bytes(content).best()
        if best is None:
            raise Unreadable("binary", "the bytes are not text in any known encoding") from None
        text, encoding = str(best), best.encoding
    controls = sum(c < "\t" or "\x0e" <= c < " " for c in text)
    if controls > 0.02 * len(text):
        raise Unreadable("binary", f"{controls} of {len(text)} characters are control characters")
    return text, encoding


def load_text(content: bytes, limit: int) -> Loaded:
    """Read plain text; the title is its first short line."""
    raw, encoding = decode(content)
    text = normalise(raw)
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    title = first if len(first) <= 80 and not first.endswith((".", ",", ";")) else ""
    return Loaded(text=text, media_type="text/plain", title=title, metadata={"encoding": encoding})


def load_markdown(content: bytes, limit: int) -> Loaded:
    """Read Markdown without its front matter; the title is the front matter's, or the first heading."""
    raw, encoding = decode(content)
    text = normalise(raw)
    title = ""
    if front := _FRONT_MATTER.match(text):
        if named := re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", front.group(1), re.MULTILINE):
            title = named.group(1)
        text = text[front.end() :].lstrip("\n")
    if not title and (heading := re.search(r"^#{1,2}\s+(.+?)\s*#*$|^(\S.*)\n=+$", text, re.MULTILINE)):
        title = heading.group(1) or heading.group(2)
    return Loaded(text=text, media_type="text/markdown", title=plain_title(title), metadata={"encoding": encoding})


def plain_title(title: str) -> str:
    """Return a heading without Markdown marks and links."""
    title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[*_`]+|<[^>]+>|\{#[^}]*\}", "", title).strip()
