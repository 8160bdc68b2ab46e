"""A model in this process for many callers on an event loop, generated for together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from doceo.core.errors import ProviderError
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.local_batches import Piece, Row

if TYPE_CHECKING:
    from doceo.providers.local_hf import LocalModel


class AsyncLocal:
    """An `AsyncRemote` over a local model; models over the same weights share their batches.

    Args:
        model: The model.
    """

    host = ""

    def __init__(self, model: LocalModel) -> None:
        self.name, self._model = model.name, model

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises RequestRejected where the prompt is too long, ModelBusy, ServerFailed."""
        async with aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    return piece
        raise AssertionError("a stream ends with the reply, or raises")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the reply piece by piece, then whole. Raises as above; leaving early ends its generation."""
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[Piece] = asyncio.Queue()

        def take(piece: Piece) -> None:
            if not row.left.is_set():
                try:
                    loop.call_soon_threadsafe(arrived.put_nowait, piece)
                except RuntimeError:  # the loop is closed: nobody waits any more
                    row.left.set()

        row: Row = await asyncio.to_thread(self._model.row, request, take)
        self._model.batches.add(row)
        try:
            while True:
                piece = await arrived.get()
                if isinstance(piece, ProviderError):
                    raise piece
                yield piece
                if isinstance(piece, ChatReply):
                    return
        finally:
            row.left.set()

    async def aclose(self) -> None:
        """Do nothing: the model keeps no connection."""
