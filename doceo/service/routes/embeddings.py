"""`/v1/embeddings`: vectors of texts, from the embedder that the indexes are made with."""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from doceo.app.host import Host
from doceo.core.access import Caller
from doceo.service.access import Hosted, Needs
from doceo.service.admission import Admitted
from doceo.service.embedding import embedder_of, name_of
from doceo.service.leaving import ClientLeft, while_there
from doceo.service.meter import Meter, Metered
from doceo.service.refusals import Refusal
from doceo.service.replies.models import EmbeddingsReply

router = APIRouter(prefix="/v1/embeddings", tags=["Embeddings"])

MOST_INPUTS = 2048
"""Texts of one request, as at OpenAI."""
_LONGEST = 32_768
"""Characters of a text: one without spaces is a single token, however long it is."""
_AT_ONCE = 32
"""Texts that are embedded before somebody else's have their turn."""

Reader = Annotated[Caller, Depends(Needs("chat", "ingest"))]


class EmbeddingRequest(BaseModel):
    """What is read of a request; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(max_length=512)
    input: str | list[str] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = None


@router.post("", response_model=None, responses={200: {"model": EmbeddingsReply}})
async def embed(
    asked: EmbeddingRequest, request: Request, host: Hosted, caller: Reader, meter: Metered, admission: Admitted
) -> Response:
    """Return a vector of length 1 for each text."""
    if asked.model != name_of(host):
        message = f"The model {asked.model[:200]!r} is no embedder of this service; {name_of(host)} is."
        raise Refusal(404, message, code="model_not_found", param="model")
    texts = _texts(asked)
    with admission.enter(request).held():
        try:
            tokens, data = await while_there(request, _embedded(host, asked, texts, meter))
        except ClientLeft:
            return Response(status_code=499)  # nobody reads it
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse({"object": "list", "data": data, "model": asked.model, "usage": usage})


async def _embedded(
    host: Host, asked: EmbeddingRequest, texts: list[str], meter: Meter
) -> tuple[int, list[dict[str, object]]]:
    """Return the tokens of all texts and their vectors; who leaves before the end has used the tokens too."""
    loop, pool = asyncio.get_running_loop(), host.assistants.pool
    tokens = await loop.run_in_executor(pool, _counted, host, texts)
    data: list[dict[str, object]] = []
    try:
        for at in range(0, len(texts), _AT_ONCE):
            vectors = await loop.run_in_executor(pool, _vectors, host, texts[at : at + _AT_ONCE])
            data += [_embedding(at + n, vector, asked.encoding_format) for n, vector in enumerate(vectors)]
    finally:
        meter.used(asked.model, tokens, 0, operation="embeddings")
    return tokens, data


def _texts(asked: EmbeddingRequest) -> list[str]:
    """Return the texts of a request. Raises Refusal (400)."""
    if asked.dimensions is not None:
        raise _wrong("dimensions", "The vectors of this model have one length, which cannot be chosen.")
    given = [asked.input] if isinstance(asked.input, str) else list(asked.input)
    if any(not isinstance(one, str) for one in given):
        raise _wrong("input", "Texts are embedded here, not the tokens of another model.")
    texts = [str(one) for one in given]
    if not 1 <= len(texts) <= MOST_INPUTS:
        raise _wrong("input", f"There are 1 to {MOST_INPUTS} texts in a request.")
    if "" in texts:
        raise _wrong("input", f"Text {texts.index('')} is empty.")
    long = next((at for at, text in enumerate(texts) if len(text) > _LONGEST), None)
    if long is not None:
        raise _wrong("input", f"Text {long} has more than {_LONGEST} characters.")
    return texts


def _counted(host: Host, texts: list[str]) -> int:
    """Return the tokens of all texts. Raises Refusal (400) for one that is too long."""
    embedder, total = embedder_of(host), 0
    for at, text in enumerate(texts):
        count = len(embedder.offsets(text))
        if count > embedder.max_tokens:
            message = f"Text {at} has {count} tokens; {embedder.name} reads {embedder.max_tokens}."
            raise _wrong("input", message)
        total += count
    return total


def _vectors(host: Host, texts: list[str]) -> Any:  # noqa: ANN401 - an array of numpy
    return embedder_of(host).embed(texts)


def _embedding(index: int, vector: Any, form: str | None) -> dict[str, object]:  # noqa: ANN401 - as above
    little = np.asarray(vector, dtype="<f4")
    shown: object = base64.b64encode(little.tobytes()).decode() if form == "base64" else little.tolist()
    return {"object": "embedding", "index": index, "embedding": shown}


def _wrong(param: str, message: str) -> Refusal:
    return Refusal(400, message, code="invalid_value", param=param)
