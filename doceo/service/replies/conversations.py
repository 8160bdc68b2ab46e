"""Conversations and their items."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from doceo.service.replies.citations import CitationReply


class ConversationReply(BaseModel):
    """A conversation without its messages; `title` and `about` are Doceo's own."""

    id: str
    object: Literal["conversation"]
    created_at: int
    metadata: dict[str, str]
    title: str
    about: str


class FileCitationReply(BaseModel):
    """A citation in OpenAI's form; `index` is where its mark stands in the text."""

    type: Literal["file_citation"]
    file_id: str
    filename: str
    index: int


class InputTextReply(BaseModel):
    """What was said to the model."""

    type: Literal["input_text"]
    text: str


class OutputTextReply(BaseModel):
    """What the model said."""

    type: Literal["output_text"]
    text: str
    annotations: list[FileCitationReply]
    logprobs: list[None]


class ItemReply(BaseModel):
    """A message of a conversation; `citations` and `refused` are Doceo's own."""

    id: str
    type: Literal["message"]
    role: Literal["system", "user", "assistant"]
    status: Literal["completed"]
    content: list[InputTextReply | OutputTextReply]
    created_at: int
    citations: list[CitationReply]
    refused: bool
