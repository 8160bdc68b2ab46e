"""`/v1/conversations`: what was said, kept until its owner deletes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from doceo.app.store.said import missing
from doceo.core.errors import NotFound
from doceo.core.records import Turn
from doceo.service.access import Hosted, MayChat
from doceo.service.paging import Listed, listed, sliced
from doceo.service.shapes.conversations import (
    ConversationChanged,
    ConversationWanted,
    ItemsWanted,
    shown_conversation,
    shown_item,
)

router = APIRouter(prefix="/v1/conversations", tags=["Conversations"])


@router.post("")
def create_conversation(wanted: ConversationWanted, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Begin a conversation, with messages where some are given."""
    kept = host.store.conversations
    begun = kept.start(caller.owner, metadata=wanted.metadata)
    if wanted.items:
        kept.add(caller.owner, begun.id, [item.said() for item in wanted.items])
    return shown_conversation(kept.get(caller.owner, begun.id))


@router.get("")
def list_conversations(host: Hosted, caller: MayChat, wanted: Listed) -> dict[str, Any]:
    """List the caller's conversations, the latest first. OpenAI has no such list."""
    found = sliced(host.store.conversations.all(caller.owner)[::-1], lambda one: one.id, wanted)
    return listed([shown_conversation(one) for one in found.data], more=found.more)


@router.get("/{conversation_id}")
def retrieve_conversation(conversation_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return a conversation without its messages."""
    return shown_conversation(host.store.conversations.get(caller.owner, conversation_id))


@router.post("/{conversation_id}")
def update_conversation(
    conversation_id: str, changes: ConversationChanged, host: Hosted, caller: MayChat
) -> dict[str, Any]:
    """Change the metadata of a conversation."""
    return shown_conversation(host.store.conversations.describe(caller.owner, conversation_id, changes.metadata or {}))


@router.delete("/{conversation_id}")
def delete_conversation(conversation_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Delete a conversation with its messages, and what the profile holds of them."""
    if not host.store.conversations.delete(caller.owner, conversation_id):
        raise missing(conversation_id)
    return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}


@router.post("/{conversation_id}/items")
def create_items(conversation_id: str, wanted: ItemsWanted, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Add messages."""
    said = [item.said() for item in wanted.items]
    return _page(host.store.conversations.add(caller.owner, conversation_id, said), more=False)


@router.get("/{conversation_id}/items")
def list_items(conversation_id: str, host: Hosted, caller: MayChat, wanted: Listed) -> dict[str, Any]:
    """List the messages, the newest first."""
    host.store.conversations.get(caller.owner, conversation_id)
    found = sliced(host.store.conversations.turns(caller.owner, conversation_id), lambda turn: turn.id, wanted)
    return _page(found.data, more=found.more)


@router.get("/{conversation_id}/items/{item_id}")
def retrieve_item(conversation_id: str, item_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return one message."""
    for turn in host.store.conversations.turns(caller.owner, conversation_id):
        if turn.id == item_id:
            return shown_item(turn)
    raise NotFound(f"There is no item {item_id[:80]!r} in this conversation.", hint="Its items are at /items.")


@router.delete("/{conversation_id}/items/{item_id}")
def delete_item(conversation_id: str, item_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Delete one message, and what the profile holds of it; return the conversation."""
    host.store.conversations.remove(caller.owner, conversation_id, item_id)
    return shown_conversation(host.store.conversations.get(caller.owner, conversation_id))


def _page(turns: Sequence[Turn], *, more: bool) -> dict[str, Any]:
    return listed([shown_item(turn) for turn in turns], more=more)
