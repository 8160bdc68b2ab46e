from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doceo.core.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    ReplyInvalid,
    RequestRejected,
    ServerFailed,
    Unreachable,
    UsageError,
)
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.providers.blocking import Blocking
from doceo.providers.openai_chat import OpenAIChat
from tests.providers.streamed import streamed

ASK = ChatRequest(messages=(Message(role="user", content="Say JSON."),))
FORM = ASK.model_copy(update={"form": {"type": "object", "properties": {}, "additionalProperties": False}})


Chat = Callable[..., Blocking]


@pytest.fixture
def chat() -> Iterator[Chat]:
    """Open a model at a server's address; asked synchronously, as most of the program does, and closed at the end."""
    opened: list[Blocking] = []

    def open_it(server: Any, **options: Any) -> Blocking:
        address = server if isinstance(server, str) else server.address
        opened.append(Blocking(OpenAIChat("m", address, "sk-secret", **options)))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def test_reply_with_usage_and_host(chat: Chat, server: Any) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 7,
        "total_tokens": 107,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    server.script({"text": "hello", "usage": usage})
    provider = chat(server)
    reply = provider.complete(ASK)
    assert (reply.text, reply.finish) == ("hello", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cached_tokens) == (100, 7, 64)
    assert reply.usage.cost == 0.0  # a model on this machine
    assert provider.host == f"127.0.0.1:{server.port}"
    assert server.seen()[0]["authorization"] == "Bearer sk-secret"


def test_request_parameters(chat: Chat, server: Any) -> None:
    request = ASK.model_copy(update={"temperature": 0.5, "max_tokens": 9, "seed": 3, "stop": ("x",)})
    chat(server).complete(request)
    body = server.bodies()[0]
    assert {key: body[key] for key in ("model", "temperature", "max_tokens", "seed", "stop")} == {
        "model": "m", "temperature": 0.5, "max_tokens": 9, "seed": 3, "stop": ["x"],
    }  # fmt: skip
    assert "response_format" not in body


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthenticationFailed), (403, AuthenticationFailed), (404, ModelNotFound), (400, RequestRejected),
        (422, RequestRejected), (429, RateLimited), (500, ServerFailed), (503, ServerFailed), (408, ServerFailed),
    ],
)  # fmt: skip
def test_statuses(chat: Chat, server: Any, status: int, error: type[ProviderError]) -> None:
    server.script({"status": status, "message": "wrong key sk-secret here"})
    with pytest.raises(error) as caught:
        chat(server).complete(ASK)
    assert server.address in caught.value.message
    assert str(status) in caught.value.message
    assert "sk-secret" not in caught.value.message
    assert caught.value.hint
    assert len(server.seen()) == 1  # the client itself never retries


def test_retry_after_in_seconds_and_as_a_date(chat: Chat, server: Any) -> None:
    server.script({"status": 429, "headers": {"Retry-After": "7"}})
    with pytest.raises(RateLimited) as caught:
        chat(server).complete(ASK)
    assert caught.value.retry_after == 7
    server.script({"status": 503, "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}})
    with pytest.raises(ServerFailed) as failed:
        chat(server, wall=lambda: 1445412480.0).complete(ASK)  # 07:28:00
    assert failed.value.retry_after == 30


def test_no_credit_is_not_retryable(chat: Chat, server: Any) -> None:
    server.script({"status": 429, "code": "insufficient_quota"})
    with pytest.raises(RateLimited) as caught:
        chat(server).complete(ASK)
    assert not caught.value.retryable


def test_response_format_falls_back_once_and_is_remembered(chat: Chat, server: Any) -> None:
    server.script(
        {"status": 400, "message": "'response_format.type' : value must be 'text'", "refuse_if": "json_schema"},
        {"status": 400, "message": "json_object is not available", "refuse_if": "json_object"},
        {"text": "{}"},
    )
    provider = chat(server)
    assert provider.complete(FORM).text == "{}"
    provider.complete(FORM)
    kinds = [body.get("response_format", {}).get("type") for body in server.bodies()]
    assert kinds == ["json_schema", "json_object", None, None]


def test_schema_is_sent_strict_when_accepted(chat: Chat, server: Any) -> None:
    chat(server).complete(FORM)
    sent = server.bodies()[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["schema"] == FORM.form


def test_token_limit_is_renamed_and_remembered(chat: Chat, server: Any) -> None:
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    server.script({"status": 400, "message": message, "param": "max_tokens"}, {"text": "a"})
    provider = chat(server)
    provider.complete(ASK)
    provider.complete(ASK)
    assert ["max_completion_tokens" in body for body in server.bodies()] == [False, True, True]


def test_a_server_that_knows_neither_limit_fails(chat: Chat, server: Any) -> None:
    server.script({"status": 400, "message": "unknown max_tokens, unknown max_completion_tokens"})
    with pytest.raises(RequestRejected):
        chat(server).complete(ASK)
    assert len(server.seen()) == 2


def test_temperature_and_seed_are_dropped(chat: Chat, server: Any) -> None:
    server.script(
        {
            "status": 400,
            "message": "Unsupported value: 'temperature' does not support 0.0. Only the default (1) value.",
        },
        {"status": 422, "message": "seed: Extra inputs are not permitted"},
        {"text": "a"},
    )
    provider = chat(server)
    provider.complete(ASK.model_copy(update={"seed": 1}))
    last = server.bodies()[-1]
    assert "temperature" not in last
    assert "seed" not in last


def test_a_limit_that_is_too_large_is_not_renamed(chat: Chat, server: Any) -> None:
    server.script({"status": 400, "message": "max_tokens is too large: 5000. At most 4096."})
    with pytest.raises(RequestRejected, match="too large"):
        chat(server).complete(ASK)
    assert len(server.seen()) == 1


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"text": ""}, "empty reply"),
        ({"text": "x", "content_null": True}, "empty reply"),
        ({"text": "", "finish": "length"}, "used all 1024 tokens"),
        ({"text": "<think>hm, let me see", "finish": "length"}, "used all 1024 tokens"),
        ({"text": "", "finish": "content_filter"}, "content filter"),
        ({"text": "", "content_null": True, "refusal": "I cannot"}, "I cannot"),
    ],
)
def test_replies_without_text(chat: Chat, server: Any, step: dict[str, Any], words: str) -> None:
    server.script(step)
    with pytest.raises(ReplyInvalid, match=words):
        chat(server).complete(ASK)


def test_cut_reply_says_length(chat: Chat, server: Any) -> None:
    server.script({"text": "half of", "finish": "length"})
    assert chat(server).complete(ASK).finish == "length"


def test_thinking_is_left_out(chat: Chat, server: Any) -> None:
    server.script({"text": "<think>\nhm <b>\n</think>\n\nAnswer."})
    assert chat(server).complete(ASK).text == "Answer."
    assert streamed(chat(server).stream(ASK))[0] == ["Answer."]


@pytest.mark.parametrize(
    "step",
    [
        {"raw": '{"choices": [{"mess'},
        {"raw": "<html>hello</html>", "kind": "text/html"},
        {"raw": '{"error": {"message": "overloaded"}}'},
        {"raw": '{"choices": []}'},
        {"raw": "[]"},
    ],
)
def test_bodies_that_are_no_completion(chat: Chat, server: Any, step: dict[str, Any]) -> None:
    server.script(step)
    with pytest.raises(ServerFailed) as caught:
        chat(server).complete(ASK)
    assert server.address in caught.value.message
    server.script(step)
    with pytest.raises(ServerFailed):
        list(chat(server).stream(ASK))


def test_missing_message(chat: Chat, server: Any) -> None:
    server.script({"raw": '{"id": "c", "choices": [{"index": 0, "finish_reason": "stop"}]}'})
    with pytest.raises(ReplyInvalid):
        chat(server).complete(ASK)


def test_connection_reset_and_closed_port(chat: Chat, server: Any) -> None:
    server.script({"reset": True})
    with pytest.raises(Unreachable):
        chat(server).complete(ASK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}") as caught:
        chat(f"http://127.0.0.1:{port}/v1", kind="ollama").complete(ASK)
    assert "ollama serve" in caught.value.hint


def test_timeout(chat: Chat, server: Any) -> None:
    server.script({"text": "late", "sleep": 1.0})
    start = time.monotonic()
    with pytest.raises(Unreachable, match="in time"):
        chat(server, timeout=0.2).complete(ASK)
    assert time.monotonic() - start < 0.9


DETAILED = {"prompt_tokens": 1000, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 64}}


@pytest.mark.parametrize("everywhere", [False, True])
def test_stream(chat: Chat, server: Any, tmp_path: Path, *, everywhere: bool) -> None:
    """The reply that ends it is that of `complete`: why it ended, the server's own tokens, the cost by price."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[hosts."127.0.0.1"]\n"m" = { prompt = 2.0, cached = 1.0, completion = 10.0 }\n')
    step = {"text": "one two three", "usage": DETAILED, "usage_everywhere": everywhere, "finish": "length"}
    server.script(step)
    ticks = iter((10.0, 12.5, 20.0, 22.5))
    provider = chat(server, prices=prices, clock=lambda: next(ticks))
    pieces, reply = streamed(provider.stream(ASK))
    assert pieces == ["one ", "two ", "three"]
    assert reply == provider.complete(ASK)
    assert reply.finish == "length"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cached_tokens) == (1000, 7, 64)
    assert reply.usage.cost == pytest.approx((936 * 2 + 64 * 1 + 7 * 10) / 1e6)
    assert reply.usage.seconds == 2.5
    assert server.bodies()[0]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in server.bodies()[1]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Unrecognized request argument supplied: stream_options"),
        (422, "body.stream_options.include_usage: Extra inputs are not permitted"),
        (400, "include_usage must be null"),
    ],
)
def test_a_server_that_will_not_say_what_a_stream_took(chat: Chat, server: Any, status: int, message: str) -> None:
    server.script({"status": status, "message": message, "refuse_if": "stream_options", "text": "one two"})
    provider = chat(server)
    for _ in range(2):
        pieces, reply = streamed(provider.stream(ASK))
        assert pieces == ["one ", "two"]
        assert (reply.finish, reply.usage.prompt_tokens, reply.usage.cost) == ("stop", 0, None)
    assert ["stream_options" in body for body in server.bodies()] == [True, False, False]


def test_a_server_that_says_nothing_of_what_a_stream_took(chat: Chat, server: Any) -> None:
    server.script({"text": "one two", "usage": None})
    provider = chat(server, clock=lambda: 0.0)
    assert streamed(provider.stream(ASK))[1] == provider.complete(ASK) == ChatReply(text="one two")


def test_half_characters_in_a_stream_are_marked(chat: Chat, server: Any) -> None:
    server.script({"text": "a\ud83d b"})
    assert streamed(chat(server).stream(ASK))[0] == ["a\ufffd ", "b"]


def test_a_stream_that_only_thinks_says_so(chat: Chat, server: Any) -> None:
    server.script({"text": "<think>hm, let me see", "finish": "length", "usage": DETAILED})
    pieces, reply = streamed(chat(server).stream(ASK))
    assert (pieces, reply.finish, reply.usage.completion_tokens) == ([], "length", 7)


@pytest.mark.parametrize(("finish", "usage"), [("length", DETAILED), ("stop", None)])
def test_a_stream_without_a_word_is_an_answer_that_was_paid_for(
    chat: Chat, server: Any, finish: str, usage: dict[str, Any] | None
) -> None:
    server.script({"text": "", "finish": finish, "usage": usage})
    pieces, reply = streamed(chat(server).stream(ASK))
    assert (pieces, reply.text, reply.finish) == ([], "", finish)
    assert reply.usage.completion_tokens == (7 if usage else 0)


@pytest.mark.parametrize("strict", [True, False])
def test_a_form_of_a_clients_own_is_sent_as_it_is_or_refused(chat: Chat, server: Any, strict: bool) -> None:
    own = FORM.model_copy(update={"strict": strict})
    refusal = {"status": 400, "message": "Invalid schema for response_format 'reply'"}
    server.script(refusal, {"text": "{}"})
    provider = chat(server)
    with pytest.raises(RequestRejected, match="Invalid schema"):
        provider.complete(own)
    # nothing was learned of it: the next one is asked for as before, whoever's it is
    for request in (own, FORM):
        provider.complete(request)
    sent = [body["response_format"]["json_schema"]["strict"] for body in server.bodies()]
    assert sent == [strict, strict, True]
    server.script({"status": 400, "message": "no response_format here", "refuse_if": "response_format", "text": "a"})
    provider.complete(FORM)
    with pytest.raises(RequestRejected):
        provider.complete(own)


def test_stream_that_breaks(chat: Chat, server: Any) -> None:
    server.script({"text": "one two three", "break_after": 2})
    pieces = chat(server).stream(ASK)
    assert next(pieces) == "one "
    with pytest.raises(Unreachable):
        list(pieces)


def test_a_redirect_is_not_followed(chat: Chat, server: Any) -> None:
    server.script({"status": 307, "headers": {"Location": "http://elsewhere.invalid/v1"}})
    with pytest.raises(RequestRejected) as caught:
        chat(server).complete(ASK)
    assert "elsewhere.invalid" in caught.value.hint


def test_a_proxy_is_not_asked_for_this_machine(chat: Chat, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert chat(server).complete(ASK).text == "hello"


@pytest.mark.parametrize("address", ["localhost:8000/v1", "ftp://host/v1", "http:///v1", ""])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError):
        OpenAIChat("m", address)


def test_a_password_in_the_address_is_not_shown() -> None:
    provider = OpenAIChat("m", "http://me:pw@host.example:8000/v1")
    assert provider.host == "host.example:8000"
    assert "pw" not in provider.address


@pytest.mark.parametrize("key", ["sk-\nsecret", "sk-sécret"])
def test_a_key_that_cannot_be_sent(key: str) -> None:
    with pytest.raises(UsageError, match=r"host\.example") as caught:
        OpenAIChat("m", "http://host.example/v1", key)
    assert key not in caught.value.message


def test_many_at_once_from_one_loop(server: Any) -> None:
    server.script({"text": "{last}", "sleep": 0.5})

    async def ask() -> list[str]:
        provider = OpenAIChat("m", server.address, connections=50)
        requests = [ASK.model_copy(update={"messages": (Message(role="user", content=str(n)),)}) for n in range(50)]
        replies = await asyncio.gather(*(provider.complete(request) for request in requests))
        await provider.aclose()
        return [reply.text for reply in replies]

    assert asyncio.run(ask()) == [str(n) for n in range(50)]
    assert server.most_at_once() > 10


def test_a_slow_body_is_given_up_as_a_whole() -> None:
    """The time limit is for the reply, not for each of its bytes."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _byte in range(20):
            writer.write(b" ")
            await asyncio.sleep(0.1)
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        provider = OpenAIChat("m", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", timeout=0.5)
        with pytest.raises(Unreachable, match="in time"):
            await provider.complete(ASK)
        await provider.aclose()
        server.close()

    asyncio.run(ask())


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nno\r\n\r\n"]
)
def test_a_port_where_something_else_answers(answer: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        provider = OpenAIChat("m", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        with pytest.raises(Unreachable, match="cannot be reached"):
            await provider.complete(ASK)
        await provider.aclose()
        server.close()

    asyncio.run(ask())
