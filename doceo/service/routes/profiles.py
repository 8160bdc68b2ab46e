"""`/v1/profiles/me`: what is kept of the caller's owner, to be read, changed and deleted; OpenAI has none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from doceo.app.host import Host
from doceo.core.records import ProfileEntry
from doceo.service.access import Hosted, MayChat
from doceo.service.replies.pages import Deleted
from doceo.service.replies.profiles import EntryReply, ProfileDeleted, ProfileExport, ProfileReply
from rag.profile_rules import EntryKind

router = APIRouter(prefix="/v1/profiles/me", tags=["Profiles"])

Sentence = Annotated[str, Field(min_length=1, max_length=2000)]


class ProfileChanged(BaseModel):
    """Whether the profile is used when the owner's questions are answered."""

    enabled: bool


class EntryWanted(BaseModel):
    """An entry to add: one sentence, for some days or, where none are named, until it is deleted."""

    model_config = ConfigDict(allow_inf_nan=False)

    kind: EntryKind = "fact"
    text: Sentence
    days: float | None = Field(default=None, gt=0, le=36500)


class EntryChanged(BaseModel):
    """The new text of an entry."""

    text: Sentence


@router.get("", responses={200: {"model": ProfileReply}})
def retrieve_profile(host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return the profile."""
    return _shown(host, caller.owner)


@router.patch("", responses={200: {"model": ProfileReply}})
def change_profile(changes: ProfileChanged, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Switch the profile on or off; its entries stay."""
    host.store.profiles.enable(caller.owner, enabled=changes.enabled)
    return _shown(host, caller.owner)


@router.delete("", responses={200: {"model": ProfileDeleted}})
def delete_profile(host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Delete all entries and switch the profile off."""
    gone = host.store.profiles.delete_all(caller.owner)
    return {"id": "me", "object": "profile.deleted", "deleted": True, "entries": gone}


@router.get("/export", responses={200: {"model": ProfileExport}})
def export_profile(host: Hosted, caller: MayChat) -> JSONResponse:
    """Return all that is kept of the profile, as a file to save."""
    headers = {"Content-Disposition": 'attachment; filename="profile.json"', "X-Content-Type-Options": "nosniff"}
    return JSONResponse(host.store.profiles.export(caller.owner), headers=headers)


@router.post("/entries", responses={200: {"model": EntryReply}})
def create_entry(wanted: EntryWanted, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Add an entry; of a name or a style the newest stays."""
    return _entry(host.store.profiles.add(caller.owner, wanted.kind, wanted.text, days=wanted.days))


@router.patch("/entries/{entry_id}", responses={200: {"model": EntryReply}})
def change_entry(entry_id: str, changes: EntryChanged, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Change the text of an entry."""
    return _entry(host.store.profiles.edit(caller.owner, entry_id, changes.text))


@router.delete("/entries/{entry_id}", responses={200: {"model": Deleted}})
def delete_entry(entry_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Delete an entry."""
    host.store.profiles.delete(caller.owner, entry_id)
    return {"id": entry_id, "object": "profile.entry.deleted", "deleted": True}


def _shown(host: Host, owner: str) -> dict[str, Any]:
    entries = [_entry(entry) for entry in host.store.profiles.entries(owner)]
    return {"id": "me", "object": "profile", "enabled": host.store.profiles.enabled(owner), "entries": entries}


def _entry(entry: ProfileEntry) -> dict[str, Any]:
    return {"object": "profile.entry", **entry.model_dump(mode="json")}
