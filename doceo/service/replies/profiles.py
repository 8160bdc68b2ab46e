"""The profile and its entries."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from doceo.core.records import ProfileEntry
from doceo.service.replies.pages import Deleted


class EntryReply(ProfileEntry):
    """An entry of the profile."""

    object: Literal["profile.entry"]


class ProfileReply(BaseModel):
    """The profile: whether it is used, and its entries."""

    id: Literal["me"]
    object: Literal["profile"]
    enabled: bool
    entries: list[EntryReply]


class ProfileDeleted(Deleted):
    """A profile that was deleted, with how many entries went."""

    entries: int


class ProfileExport(BaseModel):
    """All that is kept of a profile."""

    enabled: bool
    entries: list[ProfileEntry]
