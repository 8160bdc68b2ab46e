"""Vector stores and their files as they are asked for and shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from doceo.app.store.attachments import Attachment
from doceo.app.store.vector_stores import FileCounts, VectorStore
from doceo.core.records import Passage
from doceo.service.shapes.filters import Filter
from doceo.service.shapes.metadata import Attributes, Changed, Metadata

Words = Annotated[str, Field(min_length=1, max_length=8192)]
_MOST_FILES = 2000


class ExpiresAfter(BaseModel):
    """When a store expires: days after its last use."""

    anchor: Literal["last_active_at"]
    days: int = Field(ge=1, le=365)


class Chunking(BaseModel):
    """How files are cut: as the service does."""

    type: Literal["auto", "other"]
    """Passages are cut at paragraphs and headings to what the embedder can read; no other size can be chosen."""


class StoreWanted(BaseModel):
    """A vector store to make."""

    name: str = Field(default="", max_length=512)
    file_ids: list[str] = Field(default=[], max_length=_MOST_FILES)
    metadata: Metadata | None = None
    expires_after: ExpiresAfter | None = None
    chunking_strategy: Chunking | None = None


class StoreChanged(Changed):
    """What is to be changed of a vector store."""

    name: Annotated[str, Field(max_length=512)] | None = None
    metadata: Metadata | None = None
    expires_after: ExpiresAfter | None = None

    def values(self) -> dict[str, Any]:
        """Return the changes as the store takes them."""
        given = self.given()
        changes: dict[str, Any] = {name: given[name] for name in ("name",) if given.get(name) is not None}
        if "metadata" in given:
            changes["metadata"] = self.metadata or {}
        if "expires_after" in given:
            changes["expires_days"] = self.expires_after.days if self.expires_after else None
        return changes


class FileWanted(BaseModel):
    """A file to attach."""

    file_id: str
    attributes: Attributes | None = None
    chunking_strategy: Chunking | None = None


class AttributesChanged(BaseModel):
    """New attributes of a file."""

    attributes: Attributes | None


class BatchWanted(BaseModel):
    """Files to attach together: `file_ids`, all with the same attributes, or `files`, each with its own."""

    file_ids: list[str] = Field(default=[], max_length=_MOST_FILES)
    files: list[FileWanted] = Field(default=[], max_length=_MOST_FILES)
    attributes: Attributes | None = None
    chunking_strategy: Chunking | None = None

    def wanted(self) -> list[FileWanted]:
        """Return every file once, the last of those named twice."""
        all_alike = [FileWanted(file_id=file, attributes=self.attributes) for file in self.file_ids]
        return list({one.file_id: one for one in (*all_alike, *self.files)}.values())


class HybridSearch(BaseModel):
    """How much vectors and words count against each other."""

    model_config = ConfigDict(allow_inf_nan=False)

    embedding_weight: float = Field(ge=0)
    text_weight: float = Field(ge=0)

    def dense_weight(self) -> float | None:
        """Return the share of the vectors; None where both are 0."""
        both = self.embedding_weight + self.text_weight
        return self.embedding_weight / both if both else None


class Ranking(BaseModel):
    """How passages are put in order, and which are good enough."""

    model_config = ConfigDict(allow_inf_nan=False)

    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: float = Field(default=0.0, ge=0, le=1)
    hybrid_search: HybridSearch | None = None


class SearchWanted(BaseModel):
    """A search. `rewrite_query` is taken and changes nothing: there is no model here that could do it."""

    query: Words | Annotated[list[Words], Field(min_length=1, max_length=16)]
    filters: Filter | None = None
    max_num_results: int = Field(default=10, ge=1, le=50)
    ranking_options: Ranking = Ranking()
    rewrite_query: bool = False

    def queries(self) -> list[str]:
        """Return the wordings."""
        return [self.query] if isinstance(self.query, str) else self.query


def shown_store(store: VectorStore, *, expired: bool) -> dict[str, Any]:
    """Return a store in OpenAI's form."""
    ready = "in_progress" if store.counts.in_progress else "completed"
    days = store.expires_days
    return {
        "id": store.id,
        "object": "vector_store",
        "created_at": int(store.created),
        "name": store.name,
        "usage_bytes": store.bytes,
        "file_counts": shown_counts(store.counts),
        "status": "expired" if expired else ready,
        "expires_after": None if days is None else {"anchor": "last_active_at", "days": days},
        "expires_at": None if store.expires is None else int(store.expires),
        "last_active_at": int(store.used),
        "metadata": store.metadata,
    }


def shown_counts(counts: FileCounts) -> dict[str, int]:
    """Return counts in OpenAI's form."""
    return {**counts.model_dump(), "total": counts.total}


def shown_file(row: Attachment) -> dict[str, Any]:
    """Return a file of a store in OpenAI's form, with the name that it has in citations."""
    return {
        "id": row.file,
        "object": "vector_store.file",
        "created_at": int(row.created),
        "usage_bytes": row.bytes,
        "vector_store_id": row.store,
        "status": row.status,
        "last_error": None if row.error is None else row.error.model_dump(),
        "attributes": row.attributes,
        "chunking_strategy": {"type": "other"},
        "source": row.source,
    }


def shown_passage(passage: Passage, row: Attachment) -> dict[str, Any]:
    """Return what a search found in OpenAI's form, with where exactly it stands."""
    hit = passage.hit
    return {
        "file_id": row.file,
        "filename": row.source.rsplit("/", 1)[-1],
        "score": hit.score,
        "attributes": row.attributes,
        "content": [{"type": "text", "text": passage.text}],
        "title": passage.title,
        "source": row.source,
        **hit.model_dump(mode="json", include={"chunk_id", "heading_path", "page", "span", "arms", "flags"}),
    }
