"""A stand-in for a model's server that streams: so many tokens, evenly over so many seconds.

    python benchmarks/fake_stream.py [--seconds 0.2] [--tokens 20]

Prints its port, then serves 127.0.0.1 until it is killed. The first token comes at once. It needs `aiohttp` and nothing
of Doceo. The answer is made of words of the first passage, which it cites.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re

from aiohttp import web

_PASSAGE = re.compile(r"\[1\]\s*(?:<<<\w+)?\s*(.*?)(?:\n\n\[2\]|\Z)", re.DOTALL)


def lines(asked: str, tokens: int) -> list[bytes]:
    """Return the events of an answer: words of the first passage, and its number."""
    passage = _PASSAGE.search(asked)
    said = passage[1].partition("\n")[2].split() if passage else []
    said = (said + ["word"] * tokens)[: tokens - 1]
    words = [f"{word} " for word in said] + ["[1]."]
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
    found = [{"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in words]
    found.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": 900, "completion_tokens": tokens, "total_tokens": 900 + tokens}
    found.append({"choices": [], "usage": usage})
    return [f"data: {json.dumps({**head, **one})}\n\n".encode() for one in found]


def app(seconds: float, tokens: int) -> web.Application:
    """Return the application."""

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        events = lines(body["messages"][-1]["content"], tokens)
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        for event in events[:-2]:
            await reply.write(event)
            await asyncio.sleep(seconds / tokens)
        await reply.write(b"".join(events[-2:]) + b"data: [DONE]\n\n")
        return reply

    found = web.Application(client_max_size=2**24)
    found.add_routes([web.post("/v1/chat/completions", chat)])
    return found


async def serve(application: web.Application) -> None:
    """Serve until the process ends."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description="A stand-in for a model's server that streams.")
    parser.add_argument("--seconds", type=float, default=0.2, help="seconds that an answer takes")
    parser.add_argument("--tokens", type=int, default=20, help="tokens of an answer")
    options = parser.parse_args()
    asyncio.run(serve(app(options.seconds, options.tokens)))


if __name__ == "__main__":
    main()
