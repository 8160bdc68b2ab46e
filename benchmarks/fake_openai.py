"""A stand-in for an OpenAI-compatible server: fixed latency, limited concurrency, faults on purpose.

    python benchmarks/fake_openai.py [--latency 0.2] [--allowed 4] [--fault 429] [--every 3] [--port 0]

Prints its port, then serves 127.0.0.1 until it is killed. It needs `aiohttp` and nothing of Doceo, so that what it
costs is not what is measured.

POST /v1/chat/completions answers after `--latency` seconds. Where the last message holds a <passage>, the reply is
`{"pairs": [...]}` with as many pairs as "Pairs to write: N" asks for, made of the passage's sentences that no question
listed in the message is about; each quotes its sentence word for word. Any other prompt gets its "Question:" line
back in other words. The same request always gets the same reply.

`--allowed N` answers 429 at once while N requests are under way. `--fault` hits every `--every`-th call:

    429         429 with `Retry-After: 1`                 fenced      the JSON between ``` marks
    500         500                                       prose       the JSON with sentences around it
    reset       the connection is cut                     empty       content ""
    slow        the answer takes 10 s more                null        content null
    truncated   the JSON ends in its middle, `length`     badjson     a quotation mark inside a string is not escaped
    duplicates  every pair is the first one

GET /seen returns `{"seen": calls, "answered": 200s, "refused": 429s, "faulty": hit calls, "most": most at once}`;
POST /reset sets the counts to 0. GET /v1/models lists one model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable

from aiohttp import web

FAULTS = (
    "none", "429", "500", "reset", "slow", "truncated", "fenced", "prose", "empty", "null", "badjson", "duplicates",
)  # fmt: skip
SLOW = 10.0
_PASSAGE = re.compile(r"<passage[^>]*>\s*(.*?)\s*</passage>", re.DOTALL)
_NUMBER = re.compile(r"[Ww]rite:? (\d+)")
_QUESTION = re.compile(r"Question: *(.+)")

Reply = dict[str, object]


def pairs_of(asked: str) -> list[dict[str, str]]:
    """Return as many pairs as a prompt asks for, one for each sentence of its passages that nothing asks about yet."""
    number = _NUMBER.search(asked)
    passages = list(_PASSAGE.finditer(asked))
    known = asked[passages[-1].end() :]
    pairs: list[dict[str, str]] = []
    for sentence in re.split(r"(?<=[.!?])\s+|\n{2,}", "\n\n".join(found[1] for found in passages)):
        words = sentence.strip().rstrip(".!?").split()
        if len(words) < 6:
            continue
        question = f"What is stated regarding {' '.join(words[:6])} with respect to {words[-1]}?"
        if question not in known:
            answer = " ".join(words[2:])
            pair = {"question": question, "answer": answer, "quote": sentence.strip(), "kind": "fact"}
            pairs.append({**pair, "difficulty": ("easy", "medium", "hard")[len(words) % 3]})
    return pairs[: int(number[1]) if number else 1]


def text_of(asked: str, fault: str) -> str | None:
    """Return what the model says to the last message, with a fault of its form where one is due."""
    if _PASSAGE.search(asked) is None:
        question = _QUESTION.search(asked)
        sound = "In other words: " + (question[1] if question else "nothing was asked.")
    else:
        pairs = pairs_of(asked)
        sound = json.dumps({"pairs": pairs[:1] * len(pairs) if fault == "duplicates" else pairs}, ensure_ascii=False)
    broken: dict[str, Callable[[], str | None]] = {
        "truncated": lambda: sound[: len(sound) * 2 // 3],
        "fenced": lambda: f"```json\n{sound}\n```",
        "prose": lambda: f"Of course! Here are the pairs.\n\n{sound}\n\nLet me know if you need more.",
        "empty": lambda: "",
        "null": lambda: None,
        "badjson": lambda: sound.replace('"answer": "', '"answer": "so-called "', 1),
    }
    return broken[fault]() if fault in broken else sound


class Server:
    """The server's counts and its three routes."""

    def __init__(self, latency: float, allowed: int | None, fault: str, every: int) -> None:
        self._latency, self._allowed, self._fault, self._every = latency, allowed, fault, every
        self._count: Counter[str] = Counter()
        self._active = 0

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat request."""
        body = await request.json()
        self._count["seen"] += 1
        if self._allowed is not None and self._active >= self._allowed:
            self._count["refused"] += 1
            return failure(429, "Too many requests at once.")
        fault = self._fault if self._count["seen"] % self._every == 0 else "none"
        self._count["faulty"] += fault != "none"
        self._active += 1
        self._count["most"] = max(self._count["most"], self._active)
        try:
            return await self._answer(request, body, fault)
        finally:
            self._active -= 1

    async def _answer(self, request: web.Request, body: dict[str, object], fault: str) -> web.StreamResponse:
        if fault == "429":
            self._count["refused"] += 1
            return failure(429, "Slow down.", {"Retry-After": "1"})
        await asyncio.sleep(self._latency + (SLOW if fault == "slow" else 0.0))
        if fault == "500":
            return failure(500, "Something went wrong.")
        if fault == "reset" and request.transport is not None:
            request.transport.abort()
            return web.Response()
        self._count["answered"] += 1
        messages = body["messages"]
        asked = messages[-1]["content"] if isinstance(messages, list) else ""
        return web.json_response(completion(asked, text_of(asked, fault), str(body["model"]), fault))

    async def seen(self, _request: web.Request) -> web.Response:
        """Return the counts."""
        return web.json_response(
            {name: self._count[name] for name in ("seen", "answered", "refused", "faulty", "most")}
        )

    async def reset(self, _request: web.Request) -> web.Response:
        """Set the counts to 0."""
        self._count.clear()
        return web.json_response({})


def completion(asked: str, text: str | None, model: str, fault: str) -> Reply:
    """Return a chat completion as OpenAI writes it; a token counts as four characters."""
    message = {"role": "assistant", "content": text, "refusal": None}
    finish = "length" if fault == "truncated" else "stop"
    prompt, said = len(asked) // 4 + 1, len(text or "") // 4 + 1
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said},
    }


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return an error as OpenAI writes it."""
    error = {"error": {"message": message, "type": "error", "param": None, "code": None}}
    return web.json_response(error, status=status, headers=headers)


async def models(_request: web.Request) -> web.Response:
    """List the one model."""
    return web.json_response({"object": "list", "data": [{"id": "fake", "object": "model", "created": 1}]})


async def serve(server: Server, port: int) -> None:
    """Serve until the process ends; the port is printed once it accepts connections."""
    app = web.Application(client_max_size=64 * 2**20)
    app.add_routes([web.post("/v1/chat/completions", server.chat), web.get("/v1/models", models)])
    app.add_routes([web.get("/seen", server.seen), web.post("/reset", server.reset)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=2048)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description="A stand-in for an OpenAI-compatible server.")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds that an answer takes")
    parser.add_argument("--allowed", type=int, help="requests at the same time; the others get 429")
    parser.add_argument("--fault", choices=FAULTS, default="none", help="what goes wrong")
    parser.add_argument("--every", type=int, default=3, help="which calls go wrong: each third, by default")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    server = Server(options.latency, options.allowed, options.fault, options.every)
    asyncio.run(serve(server, options.port))


if __name__ == "__main__":
    main()
