"""Zip archives of documents: refused where they unpack too large, lack what they need, or define XML entities."""

from __future__ import annotations

import io
import zipfile
import zlib

from data.loaders.loaded import Unreadable

_MEDIA = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".svgz", ".emf", ".wmf", ".webp", ".mp3", ".mp4", ".wav",
    ".m4a", ".mov", ".avi", ".bin", ".ttf", ".otf", ".woff", ".woff2", ".odttf", ".fntdata",
)  # fmt: skip
"""Endings of members that no loader parses."""

_STEP = 1 << 20


def check_archive(content: bytes, limit: int, needed: str) -> None:
    """Look an archive over before a library opens it.

    Args:
        content: The whole file.
        limit: Most bytes that all members together may unpack to, by their headers; what is parsed is unpacked here
            in steps, which finds headers that lie.
        needed: Member that makes it a document of its kind.

    Raises Unreadable with reason `empty`, `password`, `damaged`, `too_large` or `hostile`.
    """
    if not content:
        raise Unreadable("empty", "the file holds no bytes")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        advice = "the file is encrypted or in an old Office format; save it again without a password"
        raise Unreadable("password", advice)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive, limit, needed)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise Unreadable("damaged", f"the archive is cut off or not a zip file ({error})") from error
    except RuntimeError as error:  # how zipfile says that a member is encrypted
        raise Unreadable("password", f"the archive is locked ({error})") from error


def _check(archive: zipfile.ZipFile, limit: int, needed: str) -> None:
    members = archive.infolist()
    if needed not in {member.filename for member in members}:
        raise Unreadable("damaged", f"the archive has no {needed}")
    size = sum(member.file_size for member in members)
    if size > limit:
        raise Unreadable("too_large", f"the file unpacks to {size // 2**20} MB, more than {limit // 2**20} MB")
    for member in members:
        if ".." in member.filename.replace("\\", "/").split("/"):
            raise Unreadable("hostile", f"the archive names a file outside itself: {member.filename[:80]}")
        if not member.filename.lower().endswith(_MEDIA) and defines_entities(_unpacked(archive, member)):
            raise Unreadable("hostile", f"{member.filename} defines XML entities, which are never expanded")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # Read at once, a member is unpacked whole before it is cut to the size that its header gives.
    with archive.open(member) as file:
        return b"".join(iter(lambda: file.read(_STEP), b""))


def defines_entities(xml: bytes) -> bool:
    """Return whether XML (UTF-8 or UTF-16) defines entities: nothing that could be expanded or fetched is parsed."""
    return b"<!ENTITY" in xml.replace(b"\0", b"")
