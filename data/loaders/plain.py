"""Plain text and Markdown, in whatever encoding."""

from __future__ import annotations

import re

from data.cleaning import normalise
from data.loaders.encodings import decoded
from data.loaders.invisible.markdown import without_invisible
from data.loaders.loaded import Loaded, Unreadable

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")
_LOOKED_AT = 1_000_000
_LONGEST_TITLE = 80


def decode(content: bytes, *, declares: bool = False) -> tuple[str, str]:
    """Return (text, encoding) of bytes; NUL bytes, with which some programs pad, become blanks.

    Args:
        content: A whole file.
        declares: Whether the format can name its charset in the first 2 KB, as HTML and XML do.

    Raises Unreadable for what is empty or not text.
    """
    if not content.strip(b"\0 \t\r\n\x0c"):
        raise Unreadable("empty", "the file holds no text")
    text, encoding = decoded(content, declares=declares)
    head = text[:_LOOKED_AT]
    zeros, controls = head.count("\0"), len(_CONTROL.findall(head))
    if controls > 0.02 * len(head) or zeros > 0.3 * len(head):
        raise Unreadable("binary", f"{controls + zeros:,} of {len(head):,} characters are control characters")
    return text.replace("\0", " "), encoding


def load_text(content: bytes, limit: int) -> Loaded:
    """Read plain text; the title is its first short line."""
    raw, encoding = decode(content)
    text = normalise(raw)
    return Loaded(text=text, media_type="text/plain", title=first_line(text), metadata={"encoding": encoding})


def load_source(content: bytes, limit: int) -> Loaded:
    """Read program code or a config file as it stands; its name is its title."""
    raw, encoding = decode(content)
    return Loaded(text=normalise(raw), media_type="text/plain", metadata={"encoding": encoding})


def load_markdown(content: bytes, limit: int) -> Loaded:
    """Read Markdown without its front matter; the title is the front matter's, or the first heading."""
    raw, encoding = decode(content)
    text = normalise(without_invisible(normalise(raw)))
    title = ""
    if front := _FRONT_MATTER.match(text):
        if named := re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", front.group(1), re.MULTILINE):
            title = named.group(1)
        text = text[front.end() :].lstrip("\n")
    return Loaded(
        text=text,
        media_type="text/markdown",
        title=plain_title(title or first_heading(text)),
        metadata={"encoding": encoding},
    )


def first_heading(markdown: str) -> str:
    """Return the words of the first heading of level 1 or 2, or ""."""
    found = re.search(r"^#{1,2}[ \t]+(.+?)[ \t]*#*$|^(\S.*)\n=+$", markdown, re.MULTILINE)
    return (found.group(1) or found.group(2)) if found else ""


def first_line(text: str) -> str:
    """Return the first line that is not blank where it can be a title: short, and no sentence."""
    found = re.search(r"\S.*", text[: 4 * _LONGEST_TITLE])
    first = found.group().strip() if found else ""
    return first if len(first) <= _LONGEST_TITLE and not first.endswith((".", ",", ";")) else ""


def plain_title(title: str) -> str:
    """Return a heading without Markdown marks and links."""
    title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[*_`]+|<[^>]+>|\{#[^}]*\}", "", title).strip()
