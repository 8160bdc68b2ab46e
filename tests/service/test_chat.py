"""Chat over HTTP with `quote` and with models in this process, asked by the stock `openai` client."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from doceo.app.host import Host
from doceo.service.http import create_app
from tests.service.serving import client_of, host_in, serving

QUESTION: Any = {"role": "user", "content": "When was the Bryne ferry opened?"}


@pytest.fixture(scope="module")
def host(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Host:
    return host_in(tmp_path_factory.mktemp("home"), tiny_run, model="")


@pytest.fixture(scope="module")
def address(host: Host) -> Iterator[str]:
    with serving(create_app(host)) as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> openai.OpenAI:
    return client_of(address)


def test_models(client: openai.OpenAI) -> None:
    ids = [model.id for model in client.models.list()]
    assert ids[0] == "doceo-5m"
    assert ids[-4:] == ["tuned", "base", "quote", "all-MiniLM-L6-v2"]
    assert client.models.retrieve("tuned").owned_by == "doceo"
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("quote")
    with pytest.raises(openai.NotFoundError, match="nothing"):
        client.models.retrieve("nothing")


def test_an_answer_with_its_citations(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="quote", messages=[QUESTION])  # type: ignore[list-item]
    assert "1902" in (reply.choices[0].message.content or "")
    assert reply.choices[0].finish_reason == "stop"
    citation = reply.citations[0]  # type: ignore[attr-defined]
    assert citation["source"] == "library/ferry.md"
    assert citation["verified"]
    assert not reply.refused  # type: ignore[attr-defined]


def test_the_conversation_is_remembered_by_its_messages(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="quote", messages=[QUESTION])  # type: ignore[list-item]
    turns = [
        {"role": "system", "content": "Be brief."},
        QUESTION,
        {"role": "assistant", "content": first.choices[0].message.content},
        {"role": "user", "content": [{"type": "text", "text": "How many cars does it carry?"}]},
    ]
    reply = client.chat.completions.create(model="quote", messages=turns)  # type: ignore[arg-type]
    assert "12 cars" in (reply.choices[0].message.content or "")


def test_streaming_gives_the_same_words_and_ends_with_citations_and_usage(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="quote", messages=[QUESTION])  # type: ignore[list-item]
    chunks = list(
        client.chat.completions.create(
            model="quote", messages=[QUESTION], stream=True, stream_options={"include_usage": True}
        )
    )  # type: ignore[list-item]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    last = next(c for c in chunks if c.choices and c.choices[0].finish_reason == "stop")
    assert last.citations == whole.citations  # type: ignore[attr-defined]
    assert chunks[-1].usage is not None
    assert len({c.id for c in chunks}) == 1


def test_a_model_answers_and_streams_the_same(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="tuned", messages=[QUESTION])  # type: ignore[list-item]
    chunks = client.chat.completions.create(model="tuned", messages=[QUESTION], stream=True)  # type: ignore[list-item]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.strip() == (whole.choices[0].message.content or "").strip()
    assert whole.usage is not None
    assert whole.usage.prompt_tokens > 20


def test_a_local_model_cannot_be_held_to_a_json_form(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="base", messages=[QUESTION], response_format={"type": "json_object"})
    assert caught.value.param == "response_format"


def test_a_refusal_has_no_sources(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="quote", messages=[{"role": "user", "content": "Who won the chess world cup in Baku?"}]
    )
    assert reply.refused  # type: ignore[attr-defined]
    assert reply.citations == []  # type: ignore[attr-defined]


def test_errors_have_the_forms_that_the_client_knows(client: openai.OpenAI, address: str) -> None:
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.chat.completions.create(model="other", messages=[QUESTION])  # type: ignore[list-item]
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="quote", messages=[])
    with pytest.raises(openai.BadRequestError, match="user"):
        client.chat.completions.create(model="quote", messages=[{"role": "assistant", "content": "x"}])
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(
            model="quote", messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
        )
    for nothing in ("", " ", [{"type": "text", "text": ""}]):
        with pytest.raises(openai.BadRequestError, match="empty"):
            client.chat.completions.create(model="quote", messages=[{"role": "user", "content": nothing}])
    with pytest.raises(openai.NotFoundError, match="embeds only"):
        client.chat.completions.create(model="all-MiniLM-L6-v2", messages=[QUESTION])
    with pytest.raises(openai.NotFoundError, match="all-MiniLM-L6-v2 is"):
        client.embeddings.create(model="quote", input="x")
    with pytest.raises(openai.NotFoundError, match="no collection or vector store 'none'; GET /v1/vector_stores"):
        client.chat.completions.create(model="quote+none", messages=[QUESTION])
    with pytest.raises(openai.NotFoundError, match="did you mean /v1/chat/completions"):
        client.with_options(base_url=address.removesuffix("/v1")).chat.completions.create(
            model="quote", messages=[QUESTION]
        )


def test_an_empty_collection_stands_for_no_documents(client: openai.OpenAI) -> None:
    def ask(model: str, **more: object) -> Any:
        return client.chat.completions.create(model=model, messages=[QUESTION], max_tokens=2, extra_body=more)

    assert ask("base").hits
    assert ask("base", collection=None).hits
    assert ask("base", collection="").hits == []
    with pytest.raises(openai.NotFoundError, match="answers from documents only"):
        ask("quote", collection="")
    with pytest.raises(openai.BadRequestError, match="is empty"):
        ask("base+default", collection="")
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        ask("base+")


def test_many_at_once(client: openai.OpenAI) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda _: client.chat.completions.create(model="quote", messages=[QUESTION]), range(24))
        )
    assert len({reply.choices[0].message.content for reply in replies}) == 1
