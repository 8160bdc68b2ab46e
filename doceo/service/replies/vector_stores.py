"""Vector stores, their files, batches of these, and what a search finds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from doceo.core.records import Arm, Span

Status = Literal["in_progress", "completed", "failed", "cancelled"]
Attributes = dict[str, str | bool | int | float]


class FileCountsReply(BaseModel):
    """How many files are in which state."""

    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int


class ExpiryReply(BaseModel):
    """When a store expires: days after its last use."""

    anchor: Literal["last_active_at"]
    days: int


class VectorStoreReply(BaseModel):
    """A vector store, or a collection of the command line."""

    id: str
    object: Literal["vector_store"]
    created_at: int
    name: str
    usage_bytes: int
    file_counts: FileCountsReply
    status: Literal["expired", "in_progress", "completed"]
    expires_after: ExpiryReply | None
    expires_at: int | None
    last_active_at: int
    metadata: dict[str, str]


class ReadErrorReply(BaseModel):
    """Why a file is not in the index."""

    code: Literal["unsupported_file", "invalid_file", "server_error"]
    message: str


class ChunkingReply(BaseModel):
    """How a file is cut: as the service does."""

    type: Literal["other"]


class StoreFileReply(BaseModel):
    """A file of a vector store; `source` is what it is called in citations."""

    id: str
    object: Literal["vector_store.file"]
    created_at: int
    usage_bytes: int
    vector_store_id: str
    status: Status
    last_error: ReadErrorReply | None
    attributes: Attributes
    chunking_strategy: ChunkingReply
    source: str


class TextReply(BaseModel):
    """A piece of text."""

    type: Literal["text"]
    text: str


class StoreFileContentReply(BaseModel):
    """The text that was read from a file."""

    object: Literal["vector_store.file_content.page"]
    data: list[TextReply]
    has_more: Literal[False]
    next_page: None


class PassageReply(BaseModel):
    """What a search found: OpenAI's fields, and where exactly it stands."""

    file_id: str
    filename: str
    score: float
    attributes: Attributes
    content: list[TextReply]
    title: str
    source: str
    chunk_id: str
    heading_path: list[str]
    page: int | None
    span: Span
    arms: dict[str, Arm]
    flags: list[str]


class SearchReply(BaseModel):
    """What a search found, best first."""

    object: Literal["vector_store.search_results.page"]
    search_query: list[str]
    data: list[PassageReply]
    has_more: Literal[False]
    next_page: None


class BatchReply(BaseModel):
    """Files that were attached together."""

    id: str
    object: Literal["vector_store.files_batch"]
    created_at: int
    vector_store_id: str
    status: Status
    file_counts: FileCountsReply
