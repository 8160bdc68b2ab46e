from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from doceo.core.errors import InputError, ProviderError, RateLimited, ReplyInvalid
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.providers.scripted import Scripted, record
from tests.providers.streamed import streamed


def ask(text: str) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),))


def test_list_in_order_with_errors() -> None:
    provider = Scripted(["a b", RateLimited("slow", hint="")])
    assert streamed(provider.stream(ask("1"))) == (["a ", "b"], ChatReply(text="a b"))
    with pytest.raises(RateLimited):
        provider.complete(ask("2"))
    with pytest.raises(ProviderError, match="no reply left"):
        provider.complete(ask("3"))
    assert [request.messages[0].content for request in provider.requests] == ["1", "2", "3"]


def test_function() -> None:
    assert Scripted(lambda request: request.messages[0].content.upper()).complete(ask("hi")).text == "HI"


def test_recorded(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text(record(ask("q"), "a\n\u2028b") + "\n", encoding="utf-8")
    provider = Scripted.recorded(path)
    assert provider.complete(ask("q")).text == "a\n\u2028b"
    with pytest.raises(ReplyInvalid, match="no reply to: other"):
        provider.complete(ask("other"))


def test_recorded_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl"):
        Scripted.recorded(tmp_path / "none.jsonl")
    path = tmp_path / "bad.jsonl"
    path.write_text(record(ask("q"), "a") + "\n{}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        Scripted.recorded(path)


def test_asynchronous() -> None:
    async def ask_it() -> None:
        provider = Scripted(["a b", RateLimited("slow", hint=""), "c"]).asynchronous()
        assert streamed([part async for part in provider.stream(ask("1"))])[0] == ["a ", "b"]
        with pytest.raises(RateLimited):
            await provider.complete(ask("2"))
        assert (await provider.complete(ask("3"))).text == "c"
        assert [request.messages[0].content for request in provider.requests] == ["1", "2", "3"]
        await provider.aclose()

    asyncio.run(ask_it())
