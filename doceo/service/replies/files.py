"""Files."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class FileReply(BaseModel):
    """A file; times are seconds since 1970. `sha256` is Doceo's own."""

    id: str
    object: Literal["file"]
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["processed"]
    status_details: None
    sha256: str
