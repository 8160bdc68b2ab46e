"""The service in its own process, asked by the stock `openai` client."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def address(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("log") / "serve.log"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "doceo", "serve", str(tiny_run), "--port", "0"],
            stdout=out,
            stderr=out,
            env=env,
            cwd=log.parent,
        )
    try:
        found = None
        while process.poll() is None and not (found := re.search(r"http://[\d.:]+/v1", log.read_text())):
            pass
        assert found, log.read_text()
        yield found.group()
    finally:
        process.terminate()
        assert process.wait(20) in (0, 143), log.read_text()


@pytest.fixture(scope="module")
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=address, api_key="none", _strict_response_validation=True, max_retries=0)


QUESTION = {"role": "user", "content": "When was the Bryne ferry opened?"}


def test_health(address: str) -> None:
    with urllib.request.urlopen(address.removesuffix("/v1") + "/healthz") as reply:
        assert json.load(reply) == {"status": "ok"}


def test_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["quote", "tuned", "base"]
    assert client.models.retrieve("tuned").owned_by == "doceo"
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
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="quote", input="x")


def test_many_at_once(client: openai.OpenAI) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda _: client.chat.completions.create(model="quote", messages=[QUESTION]), range(24))
        )  # type: ignore[list-item]
    assert len({reply.choices[0].message.content for reply in replies}) == 1
