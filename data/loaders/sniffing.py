"""What a file is, by its first bytes, where its ending does not say or says something else."""

from __future__ import annotations

import io
import re
import zipfile

from data.loaders.loaded import Unreadable
from data.loaders.plain import decode

_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_ARCHIVES = {
    "word/document.xml": ".docx",
    "ppt/presentation.xml": ".pptx",
    "xl/workbook.xml": ".xlsx",
    "META-INF/container.xml": ".epub",
    "content.xml": ".odt",
}
_BINARY = {".pdf", *_ARCHIVES.values()}
"""Endings of formats that are not text."""


def true_ending(ending: str, content: bytes) -> str:
    """Return the ending of the format that a file has: its own, unless the first bytes leave no doubt that it lies.

    Text formats are believed: HTML in a file called .txt is text. A file without an ending is judged by its bytes
    alone. Raises Unreadable for one that is an archive or an old Office file of no known format.
    """
    if found := _by_marks(content):
        return found
    if ending and ending not in _BINARY:
        return ending
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        if not ending:
            raise Unreadable("unsupported", "an archive, or an old Office file, of no known document format")
        return ending
    if _HTML.match(content[:4096]):
        return ".html"
    return ".txt" if not ending or _is_text(content) else ending


def _by_marks(content: bytes) -> str:
    """Return the ending that marks in the bytes prove, or ""."""
    if content.startswith(b"{\\rtf"):
        return ".rtf"
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return ".pdf"
    if not content.startswith(b"PK\x03\x04"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return ""
    return next((ending for name, ending in _ARCHIVES.items() if name in names), "")


def _is_text(content: bytes) -> bool:
    try:
        decode(content)
    except Unreadable:
        return False
    return bool(content.strip())
