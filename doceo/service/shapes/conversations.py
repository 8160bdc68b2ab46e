"""Conversations and their items as they are asked for and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from doceo.app.store.conversations import Conversation
from doceo.app.store.said import Said
from doceo.core.records import Citation, Message, Turn
from doceo.service.shapes.metadata import Metadata


class Text(BaseModel):
    """A piece of a message; only text is kept."""

    type: Literal["input_text", "output_text", "text"]
    text: str


class MessageItem(BaseModel):
    """A message; of OpenAI's items, no other kind is kept."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Text]

    def said(self) -> Said:
        """Return it as it is stored; `developer` is another word for `system`."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Said(Message(role="system" if self.role == "developer" else self.role, content=text))


Items = Annotated[list[MessageItem], Field(max_length=20)]


class ConversationWanted(BaseModel):
    """A conversation to begin."""

    items: Items | None = None
    metadata: Metadata | None = None


class ConversationChanged(BaseModel):
    """New metadata of a conversation."""

    metadata: Metadata | None


class ItemsWanted(BaseModel):
    """Messages to add."""

    items: Items


def shown_conversation(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation in OpenAI's form, with its title and what it was had over."""
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": int(conversation.created),
        "metadata": conversation.metadata,
        "title": conversation.title,
        "about": conversation.about,
    }


def shown_item(turn: Turn) -> dict[str, Any]:
    """Return a turn in OpenAI's form, with its citations as they were given."""
    content: dict[str, Any] = {"type": "input_text", "text": turn.message.content}
    citations = turn.answer.citations if turn.answer else ()
    if turn.message.role == "assistant":
        annotations = [annotation(turn.message.content, one, turn.files) for one in citations]
        content = {"type": "output_text", "text": turn.message.content, "annotations": annotations, "logprobs": []}
    return {
        "id": turn.id,
        "type": "message",
        "role": turn.message.role,
        "status": "completed",
        "content": [content],
        "created_at": int(turn.created),
        "citations": [cited(citation, turn.files) for citation in citations],
        "refused": turn.refused,
    }


def cited(citation: Citation, files: Mapping[str, str]) -> dict[str, Any]:
    """Return a citation with the id of its file, where it is one of a vector store."""
    file = files.get(citation.source)
    return {**citation.model_dump(mode="json"), **({"file_id": file} if file else {})}


def annotation(text: str, citation: Citation, files: Mapping[str, str]) -> dict[str, Any]:
    """Return a citation as OpenAI's `file_citation`: `index` is where its mark stands in the text.

    A document of a collection of the command line has no other id than its own.
    """
    mark = text.find(f"[{citation.n}]")
    return {
        "type": "file_citation",
        "file_id": files.get(citation.source, citation.document_id),
        "filename": citation.source,
        "index": mark if mark >= 0 else len(text),
    }
