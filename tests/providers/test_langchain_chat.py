from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda
from pydantic import Field, SecretStr

from doceo.core.config import EngineConfig
from doceo.core.errors import (
    AuthenticationFailed,
    DoceoError,
    MissingPackage,
    ModelNotFound,
    ProviderError,
    RateLimited,
    ReplyInvalid,
    RequestRejected,
    ServerFailed,
    Unreachable,
    UsageError,
)
from doceo.core.records import ChatReply, ChatRequest, Message, Usage
from doceo.providers.chat import context_of, is_remote, list_models, open_blocking, open_chat, price_of_spec
from doceo.providers.langchain_chat import LangChainChat
from doceo.providers.langchain_errors import Vendor, status_of
from doceo.providers.langchain_vendor import host_of, parse_spec
from tests.providers.streamed import streamed

KEY = "sk-a-secret-key"
SPEC = "langchain:baseten:m"
ASK = ChatRequest(
    messages=(Message(role="system", content="Be short."), Message(role="user", content="Hello?")),
    temperature=0.3,
    max_tokens=77,
    seed=5,
    stop=("END",),
)
FORMED = ASK.model_copy(update={"form": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}})


class Failed(Exception):
    """What a vendor's package raises."""

    def __init__(self, status: int, message: str = "no", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.response = SimpleNamespace(status_code=status, headers=headers or {})


class ChatBaseten(BaseChatModel):
    """A vendor's class, in place of LangChain's for Baseten, which is not installed."""

    steps: ClassVar[list[Any]] = []
    seen: ClassVar[list[dict[str, Any]]] = []

    model_name: str = Field(alias="model")
    base_url: str = "https://inference.baseten.example:8443/v1"
    key: SecretStr = SecretStr(KEY)
    temperature: float | None = 0.7
    num_predict: int | None = None
    random_seed: int | None = None
    stop_sequences: list[str] | None = Field(default=None, alias="stop")
    stream_usage: bool = False
    max_retries: int = 6
    request_timeout: float | None = Field(default=None, alias="timeout")

    @property
    def _llm_type(self) -> str:
        return "baseten"

    @property
    def lc_secrets(self) -> dict[str, str]:
        return {"key": "BASETEN_API_KEY"}

    def _next(self, messages: list[Any], **given: Any) -> AIMessage:
        from langsmith.utils import tracing_is_enabled

        type(self).seen.append(
            {
                "temperature": self.temperature, "limit": self.num_predict, "seed": self.random_seed,
                "stop": self.stop_sequences, "retries": self.max_retries, "timeout": self.request_timeout,
                "cache": self.cache, "said": [(m.type, m.content) for m in messages], "given": given,
                "usage": self.stream_usage, "traced": tracing_is_enabled(), "loop": id(asyncio.get_running_loop()),
            }
        )  # fmt: skip
        step = type(self).steps.pop(0) if len(type(self).steps) > 1 else type(self).steps[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, AIMessage) else AIMessage(step)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **given: Any) -> ChatResult:
        raise AssertionError("it is asked asynchronously")

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **given: Any) -> ChatResult:
        assert stop is None
        await asyncio.sleep(0)
        return ChatResult(generations=[ChatGeneration(message=self._next(messages, **given))])

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **given: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        whole = self._next(messages, **given)
        used = whole.usage_metadata
        if used:  # as some vendors do: the prompt's tokens at the beginning, the others at the end
            read: Any = {**used, "output_tokens": 0, "total_tokens": used["input_tokens"]}
            yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=read))
        for word in str(whole.content).split(" "):
            if word == "BREAK":
                raise Failed(503)
            facts = {"finish_reason": None, "model_name": "m"}
            yield ChatGenerationChunk(message=AIMessageChunk(word + " ", response_metadata=facts))
        written = used["output_tokens"] if used else 0
        rest: Any = {"input_tokens": 0, "output_tokens": written, "total_tokens": written}
        yield ChatGenerationChunk(
            message=AIMessageChunk("", usage_metadata=rest if used else None, response_metadata=whole.response_metadata)
        )


class WithTools(ChatBaseten):
    def bind_tools(self, tools: Any, **given: Any) -> Any:
        return self.bind(tools=tools)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> type[ChatBaseten]:
    module = ModuleType("langchain_baseten")
    module.ChatBaseten = ChatBaseten  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "langchain_baseten", module)
    ChatBaseten.steps, ChatBaseten.seen = ["hi"], []
    WithTools.steps, WithTools.seen = ["hi"], []
    return ChatBaseten


def chat(kind: type[ChatBaseten] = ChatBaseten, **options: Any) -> LangChainChat:
    return LangChainChat(kind(model="m"), "m", "baseten", **options)


def ask(provider: LangChainChat, request: ChatRequest = ASK) -> Any:
    return asyncio.run(provider.complete(request))


def said(text: str, **facts: Any) -> AIMessage:
    usage = {
        "input_tokens": 30, "output_tokens": 4, "total_tokens": 34, "input_token_details": {"cache_read": 20},
    }  # fmt: skip
    return AIMessage(text, usage_metadata=usage, response_metadata=facts)  # type: ignore[arg-type]


def test_it_is_named_like_any_other_model(vendor: type[ChatBaseten], tmp_path: Path) -> None:
    provider = open_blocking(SPEC, journal=tmp_path / "j.sqlite", engine=EngineConfig(timeout=9.5))
    assert (provider.name, provider.host, is_remote(SPEC)) == (SPEC, "inference.baseten.example:8443", True)
    vendor.steps = [Failed(500), said("hello", finish_reason="stop")]
    reply = provider.complete(ASK)
    assert provider.complete(ASK).text == reply.text == "hello"
    assert len(vendor.seen) == 2, "one failure, one answer; then the journal"
    asked = vendor.seen[-1]
    assert asked["said"] == [("system", "Be short."), ("human", "Hello?")]
    assert (asked["temperature"], asked["limit"], asked["seed"], asked["stop"]) == (0.3, 77, 5, ["END"])
    assert (asked["retries"], asked["timeout"], asked["cache"], asked["given"]) == (0, 10, False, {})
    usage = reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.cost) == (30, 4, 20, None)
    provider.close()
    assert context_of(SPEC) is None
    assert list_models(SPEC) == ("inference.baseten.example:8443", [])


def test_specs_that_are_none() -> None:
    assert parse_spec("langchain:Google-GenAI:models/a:b") == ("google_genai", "models/a:b")
    for spec, hint in (
        ("langchain:claude-x", "langchain:VENDOR:MODEL"),
        ("langchain:", "langchain:VENDOR:MODEL"),
        ("langchain:huggingface:org/name", "hf:org/name"),
        ("langchain:antropic:x", "langchain:anthropic:MODEL"),
        ("langchian:openai:x", "langchain:MODEL"),
    ):
        with pytest.raises(UsageError) as caught:
            open_chat(spec)
        assert hint in caught.value.hint


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingPackage) as caught:
        open_chat("langchain:upstage:solar")
    assert caught.value.hint == "pip install langchain-upstage"
    assert "langchain:upstage needs the package langchain-upstage" in caught.value.message
    broken = ModuleType("langchain_xai")
    broken.__getattr__ = _broken  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "langchain_xai", broken)
    with pytest.raises(DoceoError, match=r"cannot be imported|needs the package|cannot be opened"):
        open_chat("langchain:xai:grok")


def _broken(name: str) -> Any:
    raise ImportError(f"cannot import {name}")


def test_a_missing_key_is_told_before_anything_is_sent(
    vendor: type[ChatBaseten], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, _context: Any) -> None:
        raise Failed(0, "The api_key client option must be set, or the variable BASETEN_API_KEY")

    monkeypatch.setattr(ChatBaseten, "__init__", lambda self, **_: refuse(self, None))
    with pytest.raises(AuthenticationFailed) as caught:
        open_chat(SPEC)
    assert caught.value.hint == "Set BASETEN_API_KEY."


@pytest.mark.parametrize(
    ("facts", "finish"),
    [
        ({"finish_reason": "length"}, "length"), ({"stop_reason": "max_tokens"}, "length"),
        ({"finish_reason": "MAX_TOKENS"}, "length"), ({"done_reason": "stop"}, "stop"),
        ({"incomplete_details": {"reason": "max_output_tokens"}}, "length"), ({}, "stop"),
        ({"stopReason": "end_turn"}, "stop"), ({"finish_reason": "FinishReason.MAX_TOKENS"}, "length"),
    ],
)  # fmt: skip
def test_the_finish_whatever_it_is_called(vendor: type[ChatBaseten], facts: dict[str, Any], finish: str) -> None:
    vendor.steps = [said("x", **facts)]
    assert ask(chat()).finish == finish


def test_replies_without_text(vendor: type[ChatBaseten]) -> None:
    for message, words in (
        (said("", finish_reason="length"), "used all 77 tokens"),
        (said("", finish_reason="SAFETY"), "withheld"),
        (said(" "), "empty reply"),
        (said("<think>never closed", finish_reason="length"), "used all 77"),
    ):
        vendor.steps = [message]
        with pytest.raises(ReplyInvalid, match=words):
            ask(chat())
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "Yes."}]
    vendor.steps = [AIMessage(blocks), "<think>hm</think>Yes."]  # type: ignore[list-item, arg-type]
    provider = chat()
    assert [ask(provider).text, ask(provider).text] == ["Yes.", "Yes."]


def test_the_cost_is_that_of_the_price_file(vendor: type[ChatBaseten], tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[hosts."inference.baseten.example"]\n"m" = { prompt = 2, cached = 1, completion = 4 }\n')
    vendor.steps = [said("x")]
    engine = EngineConfig(prices=str(own), max_cost=1)
    assert ask(chat(prices=own)).usage.cost == pytest.approx((10 * 2 + 20 * 1 + 4 * 4) / 1e6)
    assert asyncio.run(open_chat(SPEC, engine=engine).complete(ASK)).text == "x"
    assert price_of_spec(SPEC, engine=engine) is not None
    with pytest.raises(UsageError, match=r"No price is known for m at inference\.baseten\.example:8443") as caught:
        open_chat(SPEC, engine=EngineConfig(max_cost=1))
    assert '[hosts."inference.baseten.example:8443"]' in caught.value.hint


def test_no_cap_without_a_limit(vendor: type[ChatBaseten], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doceo.providers.langchain_chat.LIMITS", ("no_such_field",))
    with pytest.raises(UsageError, match="a cost cap cannot be kept"):
        open_chat(SPEC, engine=EngineConfig(max_cost=1))
    assert open_chat(SPEC).host


class ModelRateLimitError(Exception):
    """Named as LangChain's own."""


class ReadTimeout(Exception):
    """Named as httpx's."""


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (Failed(401, f"wrong key {KEY}"), AuthenticationFailed, False), (Failed(403), AuthenticationFailed, False),
        (Failed(404), ModelNotFound, False), (Failed(429), RateLimited, True), (Failed(529), ServerFailed, True),
        (Failed(400), RequestRejected, False), (ModelRateLimitError(), RateLimited, True),
        (_caused(RuntimeError("x"), Failed(503)), ServerFailed, True), (ReadTimeout(), Unreachable, True),
        (TimeoutError(), Unreachable, True), (ConnectionResetError("gone"), Unreachable, True),
        (_caused(RuntimeError("x"), ConnectionRefusedError()), Unreachable, True),
        (json.JSONDecodeError("Expecting value", "{", 1), ServerFailed, True),
        (ValueError({"message": "overloaded"}), ServerFailed, True),
        (ValueError("stop is not for me"), ProviderError, False),
        (ValueError("no credentials found, set X_API_KEY"), AuthenticationFailed, False),
    ],
)  # fmt: skip
def test_errors(error: Exception, kind: type[ProviderError], retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught, Vendor("a.example", "m", "v", (KEY,), "V_API_KEY").errors():
        raise error
    assert type(caught.value) is kind
    assert caught.value.retryable == retryable
    assert KEY not in caught.value.message
    assert caught.value.hint


def test_what_is_a_bug_stays_one_and_ours_stays_ours() -> None:
    vendor = Vendor("a.example", "m", "v")
    with pytest.raises(AssertionError), vendor.errors():
        raise AssertionError("a bug")
    with pytest.raises(UsageError), vendor.errors():
        raise UsageError("x", hint="y")


def test_how_long_to_wait() -> None:
    with pytest.raises(RateLimited) as caught, Vendor("a.example", "m", "v").errors():
        raise Failed(429, headers={"retry-after": "7"})
    assert caught.value.retry_after == 7
    spent = Failed(429)
    spent.code = "insufficient_quota"  # type: ignore[attr-defined]
    with pytest.raises(RateLimited) as caught, Vendor("a.example", "m", "v").errors():
        raise spent
    assert not caught.value.retryable
    aws = Exception()
    aws.response = {"ResponseMetadata": {"HTTPStatusCode": 424}}  # type: ignore[attr-defined]
    assert status_of(aws) == 424
    assert status_of(ValueError()) is None


def test_what_a_model_refuses_is_left_out_from_then_on(vendor: type[ChatBaseten]) -> None:
    provider = chat()
    vendor.steps = [Failed(400, "temperature is not supported with this model"), "a", "b"]
    assert [ask(provider).text, ask(provider).text] == ["a", "b"]
    assert [asked["temperature"] for asked in vendor.seen] == [0.3, 0.7, 0.7], "its own default from then on"
    vendor.steps = [Failed(400, "the prompt is too long")]
    with pytest.raises(RequestRejected, match="too long"):
        ask(provider)


def test_a_form_is_the_arguments_of_a_call(vendor: type[ChatBaseten]) -> None:
    call = {"name": "reply", "args": {"a": "ü"}, "id": "1"}
    WithTools.steps = [AIMessage("", tool_calls=[call])]  # type: ignore[list-item]
    provider = chat(WithTools)
    assert ask(provider, FORMED).text == '{"a": "ü"}'
    (tool,) = WithTools.seen[-1]["given"]["tools"]
    assert (tool["title"], tool["properties"]) == ("reply", {"a": {"type": "string"}})
    broken = {"name": "reply", "args": '{"a": "b', "id": "1", "error": "cut"}
    WithTools.steps = [AIMessage("", invalid_tool_calls=[broken], response_metadata={"finish_reason": "length"})]  # type: ignore[list-item]
    assert (ask(provider, FORMED).text, ask(provider, FORMED).finish) == ('{"a": "b', "length")
    WithTools.steps = [Failed(400, "m does not support tools"), '{"a": "plain"}']
    assert ask(provider, FORMED).text == '{"a": "plain"}'
    assert "tools" not in WithTools.seen[-1]["given"]


def test_a_vendor_without_forms_is_asked_in_words(vendor: type[ChatBaseten]) -> None:
    vendor.steps = ['{"a": "b"}']
    assert ask(chat(), FORMED).text == '{"a": "b"}'
    assert len(vendor.seen) == 1


def test_a_server_in_trouble_does_not_cost_the_form(vendor: type[ChatBaseten]) -> None:
    provider = chat(WithTools)
    for trouble in (json.JSONDecodeError("Expecting value", "<html>", 0), ValueError({"message": "overloaded"})):
        WithTools.steps = [trouble, "{}"]
        with pytest.raises(ServerFailed):
            ask(provider, FORMED)
        assert ask(provider, FORMED).text == "{}"
        assert "tools" in WithTools.seen[-1]["given"]


def test_a_form_that_was_cut_short_keeps_its_text(vendor: type[ChatBaseten]) -> None:
    whole = {
        "choices": [{"finish_reason": "length", "message": {"content": '{"a": "b'}}],
        "usage": {"prompt_tokens": 9},
    }
    error = Exception("cut")
    error.completion = SimpleNamespace(model_dump=lambda: whole)  # type: ignore[attr-defined]
    WithTools.steps = [error]
    reply = ask(chat(WithTools), FORMED)
    assert (reply.text, reply.finish, reply.usage.prompt_tokens) == ('{"a": "b', "length", 9)


async def _parts(provider: LangChainChat, request: ChatRequest = ASK) -> list[str | ChatReply]:
    found = []
    async with aclosing(provider.stream(request)) as pieces:
        async for piece in pieces:
            found.append(piece)
    return found


def test_streams(vendor: type[ChatBaseten]) -> None:
    provider = chat()
    vendor.steps = ["<think>hm </think>one two"]
    assert streamed(asyncio.run(_parts(provider, FORMED)))[1].text.strip() == "one two"
    vendor.steps = [Failed(400, "stop is not supported"), "one two"]
    assert len(asyncio.run(_parts(provider))) == 3
    assert vendor.seen[-1]["stop"] is None
    vendor.steps = [Failed(400, "Unknown parameter: stream_options.include_usage"), "one two"]
    assert len(asyncio.run(_parts(provider))) == 3
    assert [asked["usage"] for asked in vendor.seen[-2:]] == [True, False]
    vendor.steps = ["one BREAK"]
    with pytest.raises(ServerFailed):
        asyncio.run(_parts(provider))
    opened = open_blocking(SPEC)
    vendor.steps = [Failed(503), "one two"]
    assert streamed(opened.stream(ASK))[0] == ["one ", "two "]
    opened.close()


@pytest.mark.parametrize(("facts", "finish"), [({"stop_reason": "max_tokens"}, "length"), ({}, "stop")])
def test_a_stream_ends_with_what_it_took(
    vendor: type[ChatBaseten], tmp_path: Path, facts: dict[str, str], finish: str
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[hosts."inference.baseten.example:8443"]\n"m" = { prompt = 2.0, cached = 1.0, completion = 10.0 }\n'
    )
    vendor.steps = [said("one two", **facts)]
    ticks = iter((1.0, 3.0))
    provider = chat(prices=prices, clock=lambda: next(ticks))
    reply = streamed(asyncio.run(_parts(provider)))[1]
    usage = Usage(prompt_tokens=30, completion_tokens=4, cached_tokens=20, cost=80e-6, seconds=2.0)
    assert reply == ChatReply(text="one two ", finish=finish, usage=usage)


def test_a_stream_without_a_word_is_an_answer_where_its_end_is_told(vendor: type[ChatBaseten]) -> None:
    class Silent(ChatBaseten):
        async def _astream(self, *args: Any, **given: Any) -> AsyncIterator[ChatGenerationChunk]:
            yield ChatGenerationChunk(message=AIMessageChunk("", response_metadata={"finish_reason": "length"}))

    class Nothing(ChatBaseten):
        async def _astream(self, *args: Any, **given: Any) -> AsyncIterator[ChatGenerationChunk]:
            yield ChatGenerationChunk(message=AIMessageChunk(""))

    (reply,) = asyncio.run(_parts(chat(Silent, clock=lambda: 0.0)))
    assert reply == ChatReply(text="", finish="length")
    with pytest.raises(ServerFailed):
        asyncio.run(_parts(chat(Nothing)))


def test_requests_run_on_one_loop_whichever_they_come_from(vendor: type[ChatBaseten]) -> None:
    provider = chat()
    ask(provider)
    ask(provider)
    blocking = open_blocking(SPEC)
    blocking.complete(ASK)
    blocking.close()
    assert len({asked["loop"] for asked in vendor.seen}) == 1


def test_a_reply_that_takes_too_long(vendor: type[ChatBaseten], monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(30)

    monkeypatch.setattr(ChatBaseten, "_agenerate", never)
    with pytest.raises(Unreachable, match="did not answer in time"):
        ask(chat(timeout=0.05))


def test_who_gives_up_ends_the_request(vendor: type[ChatBaseten], monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    async def never(*_: Any, **__: Any) -> Any:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    async def impatient() -> None:
        async with asyncio.timeout(0.05):
            await chat().complete(ASK)

    monkeypatch.setattr(ChatBaseten, "_agenerate", never)
    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert ended.wait(10)


class Listener(BaseCallbackHandler):
    def __init__(self) -> None:
        self.heard = 0

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.heard += 1


def test_nobody_listens_unless_it_is_asked_for(vendor: type[ChatBaseten], monkeypatch: pytest.MonkeyPatch) -> None:
    from langsmith.utils import get_env_var, tracing_is_enabled

    for name, value in (("LANGSMITH_TRACING", "true"), ("LANGCHAIN_TRACING_V2", "true"), ("LANGSMITH_API_KEY", "k")):
        monkeypatch.setenv(name, value)
    get_env_var.cache_clear()
    assert tracing_is_enabled(), "the environment asks for it"
    try:
        provider = open_blocking(SPEC)
        blocks = RunnableLambda(lambda _: provider.complete(ASK).text + streamed(provider.stream(ASK))[1].text)
        from doceo.providers.tracing import reporting

        listener = Listener()
        with reporting(on=False):  # the chain around it is not what is looked at here
            assert blocks.invoke("x", config={"callbacks": [listener]}) == "hihi "
        assert ([asked["traced"] for asked in vendor.seen], listener.heard) == ([False, False], 0)
        assert provider.complete(ASK).text == "hi"
        assert not vendor.seen[-1]["traced"]
        provider.close()
    finally:
        get_env_var.cache_clear()


def test_langsmith_is_named_where_it_is_told(vendor: type[ChatBaseten], monkeypatch: pytest.MonkeyPatch) -> None:
    from langsmith.utils import get_env_var

    monkeypatch.setenv("LANGSMITH_ENDPOINT", "https://smith.example/api")
    get_env_var.cache_clear()
    try:
        opened = open_chat(SPEC, engine=EngineConfig(langsmith=True))
        assert opened.host == "inference.baseten.example:8443, smith.example"
    finally:
        get_env_var.cache_clear()


def test_hosts() -> None:
    model: Any = ChatBaseten(model="m", base_url="http://user:pass@127.0.0.1:9/v1")  # type: ignore[call-arg]
    assert host_of(model, "baseten") == "127.0.0.1:9"
    silent: Any = ChatBaseten(model="m", base_url="")  # type: ignore[call-arg]
    assert host_of(silent, "cohere") == "api.cohere.com"
    assert host_of(silent, "other") == "other (address not known)"
