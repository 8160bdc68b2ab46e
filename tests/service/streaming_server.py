"""An OpenAI-compatible server that streams word by word, slowly, and knows who has left."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web


class StreamingServer:
    """What it was asked, and how far it came.

    Attributes:
        address: With its `/v1`.
        bodies: The requests, in order.
        sent: Words that were sent of each.
        words: What it says.
        pause: Seconds between two words; models called `slow` take 20 times as long.
        fail_after: Words after which the connection breaks; None: never.
        adapters: LoRA adapters that it was told of, by name.
        forbidden: Parts of a request that it refuses with 400.
        finish: Why it stops; empty: `stop`, or `length` where it had to.
    """

    def __init__(self) -> None:
        self.address = ""
        self.bodies: list[dict[str, Any]] = []
        self.sent: list[int] = []
        self.words = "It was opened in 1902 [1]."
        self.pause = 0.0
        self.fail_after: int | None = None
        self.adapters: dict[str, str] = {}
        self.forbidden: set[str] = set()
        self.finish = ""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat request, as a stream where one is wanted."""
        body = await request.json()
        at = len(self.bodies)
        self.bodies.append(body)
        self.sent.append(0)
        if body["model"].startswith("ft:") and body["model"] not in self.adapters:
            return _error(404, f"The model `{body['model']}` does not exist.")
        if wrong := self.forbidden.intersection(body):
            return _error(400, f"Unsupported parameter: {min(wrong)}")
        words = [word + " " for word in self.words.split(" ")]
        words[-1] = words[-1].rstrip()
        words = words[: body.get("max_tokens", 100)]
        finish = self.finish or ("length" if len(words) < len(self.words.split(" ")) else "stop")
        usage = {"prompt_tokens": 1200, "completion_tokens": len(words), "total_tokens": 1200 + len(words)}
        usage |= {"prompt_tokens_details": {"cached_tokens": 32}}
        head = {"id": "c", "created": 1, "model": body["model"]}
        if not body.get("stream"):
            message = {"role": "assistant", "content": "".join(words), "refusal": None}
            choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
            return web.json_response({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)

        async def send(**more: Any) -> None:
            await reply.write(f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', **more})}\n\n".encode())

        pause = self.pause * (20 if "slow" in body["model"] else 1)
        for word in words:
            if self.fail_after is not None and self.sent[at] >= self.fail_after:
                assert request.transport is not None
                request.transport.abort()
                return reply
            await send(choices=[{"index": 0, "delta": {"content": word}, "finish_reason": None}])
            self.sent[at] += 1
            await asyncio.sleep(pause)
        await send(choices=[{"index": 0, "delta": {}, "finish_reason": finish}])
        await send(choices=[], usage=usage)
        await reply.write(b"data: [DONE]\n\n")
        return reply

    async def load(self, request: web.Request) -> web.Response:
        """Take an adapter, as vLLM's documentation says."""
        body = await request.json()
        if body["lora_name"] in self.adapters:
            return _error(400, f"The lora adapter '{body['lora_name']}' has already been loaded.")
        self.adapters[body["lora_name"]] = body["lora_path"]
        return web.Response(text=f"Success: LoRA adapter '{body['lora_name']}' added successfully.")

    async def unload(self, request: web.Request) -> web.Response:
        """Forget an adapter."""
        body = await request.json()
        if self.adapters.pop(body["lora_name"], None) is None:
            return _error(404, f"The lora adapter '{body['lora_name']}' cannot be found.")
        return web.Response(text=f"Success: LoRA adapter '{body['lora_name']}' removed successfully.")


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "x", "param": None, "code": status}}, status=status)


@contextmanager
def started() -> Iterator[StreamingServer]:
    """Run a server in a thread."""
    server, loop, ready = StreamingServer(), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", server.chat)])
        app.add_routes([web.post("/v1/load_lora_adapter", server.load)])
        app.add_routes([web.post("/v1/unload_lora_adapter", server.unload)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
        server.address = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    assert ready.wait(10)
    yield server
    loop.call_soon_threadsafe(loop.stop)
