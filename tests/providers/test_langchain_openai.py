"""LangChain's own package for OpenAI against a real server; skipped where the package is not installed."""

from __future__ import annotations

from typing import Any

import pytest

from doceo.core.errors import AuthenticationFailed, ModelNotFound, ServerFailed, Unreachable
from doceo.core.records import ChatRequest, Message
from doceo.providers.blocking import Blocking
from doceo.providers.chat import open_blocking
from tests.providers.streamed import streamed

pytest.importorskip("langchain_openai")

ASK = ChatRequest(
    messages=(Message(role="user", content="Hello?"),), temperature=0.3, max_tokens=77, seed=5, stop=("END",)
)
FORM = {
    "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False,
}  # fmt: skip


@pytest.fixture
def opened(server: Any, monkeypatch: pytest.MonkeyPatch) -> Blocking:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-secret-key")
    provider = open_blocking("langchain:openai:m", base_url=server.address)
    assert provider.host == f"127.0.0.1:{server.port}"
    return provider


def test_what_is_sent(server: Any, opened: Blocking) -> None:
    reply = opened.complete(ASK)
    assert (reply.text, reply.usage.prompt_tokens, reply.usage.completion_tokens) == ("hello", 100, 10)
    (body,) = server.bodies()
    assert body["messages"] == [{"role": "user", "content": "Hello?"}]
    wanted = {"model": "m", "temperature": 0.3, "max_completion_tokens": 77, "seed": 5, "stop": ["END"]}
    assert wanted.items() <= body.items()


def test_forms_and_what_becomes_of_them(server: Any, opened: Blocking) -> None:
    formed = ASK.model_copy(update={"form": FORM})
    server.script({"text": '{"a": "b"}'}, {"text": '{"a": "b', "finish": "length"})
    assert opened.complete(formed).text == '{"a": "b"}'
    assert (opened.complete(formed).text, opened.complete(formed).finish) == ('{"a": "b', "length")
    asked = server.bodies()[0]["response_format"]["json_schema"]
    assert (asked["strict"], asked["schema"]["properties"], server.bodies()[0]["stop"]) == (
        True,
        FORM["properties"],
        ["END"],
    )
    refusal = {"status": 400, "message": "response_format json_schema is not supported"}
    server.script(refusal, {"status": 400, "message": "m does not support tools"}, {"text": '{"a": "plain"}'})
    assert opened.complete(formed).text == '{"a": "plain"}'
    first, second, third = server.bodies()
    assert ("response_format" in first, "tools" in second) == (True, True)
    assert not {"tools", "response_format"} & set(third)


def test_failures(server: Any, opened: Blocking) -> None:
    server.script({"status": 429, "headers": {"retry-after": "0"}}, {"status": 503}, {"text": "after all"})
    assert opened.complete(ASK).text == "after all"
    assert len(server.seen()) == 3, "no retries but ours"
    for step, kind in (
        ({"status": 401, "message": "wrong key sk-a-secret-key"}, AuthenticationFailed),
        ({"status": 404}, ModelNotFound),
    ):
        server.script(step)
        with pytest.raises(kind) as caught:
            opened.complete(ASK)
        assert "sk-a-secret-key" not in caught.value.message
    assert caught.value.message.startswith(f"127.0.0.1:{server.port} answered 404")


def test_streams(server: Any, opened: Blocking) -> None:
    server.script({"status": 503}, {"text": "<think>hm</think>one two three"})
    pieces, reply = streamed(opened.stream(ASK))
    assert pieces == ["one ", "two ", "three"]
    assert (reply.finish, reply.usage.prompt_tokens, reply.usage.completion_tokens) == ("stop", 100, 10)
    server.script({"status": 400, "message": "stream_options: unknown", "refuse_if": "stream_options", "text": "a b"})
    pieces, reply = streamed(opened.stream(ASK))
    assert (pieces, reply.usage.prompt_tokens) == (["a ", "b"], 0)
    server.script({"text": "a b c d", "break_after": 2})
    with pytest.raises((ServerFailed, Unreachable)):
        list(opened.stream(ASK))
