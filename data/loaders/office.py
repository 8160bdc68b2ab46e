"""DOCX and EPUB, by markitdown from a stream; an archive that unpacks too large is refused before it is opened."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from markitdown import StreamInfo
from markitdown.converters import DocxConverter, EpubConverter

from data.cleaning import normalise, unescaped
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import plain_title

_DAMAGED = (KeyError, ValueError, AttributeError, IndexError, TypeError, ParseError, ExpatError, zipfile.BadZipFile)
_META = re.compile(r"\A(?:\*\*[A-Z][\w ]*:\*\*.*\n+)+")


def load_docx(content: bytes, limit: int) -> Loaded:
    """Read a Word document as Markdown. `limit` is the most bytes that it may unpack to."""
    _check_archive(content, limit, "word/document.xml")
    return _convert(
        DocxConverter(), content, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"
    )


def load_epub(content: bytes, limit: int) -> Loaded:
    """Read an EPUB book as Markdown. `limit` is the most bytes that it may unpack to."""
    _check_archive(content, limit, "META-INF/container.xml")
    return _convert(EpubConverter(), content, "application/epub+zip", ".epub")


def _check_archive(content: bytes, limit: int, needed: str) -> None:
    if not content:
        raise Unreadable("empty", "the file holds no bytes")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            "password", "the file is encrypted or in an old Office format; save it again without a password"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            names = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise Unreadable("damaged", "the archive is cut off or not a zip file") from error
    if needed not in names:
        raise Unreadable("damaged", f"the archive has no {needed}")
    if size > limit:
        raise Unreadable("too_large", f"the file unpacks to {size // 2**20} MB, more than {limit // 2**20} MB")


def _convert(converter: DocxConverter | EpubConverter, content: bytes, media_type: str, ending: str) -> Loaded:
    try:
        result = converter.convert(io.BytesIO(content), StreamInfo(mimetype=media_type, extension=ending))
    except DefusedXmlException as error:
        raise Unreadable(
            "hostile", f"the file defines XML entities, which are never expanded ({type(error).__name__})"
        ) from error
    except _DAMAGED as error:
        raise Unreadable("damaged", f"the content cannot be read ({type(error).__name__}: {error})") from error
    markdown = result.markdown
    title = result.title or ""
    if found := _META.match(markdown):
        named = re.search(r"\*\*Title:\*\*\s*(.+)", found.group())
        title = title or (named.group(1) if named else "")
        markdown = markdown[found.end() :]
    markdown = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", markdown)
    text = normalise(unescaped(re.sub(r"\[([^\]\n]+)\]\([^)\n]*\)", r"\1", markdown)))
    if not text:
        raise Unreadable("empty", "the file holds no text")
    if not title and (heading := re.search(r"^#+\s+(.+)$", text, re.MULTILINE)):
        title = heading.group(1)
    return Loaded(text=text, media_type=media_type, title=plain_title(title))
