"""An adapter that a vLLM server is told of at run time, and that answers there under its own name.

The calls are those of vLLM's documentation ("LoRA adapters", dynamic serving), which needs
VLLM_ALLOW_RUNTIME_LORA_UPDATING=true there: POST /v1/load_lora_adapter {"lora_name", "lora_path"} and POST
/v1/unload_lora_adapter {"lora_name"}. The path is read by the server: it has to see the folder under it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import httpx

from doceo.core.errors import ModelNotFound, ServerFailed, Unreachable
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.remote import AsyncRemote, is_loopback

_SECONDS = 60.0
"""Time that loading an adapter may take."""


class VllmAdapter:
    """An `AsyncRemote` behind which an adapter is loaded when it is first asked, and again where vLLM has forgotten it.

    Args:
        remote: The model at the server, under the adapter's name. Used from one event loop.
        address: The server's address, with its `/v1`.
        name: The adapter's name there.
        folder: Its folder, as the server sees it.
    """

    def __init__(self, remote: AsyncRemote, address: str, name: str, folder: Path) -> None:
        self.name = remote.name
        self._remote, self._address, self._adapter, self._folder = remote, address.rstrip("/"), name, folder
        self._loaded, self._loading = False, asyncio.Lock()

    @property
    def host(self) -> str:
        """The host that receives the text."""
        return self._remote.host

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises ProviderError."""
        await self._load()
        try:
            return await self._remote.complete(request)
        except ModelNotFound:
            await self._load(again=True)
            return await self._remote.complete(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the reply piece by piece, then whole. Raises ProviderError."""
        await self._load()
        for last in (False, True):
            try:
                async with aclosing(self._remote.stream(request)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ModelNotFound:  # before the first piece: the server was started anew
                if last:
                    raise
                await self._load(again=True)

    async def aclose(self) -> None:
        """Close the connections; the adapter stays loaded."""
        await self._remote.aclose()

    async def _load(self, *, again: bool = False) -> None:
        async with self._loading:
            if not self._loaded or again:
                await load(self._address, self._adapter, self._folder)
                self._loaded = True


async def load(address: str, name: str, folder: Path) -> None:
    """Tell a server of an adapter; one that it has already is no error. Raises Unreachable, ServerFailed."""
    body = {"lora_name": name, "lora_path": str(folder.resolve())}
    status, said = await _post(f"{address.rstrip('/')}/load_lora_adapter", body)
    if status >= 400 and "already" not in said:
        raise ServerFailed(
            f"{address} cannot load {name}: {status} {said}",
            hint="vLLM needs --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=true, and has to see the folder.",
            retryable=False,
        )


async def unload(address: str, name: str) -> None:
    """Have a server forget an adapter; one that it does not have is no error. Raises Unreachable, ServerFailed."""
    status, said = await _post(f"{address.rstrip('/')}/unload_lora_adapter", {"lora_name": name})
    if status >= 400 and status != 404 and "not" not in said:
        raise ServerFailed(f"{address} cannot unload {name}: {status} {said}", hint="Look at the server's log.")


async def _post(url: str, body: dict[str, str]) -> tuple[int, str]:
    trusting = not is_loopback(httpx.URL(url).netloc.decode())
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=trusting, follow_redirects=False) as client:
            reply = await client.post(url, json=body)
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{url} cannot be reached: {str(error) or type(error).__name__}.", hint="Check that vLLM runs there."
        ) from error
    return reply.status_code, " ".join(reply.text.split())[:300]
