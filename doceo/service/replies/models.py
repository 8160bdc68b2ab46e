"""Models, and the vectors of the embedder."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class ModelReply(BaseModel):
    """A model that can be asked; `created` is 0 where nobody knows."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: Literal["doceo"]


class ModelsReply(BaseModel):
    """All models that the caller may ask."""

    object: Literal["list"]
    data: list[ModelReply]


class EmbeddingReply(BaseModel):
    """The vector of a text: numbers, or in base64 the bytes of 32-bit floats, the lowest byte first."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    """Tokens of all texts."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsReply(BaseModel):
    """The vectors of texts, in the order of the texts."""

    object: Literal["list"]
    data: list[EmbeddingReply]
    model: str
    usage: EmbeddingUsage
