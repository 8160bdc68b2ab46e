"""Chat with a model behind a server: what is passed on, what comes back, and what happens when somebody leaves."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from doceo.app.host import Host
from doceo.service.http import create_app
from doceo.service.shapes.chat import CompletionRequest
from tests.service.serving import client_of, host_in, serving
from tests.service.streaming_server import StreamingServer, started

QUESTION: Any = {"role": "user", "content": "When was the Bryne ferry opened?"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[StreamingServer]:
    with started() as server:
        yield server


@pytest.fixture(autouse=True)
def fresh(upstream: StreamingServer) -> None:
    upstream.bodies.clear()
    upstream.sent.clear()
    upstream.words, upstream.pause, upstream.fail_after = "It was opened in 1902 [2].", 0.0, None


@pytest.fixture(scope="module")
def host(indexed: Path, upstream: StreamingServer, tmp_path_factory: pytest.TempPathFactory) -> Host:
    service = {"models": ("openai:slow",), "max_chats": 6}
    folder = tmp_path_factory.mktemp("home")
    return host_in(folder, indexed, model="openai:said", base_url=upstream.address, service=service)


@pytest.fixture(scope="module")
def address(host: Host) -> Iterator[str]:
    with serving(create_app(host)) as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> openai.OpenAI:
    return client_of(address)


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "openai:said", "messages": [QUESTION], **more})


def test_the_answer_its_citations_and_what_it_took(client: openai.OpenAI) -> None:
    reply = ask(client)
    assert reply.choices[0].message.content == "It was opened in 1902 [2]."
    assert reply.choices[0].message.refusal is None
    assert (reply.citations[0]["source"], reply.citations[0]["verified"]) == ("library/ferry.md", True)
    assert reply.usage.prompt_tokens_details.cached_tokens == 32
    assert (reply.usage.completion_tokens, reply.usage.total_tokens) == (6, 1206)


def test_a_stream_looks_like_openais(client: openai.OpenAI) -> None:
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    first, last = chunks[0], chunks[-2]
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "It was opened in 1902 [2]."
    cited = [n for n, c in enumerate(chunks) if getattr(c, "citations", None)]
    assert len(cited) == 2  # when it is known, and at the end with all
    assert chunks[cited[0]].choices[0].finish_reason is None
    assert (last.choices[0].finish_reason, last.choices[0].delta.to_dict()) == ("stop", {})
    assert last.citations == ask(client).citations
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 6
    assert len({(c.id, c.created, c.model) for c in chunks}) == 1


def test_what_is_asked_travels_to_the_model(client: openai.OpenAI, upstream: StreamingServer) -> None:
    schema = {"type": "object", "properties": {"year": {"type": "integer"}}}
    ask(
        client,
        temperature=0.7,
        top_p=0.9,
        seed=3,
        stop=["END"],
        max_completion_tokens=77,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        response_format={"type": "json_schema", "json_schema": {"name": "y", "schema": schema}},
    )
    body = upstream.bodies[-1]
    told = {"temperature": 0.7, "top_p": 0.9, "seed": 3, "stop": ["END"], "max_tokens": 77}
    assert {name: body[name] for name in told} == told
    assert (body["presence_penalty"], body["frequency_penalty"]) == (0.5, -0.5)
    assert body["response_format"]["json_schema"]["schema"] == schema
    ask(client, response_format={"type": "json_object"})
    assert upstream.bodies[-1]["response_format"] == {"type": "json_object"}


def test_the_finish_is_what_it_was(client: openai.OpenAI) -> None:
    assert ask(client, max_tokens=3).choices[0].finish_reason == "length"
    assert list(ask(client, max_tokens=3, stream=True))[-1].choices[0].finish_reason == "length"


def test_several_answers(client: openai.OpenAI, upstream: StreamingServer) -> None:
    reply = ask(client, n=3, seed=10)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert sorted(body["seed"] for body in upstream.bodies) == [10, 11, 12]
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (1200, 18)
    texts = {0: "", 1: ""}
    for chunk in ask(client, n=2, stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert set(texts.values()) == {"It was opened in 1902 [2]."}
    assert len(ask(client, model="quote", n=2).choices) == 2


def test_a_system_message_and_the_turns_before_reach_the_model(
    client: openai.OpenAI, upstream: StreamingServer
) -> None:
    turns = [
        {"role": "developer", "content": "Speak like a sailor."},
        {"role": "user", "content": "Is there a ferry?"},
        {"role": "assistant", "content": "Yes [1]."},
        QUESTION,
    ]
    ask(client, messages=turns)
    messages = upstream.bodies[-1]["messages"]
    assert messages[0]["role"] == "system"
    assert messages[0]["content"].startswith("Speak like a sailor.\n\n")
    assert "passages" in messages[0]["content"]
    assert [message["content"] for message in messages[1:3]] == ["Is there a ferry?", "Yes."]


def test_a_conversation_is_kept_and_gone_on_with(client: openai.OpenAI, host: Host, upstream: StreamingServer) -> None:
    first = ask(client, extra_body={"conversation": "new"})
    follow_up: Any = [{"role": "user", "content": "And how many cars does it carry?"}]
    *_, last = ask(client, messages=follow_up, stream=True, extra_body={"conversation": first.conversation})
    assert last.conversation == first.conversation
    turns = host.store.conversations.turns("local", first.conversation)
    assert [turn.message.role for turn in turns] == ["user", "assistant"] * 2
    assert [turn.message.content for turn in turns][2] == "And how many cars does it carry?"
    assert "When was the Bryne ferry opened?" in str(upstream.bodies[-1]["messages"])
    for name in (first.conversation[:4], "conv_0", "x" * 100):
        with pytest.raises(openai.NotFoundError):
            ask(client, extra_body={"conversation": name})


def test_how_an_answer_came_about_is_told_where_it_is_wanted(client: openai.OpenAI) -> None:
    assert not hasattr(ask(client), "trace")
    trace = ask(client, extra_body={"trace": True}).trace
    assert [segment["name"] for segment in trace["segments"]] == ["system", "retrieved", "question"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [{"type": "function", "function": {"name": "f", "parameters": {}}}]),
        ("logprobs", True),
        ("logit_bias", {"50256": -100}),
        ("modalities", ["text", "audio"]),
        ("n", 99),
        ("temperature", 3),
        ("stop", ["1", "2", "3", "4", "5"]),
        ("max_completion_tokens", 0),
    ],
)
def test_what_cannot_be_kept_to_is_refused_by_its_name(client: openai.OpenAI, field: str, value: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **{field: value})
    assert caught.value.param == field


def test_a_json_form_is_refused_where_it_could_not_be_kept(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, model="quote", response_format={"type": "json_object"})
    assert caught.value.param == "response_format"
    assert ask(client, model="quote", response_format={"type": "text"}, tools=[], logprobs=False).choices


def test_unknown_models_and_documents(client: openai.OpenAI) -> None:
    for more in ({"model": "gpt-9"}, {"model": "gpt-9+nothing"}, {"model": "ft:doceo-5m:x:y:z"}):
        with pytest.raises(openai.NotFoundError) as caught:
            ask(client, **more)
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    for name in ("nothing", "../../etc", "vs_0123", "a\0b", "x" * 256):
        with pytest.raises(openai.NotFoundError):
            ask(client, extra_body={"collection": name})


def test_an_error_before_the_first_word_has_a_status_and_after_it_is_an_event(
    client: openai.OpenAI, upstream: StreamingServer
) -> None:
    upstream.fail_after = 2
    said = ""
    with pytest.raises(openai.APIError, match="cannot be reached") as caught:
        for chunk in ask(client, stream=True):
            said += chunk.choices[0].delta.content or ""
    assert said.startswith("It")
    assert not isinstance(caught.value, openai.APIStatusError)
    upstream.forbidden = {"messages"}
    try:
        with pytest.raises(openai.BadRequestError, match="Unsupported parameter"):
            ask(client, stream=True)
    finally:
        upstream.forbidden = set()


def test_who_leaves_a_stream_stops_the_model_within_a_few_words(
    client: openai.OpenAI, upstream: StreamingServer
) -> None:
    upstream.words, upstream.pause = "word " * 200, 0.001
    stream = ask(client, model="openai:slow", stream=True, max_tokens=200)
    seen = 0
    for chunk in stream:
        seen += bool(chunk.choices[0].delta.content)
        if seen == 3:
            break
    stream.close()
    at = upstream.sent[-1]
    time.sleep(0.25)
    assert upstream.sent[-1] <= at + 5
    assert upstream.sent[-1] < 20


def test_who_leaves_before_the_whole_answer_stops_the_model_too(
    address: str, upstream: StreamingServer, host: Host
) -> None:
    upstream.words, upstream.pause = "word " * 200, 0.001
    impatient = client_of(address).with_options(timeout=0.2)
    with pytest.raises(openai.APITimeoutError):
        ask(impatient, model="openai:slow", max_tokens=200)
    time.sleep(0.1)
    at = upstream.sent[-1]
    time.sleep(0.2)
    assert upstream.sent[-1] <= at + 1 < 100


def test_more_than_can_be_answered_at_once_are_told_so_at_once(address: str, upstream: StreamingServer) -> None:
    upstream.words, upstream.pause = "word " * 10, 0.002

    async def one(client: openai.AsyncOpenAI) -> tuple[str, float]:
        began = time.perf_counter()
        try:
            await client.chat.completions.create(model="openai:slow", messages=[QUESTION])
        except openai.RateLimitError as error:
            return f"{error.code} {error.response.headers['retry-after']}", time.perf_counter() - began
        return "ok", time.perf_counter() - began

    async def many() -> list[tuple[str, float]]:
        # one client: making another takes longer than being turned away
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            return await asyncio.gather(*(one(client) for _ in range(18)))

    found = asyncio.run(many())
    assert sum(kind == "ok" for kind, _ in found) == 6
    slowest = max(seconds for kind, seconds in found if kind == "busy 1")
    assert slowest < min(seconds for kind, seconds in found if kind == "ok")
    assert ask(client_of(address)).choices  # the places are free again


def test_the_asynchronous_client_says_the_same(address: str) -> None:
    async def work() -> tuple[Any, list[Any], list[str]]:
        async with openai.AsyncOpenAI(
            base_url=f"{address}/v1", api_key="x", max_retries=0, _strict_response_validation=True
        ) as client:
            whole = await client.chat.completions.create(model="openai:said", messages=[QUESTION])
            stream = await client.chat.completions.create(model="openai:said", messages=[QUESTION], stream=True)
            chunks = [chunk async for chunk in stream]
            return whole, chunks, [model.id async for model in client.models.list()]

    whole, chunks, models = asyncio.run(work())
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole.choices[0].message.content
    assert models[0] == "openai:said"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),
        ({"stream": True}, 200),
        ({"collection": "a\0b"}, 404),
        ({"collection": "\udfff"}, 400),
        ({"model": "ft:\0"}, 404),
        ({"conversation": "\0"}, 404),
    ],
)
def test_text_that_no_encoding_or_database_takes(address: str, more: dict[str, Any], status: int) -> None:
    question = {"role": "user", "content": "When was \ud800 the \0 Bryne ferry opened?"}
    body = {"model": "openai:said", "messages": [question], "conversation": "new", "trace": True, **more}
    headers = {"Content-Type": "application/json"}
    reply = httpx.post(f"{address}/v1/chat/completions", content=json.dumps(body).encode(), headers=headers)
    assert reply.status_code == status, reply.text


def test_several_answers_take_several_places(client: openai.OpenAI, address: str, upstream: StreamingServer) -> None:
    with pytest.raises(openai.BadRequestError, match="6 answers") as caught:
        ask(client, n=7)
    assert caught.value.param == "n"
    upstream.words, upstream.pause = "word " * 10, 0.002

    async def both() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as one:
            first = asyncio.create_task(one.chat.completions.create(model="openai:slow", messages=[QUESTION], n=5))
            await asyncio.sleep(0.15)
            others = [one.chat.completions.create(model="openai:said", messages=[QUESTION], n=n) for n in (2, 1)]
            return await asyncio.gather(first, *others, return_exceptions=True)

    many, two, alone = asyncio.run(both())
    assert isinstance(two, openai.RateLimitError)
    assert (len(many.choices), len(alone.choices)) == (5, 1)
    assert len(ask(client, n=6).choices) == 6  # the places are free again


def test_why_a_server_withheld_the_rest_is_told(client: openai.OpenAI, upstream: StreamingServer) -> None:
    upstream.finish = "content_filter"
    try:
        assert ask(client).choices[0].finish_reason == "content_filter"
    finally:
        upstream.finish = ""


def test_an_answer_without_a_word_is_one_and_is_asked_for_once(
    client: openai.OpenAI, upstream: StreamingServer
) -> None:
    upstream.words = ""
    reply = ask(client, max_completion_tokens=1)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("", "stop")
    assert reply.usage.completion_tokens == 1
    assert len(list(ask(client, stream=True))) >= 2
    assert len(upstream.bodies) == 2


def test_a_form_that_the_server_refuses_is_the_clients_400_and_changes_nothing_for_others(
    client: openai.OpenAI, upstream: StreamingServer
) -> None:
    schema = {"type": "object", "properties": {}}
    wanted = {"type": "json_schema", "json_schema": {"name": "y", "schema": schema}}
    upstream.forbidden = {"response_format"}
    try:
        with pytest.raises(openai.BadRequestError, match="Unsupported parameter"):
            ask(client, response_format=wanted)
    finally:
        upstream.forbidden = set()
    for strict in (None, False, True):
        wanted["json_schema"] = {"name": "y", "schema": schema, **({} if strict is None else {"strict": strict})}
        ask(client, response_format=wanted)
    sent = [body["response_format"]["json_schema"]["strict"] for body in upstream.bodies]
    assert sent == [False, False, False, True]


def test_what_a_rewriting_and_a_summary_take_counts(indexed: Path, upstream: StreamingServer, tmp_path: Path) -> None:
    answer = {"history_tokens": 128, "refuse_below": 0.0}
    app = create_app(host_in(tmp_path, indexed, model="openai:said", base_url=upstream.address, answer=answer))
    turns = [{"role": role, "content": f"{n} " * 200} for n in range(3) for role in ("user", "assistant")]
    with serving(app) as address:
        reply = ask(client_of(address), messages=[*turns, {"role": "user", "content": "And when was it opened?"}])
    assert len(upstream.bodies) == 3
    assert reply.usage.prompt_tokens == 1200  # of the answer alone
    counted = app.state.metrics.text({}).decode()
    assert 'doceo_tokens_total{kind="prompt",model="openai:said"} 3600.0' in counted


def test_so_many_messages_are_too_many() -> None:
    assert CompletionRequest(model="m", messages=[QUESTION] * 2048).messages
    with pytest.raises(ValueError, match="at most 2048"):
        CompletionRequest(model="m", messages=[QUESTION] * 2049)
