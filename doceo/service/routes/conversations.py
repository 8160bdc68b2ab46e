"""`/v1/conversations`: what was said, kept until its owner deletes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from doceo.app.store.said import missing
from doceo.core.records import Turn
from doceo.service.access import Hosted, MayChat
from doceo.service.paging import Listed, listed
from doceo.service.replies.conversations import ConversationReply, ItemReply
from doceo.service.replies.pages import Deleted, Paged
from doceo.service.shapes.conversations import (
    ConversationChanged,
    ConversationWanted,
    ItemsWanted,
    shown_conversation,
    shown_item,
)

router = APIRouter(prefix="/v1/conversations", tags=["Conversations"])


@router.post("", responses={200: {"model": ConversationReply}})
def create_conversation(wanted: ConversationWanted, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Begin a conversation, with messages where some are given."""
    said, start = [item.said() for item in wanted.items or ()], host.store.conversations.start
    return shown_conversation(start(caller.owner, metadata=wanted.metadata, said=said, ordered=True))


@router.get("", responses={200: {"model": Paged[ConversationReply]}})
def list_conversations(host: Hosted, caller: MayChat, wanted: Listed) -> dict[str, Any]:
    """List the caller's conversations, those begun last first, behind them the command line's. OpenAI has no list."""
    found = host.store.conversations.page(caller.owner, wanted)
    return listed([shown_conversation(one) for one in found.data], more=found.more)


@router.get("/{conversation_id}", responses={200: {"model": ConversationReply}})
def retrieve_conversation(conversation_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return a conversation without its messages."""
    return shown_conversation(host.store.conversations.get(caller.owner, conversation_id))


@router.post("/{conversation_id}", responses={200: {"model": ConversationReply}})
def update_conversation(
    conversation_id: str, changes: ConversationChanged, host: Hosted, caller: MayChat
) -> dict[str, Any]:
    """Change the metadata of a conversation."""
    return shown_conversation(host.store.conversations.describe(caller.owner, conversation_id, changes.metadata or {}))


@router.delete("/{conversation_id}", responses={200: {"model": Deleted}})
def delete_conversation(conversation_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Delete a conversation with its messages, and what the profile holds of them."""
    if not host.store.conversations.delete(caller.owner, conversation_id):
        raise missing(conversation_id)
    return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}


@router.post("/{conversation_id}/items", responses={200: {"model": Paged[ItemReply]}})
def create_items(conversation_id: str, wanted: ItemsWanted, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Add messages."""
    said = [item.said() for item in wanted.items]
    return _page(host.store.conversations.add(caller.owner, conversation_id, said), more=False)


@router.get("/{conversation_id}/items", responses={200: {"model": Paged[ItemReply]}})
def list_items(conversation_id: str, host: Hosted, caller: MayChat, wanted: Listed) -> dict[str, Any]:
    """List the messages, the newest first."""
    host.store.conversations.get(caller.owner, conversation_id)
    found = host.store.conversations.page_of_turns(caller.owner, conversation_id, wanted)
    return _page(found.data, more=found.more)


@router.get("/{conversation_id}/items/{item_id}", responses={200: {"model": ItemReply}})
def retrieve_item(conversation_id: str, item_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return one message."""
    return shown_item(host.store.conversations.turn(caller.owner, conversation_id, item_id))


@router.delete("/{conversation_id}/items/{item_id}", responses={200: {"model": ConversationReply}})
def delete_item(conversation_id: str, item_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Delete one message, and what the profile holds of it; return the conversation."""
    host.store.conversations.remove(caller.owner, conversation_id, item_id)
    return shown_conversation(host.store.conversations.get(caller.owner, conversation_id))


def _page(turns: Sequence[Turn], *, more: bool) -> dict[str, Any]:
    return listed([shown_item(turn) for turn in turns], more=more)
