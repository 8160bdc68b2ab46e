"""A GGUF file as a chat model in this process, through llama.cpp: on a CPU several times as fast as transformers."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from doceo.core.errors import RequestRejected
from doceo.core.records import ChatReply, ChatRequest, Message, Usage
from doceo.providers.chat_turns import DATE, written
from doceo.providers.llama_server import LlamaServer
from doceo.providers.local_stream import stripped
from doceo.providers.local_weights import Size
from doceo.text.thinking import pieces_without_thinking, without_thinking


class GgufModel:
    """A `Provider` over a GGUF file, asked in the words in which `LocalModel` asks. Safe for threads.

    A reply to `complete` depends on its request alone; `stream`, which serves conversations, goes on from the turns
    that llama.cpp still holds. A JSON schema in a request is kept to, token by token.

    Args:
        path: The file.
        name: How the model is called; left out, `gguf:` and the path.
        context: Most tokens that prompt and answer may have together; less where the model reads less.

    Raises:
        ModelNotFound: There is no such file.
        ProviderError: llama.cpp cannot open it.
        MissingExtra: The package `xllamacpp` is not installed.
    """

    def __init__(self, path: str | Path, name: str | None = None, *, context: int = 8192) -> None:
        self.name = name or f"gguf:{path}"
        self._path = Path(path).expanduser()
        self._server = LlamaServer(self._path, context=context)

    def size(self) -> Size:
        """Return what the file takes."""
        return Size(None, self._path.stat().st_size, 0, None)

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self._server.context

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the tokens of a prompt, with the chat template's own."""
        return len(self._encode(messages))

    def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises RequestRejected where the prompt is longer than the model can read."""
        start = time.perf_counter()
        reply = self._server.complete({**self._body(request), "cache_prompt": False})
        text = without_thinking(reply["choices"][0]["text"]).strip()
        return _whole(text, reply, time.perf_counter() - start)

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        """Yield the reply piece by piece, then whole. Raises RequestRejected; leaving early stops the generation."""
        start, said = time.perf_counter(), ""
        last: dict[str, Any] = {}
        with closing(_chunks(self._server, self._body(request))) as chunks:

            def texts() -> Iterator[str]:
                for chunk in chunks:
                    last.update(chunk)
                    yield chunk["choices"][0]["text"]

            for piece in pieces_without_thinking(stripped(texts())):
                said += piece
                yield piece
        if "usage" in last:
            yield _whole(said, last, time.perf_counter() - start)

    def close(self) -> None:
        """Give the memory back."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _body(self, request: ChatRequest) -> dict[str, object]:
        """Return a request in llama.cpp's words: plain sampling from the whole distribution, or none."""
        ids = self._encode(request.messages)
        room = self.context - len(ids)
        if room < 1:
            raise RequestRejected(
                f"The prompt has {len(ids)} tokens; {self.name} can read {self.context}, answer included.",
                hint="Ask with fewer or shorter passages, or choose a model with a longer context.",
            )
        body: dict[str, object] = {
            "prompt": ids,
            "max_tokens": min(request.max_tokens, room),
            "temperature": request.temperature,
            "top_k": 0,
            "top_p": request.top_p,
            "min_p": 0.0,
            "presence_penalty": request.presence_penalty,
            "frequency_penalty": request.frequency_penalty,
            "stop": list(request.stop),
        }
        if request.seed is not None:
            body["seed"] = request.seed
        if request.form is not None:
            body["json_schema"] = request.form or {"type": "object"}
        return body

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        from jinja2 import TemplateError

        turns = [message.model_dump() for message in messages]
        try:
            text = written(lambda given: self._server.prompt(given, date_string=DATE), turns)
        except TemplateError as error:
            raise RequestRejected(
                f"The chat template of {self.name} refuses these messages: {error}",
                hint="Some templates allow no system message, or want user and assistant in turn.",
            ) from error
        return self._server.tokens(text)


def _whole(text: str, told: dict[str, Any], seconds: float) -> ChatReply:
    """Return a reply of which llama.cpp's own, or its last chunk, tells the end and the tokens."""
    counted = told["usage"]
    usage = Usage(
        prompt_tokens=counted["prompt_tokens"],
        completion_tokens=counted["completion_tokens"],
        cached_tokens=counted.get("prompt_tokens_details", {}).get("cached_tokens", 0),
        cost=0.0,
        seconds=seconds,
    )
    finish = "length" if told["choices"][0]["finish_reason"] == "length" else "stop"
    return ChatReply(text=text, finish=finish, usage=usage)


def _chunks(server: LlamaServer, body: dict[str, object]) -> Generator[dict[str, Any], None, None]:
    """Yield the parts of a reply as they come; llama.cpp works in a thread that ends with this generator."""
    arrived: queue.SimpleQueue[dict[str, Any] | RequestRejected | None] = queue.SimpleQueue()
    left = threading.Event()

    def take(chunk: dict[str, Any]) -> bool:
        arrived.put(chunk)
        return left.is_set()

    def run() -> None:
        try:
            server.stream(body, take)
        except RequestRejected as error:
            arrived.put(error)
        finally:
            arrived.put(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while (chunk := arrived.get()) is not None:
            if isinstance(chunk, RequestRejected):
                raise chunk
            yield chunk
    finally:
        left.set()
        thread.join()
