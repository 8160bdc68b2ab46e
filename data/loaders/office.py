"""DOCX, PPTX and EPUB, by markitdown from a stream."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from data.cleaning import normalise, unescaped, with_table_heads
from data.loaders.archives import check_archive
from data.loaders.invisible.office import without_hidden_elements, without_hidden_runs, without_hidden_shapes
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import plain_title

if TYPE_CHECKING:
    from markitdown.converters import DocxConverter, EpubConverter, PptxConverter

DAMAGED = (KeyError, ValueError, AttributeError, IndexError, TypeError, SyntaxError, ParseError, ExpatError,
           zipfile.BadZipFile, NotImplementedError)  # fmt: skip
"""What the libraries raise on a file that is not what it says."""
_META = re.compile(r"\A(?:\*\*[A-Z][\w ]*:\*\*.*\n+)+")
_PICTURE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
_EMPTY_HEADING = re.compile(r"^#+[ \t]*$", re.MULTILINE)
_SLIDE = re.compile(r"<!-- Slide number: (\d+) -->\n?")
_LONGEST_BULLET = 120
_OOXML = "application/vnd.openxmlformats-officedocument"


def load_docx(content: bytes, limit: int) -> Loaded:
    """Read a Word document as Markdown. `limit` is the most bytes that it may unpack to."""
    check_archive(content, limit, "word/document.xml")
    from markitdown.converters import DocxConverter

    return _loaded(_convert(DocxConverter(), without_hidden_runs(content)), f"{_OOXML}.wordprocessingml.document")


def load_epub(content: bytes, limit: int) -> Loaded:
    """Read an EPUB book as Markdown. `limit` is the most bytes that it may unpack to."""
    check_archive(content, limit, "META-INF/container.xml")
    from markitdown.converters import EpubConverter

    return _loaded(_convert(EpubConverter(), without_hidden_elements(content)), "application/epub+zip")


def load_pptx(content: bytes, limit: int) -> Loaded:
    """Read slides as Markdown: every slide is a page with a heading. `limit` is the most bytes it may unpack to."""
    check_archive(content, limit, "ppt/presentation.xml")
    from markitdown.converters import PptxConverter

    markdown, title = _convert(PptxConverter(), without_hidden_shapes(content))
    parts = _SLIDE.split(markdown.replace("\v", "\n").replace("[unsupported chart]", ""))
    text, starts, titles = "", [], [title]
    for number, slide in zip(parts[1::2], parts[2::2], strict=True):
        heading, body = _slide(slide)
        titles += [heading] if heading else []
        starts.append(len(text))
        text += normalise(f"## {heading or f'Slide {number}'}\n\n{body}") + "\n"
    if not re.search(r"^(?!## Slide \d+$).", text, re.MULTILINE):
        raise Unreadable("empty", "the slides hold no text")
    media_type = f"{_OOXML}.presentationml.presentation"
    named = next(filter(None, titles), "")
    return Loaded(text=text.rstrip("\n") + "\n", media_type=media_type, title=plain_title(named), pages=tuple(starts))


def _slide(markdown: str) -> tuple[str, str]:
    """Return (title, body) of a slide; its short lines, which are bullets or labels, become a list."""
    title, body, before = "", [], ""
    for line in filter(str.strip, _PICTURE.sub("", markdown).split("\n")):
        if line.startswith("# ") and not title:
            title = line[2:].strip()
            continue
        kind = line[0] if line.startswith(("|", "###")) else "-" if len(line) <= _LONGEST_BULLET else ""
        if kind != before or not kind:
            body.append("")
        body.append(f"- {line.strip()}" if kind == "-" else line.rstrip(" :"))
        before = kind
    return title, "\n".join(body)


def _convert(converter: DocxConverter | EpubConverter | PptxConverter, content: bytes) -> tuple[str, str]:
    from defusedxml.common import DefusedXmlException
    from markitdown import StreamInfo

    try:
        result = converter.convert(io.BytesIO(content), StreamInfo())
    except DefusedXmlException as error:
        name = type(error).__name__
        raise Unreadable("hostile", f"the file defines XML entities, which are never expanded ({name})") from error
    except DAMAGED as error:
        raise Unreadable("damaged", f"its content cannot be read ({type(error).__name__}: {error})") from error
    return result.markdown, result.title or ""


def _loaded(converted: tuple[str, str], media_type: str) -> Loaded:
    markdown, title = converted
    if found := _META.match(markdown):
        named = re.search(r"\*\*Title:\*\*\s*(.+)", found.group())
        title = title or (named.group(1) if named else "")
        markdown = markdown[found.end() :]
    markdown = _EMPTY_HEADING.sub("", _LINK.sub(r"\1", _PICTURE.sub("", markdown)))
    text = with_table_heads(normalise(unescaped(markdown)))
    if not text:
        raise Unreadable("empty", "the file holds no text")
    if not title and (heading := re.search(r"^#+[ \t]+(.+)$", text, re.MULTILINE)):
        title = heading.group(1)
    return Loaded(text=text, media_type=media_type, title=plain_title(title))
