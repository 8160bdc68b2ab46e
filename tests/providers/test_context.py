"""What servers say of the context that a model has, each in its own way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from doceo.providers.chat import context_of
from doceo.providers.context import probe

Answers = dict[str, object]


@contextmanager
def server(answers: Answers) -> Iterator[tuple[str, list[str]]]:
    """A server that answers paths with JSON, 404 otherwise; a list is answered one item after the other."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('Authorization', '')}".strip())
            found = answers.get(self.path)
            if isinstance(found, list):
                found = found.pop(0)
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1", asked
    finally:
        running.shutdown()
        running.server_close()


def models(**fields: object) -> Answers:
    return {"data": [{"id": "other", "max_model_len": 1}, {"id": "m", **fields}]}


LOADED = {"models": [{"name": "m:latest", "context_length": 4096}]}


@pytest.mark.parametrize(
    ("kind", "answers", "context"),
    [
        ("vllm", {"/v1/models": models(max_model_len=32768)}, 32768),
        ("vllm", {"/v1/models": models()}, None),
        ("lmstudio", {"/api/v0/models": models(loaded_context_length=4096, max_context_length=131072)}, 4096),
        ("ollama", {"/api/ps": LOADED}, 4096),
        ("ollama", {"/api/ps": [{"models": []}, LOADED], "/api/generate": {"done": True}}, 4096),
        ("ollama", {"/api/ps": {"models": []}}, None),
        ("openai", {"/v1/models": models(max_model_len=8192)}, 8192),
        ("openai", {"/v1/models": models(), "/props": {"default_generation_settings": {"n_ctx": 2048}}}, 2048),
        ("openai", {"/api/ps": LOADED}, 4096),
        ("openai", {}, None),
        ("openai", {"/v1/models": b"<html>", "/props": [1, 2], "/api/ps": {"models": [None, {"name": 3}]}}, None),
        ("vllm", {"/v1/models": models(max_model_len="many")}, None),
        ("vllm", {"/v1/models": {"data": [{"id": "base", "max_model_len": 4096}]}}, 4096),
        (
            "vllm",
            {"/v1/models": {"data": [{"id": "base", "max_model_len": 4096}, {"id": "m", "parent": "base"}]}},
            4096,
        ),
    ],
)
def test_each_server_is_asked_in_its_way(kind: str, answers: Answers, context: int | None) -> None:
    with server(answers) as (address, _):
        assert probe(kind, "m", address) == context


def test_a_key_goes_to_the_address_that_was_named() -> None:
    with server({"/v1/models": models(max_model_len=8192)}) as (address, asked):
        assert context_of("openai:m", address, {"OPENAI_API_KEY": "k"}) == 8192
        assert asked == ["GET /v1/models Bearer k"]


def test_of_several_addresses_the_shortest_context_counts() -> None:
    one, two = {"/v1/models": models(max_model_len=8192)}, {"/v1/models": models(max_model_len=4096)}
    with server(one) as (first, _), server(two) as (second, _):
        assert context_of("openai:m", f"{first},{second}", {}) == 4096


def test_openai_itself_is_not_asked_and_a_dead_address_is_no_error() -> None:
    assert context_of("openai:m", None, {}) is None
    assert probe("vllm", "m", "http://127.0.0.1:9/v1") is None
