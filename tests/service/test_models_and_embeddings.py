"""Models, tuned ones among them, embeddings, and what OpenAI has and Doceo has not."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openai
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from doceo.app.host import Host
from doceo.providers.embedders import open_embedder
from doceo.providers.local_batches import Batches
from doceo.providers.shipped_model import located
from doceo.service.housekeeping import forget_deleted
from doceo.service.http import create_app
from doceo.service.meter import Meter
from doceo.service.routes.absent import _known, is_openais
from tests.service.serving import client_of, host_in, serving
from tests.service.streaming_server import StreamingServer, started

QUESTION = {"role": "user", "content": "When was the Bryne ferry opened?"}
EMBEDDER = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA of the shipped base with weights by chance."""
    torch.manual_seed(0)
    base = located("doceo-5m")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    model.peft_config["default"].base_model_name_or_path = base
    folder = tmp_path_factory.mktemp("adapter") / "a"
    model.save_pretrained(folder)
    return folder


def tuned(host: Host, adapter: Path, owner: str = "local", name: str = "one") -> str:
    """Put an adapter where a job would, and return the model's id."""
    folder = host.jobs / f"ftjob-{name}" / "adapter"
    shutil.copytree(adapter, folder)
    model = f"ft:doceo-5m:{owner}:{name}:0001"
    host.store.models.add(owner, model, base="doceo-5m", folder=f"ftjob-{name}/adapter", job=f"ftjob-{name}")
    return model


@pytest.fixture(scope="module")
def host(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Host:
    return host_in(tmp_path_factory.mktemp("home"), indexed, answer={"max_tokens": 8, "refuse_below": 0.0})


@pytest.fixture(scope="module")
def address(host: Host) -> Iterator[str]:
    with serving(create_app(host)) as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> openai.OpenAI:
    return client_of(address)


def test_a_tuned_model_answers_its_owner_until_it_is_deleted(client: openai.OpenAI, host: Host, adapter: Path) -> None:
    model, foreign = tuned(host, adapter), tuned(host, adapter, "somebody", "two")
    ids = [one.id for one in client.models.list()]
    assert ids == ["doceo-5m", model, "quote", EMBEDDER]
    assert client.models.retrieve(model).created > 1_700_000_000
    says = [
        client.chat.completions.create(model=name, messages=[QUESTION], max_tokens=8).choices[0].message.content  # type: ignore[list-item]
        for name in ("doceo-5m", model, "doceo-5m")
    ]
    assert says[0] == says[2] != says[1]
    for name in (foreign, "ft:doceo-5m:local:none:0"):
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model=name, messages=[QUESTION])  # type: ignore[list-item]
        with pytest.raises(openai.NotFoundError):
            client.models.delete(name)
    earlier = host.store.models.add(
        "local", f"{model}:ckpt-step-1", base="doceo-5m", folder="ftjob-one/adapter/passes/step-1", job="ftjob-one"
    )
    assert client.models.delete(model).deleted
    assert not (host.jobs / "ftjob-one" / "adapter").exists()
    assert host.store.models.get("local", earlier.id) is None, "what lay in its folder is gone with it"
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=model, messages=[QUESTION])  # type: ignore[list-item]
    assert host.store.models.get("somebody", foreign) is not None


def test_one_base_is_in_memory_once(client: openai.OpenAI, host: Host, adapter: Path) -> None:
    for n in range(3):
        model = tuned(host, adapter, name=f"more{n}")
        client.chat.completions.create(model=model, messages=[QUESTION], max_tokens=2)  # type: ignore[list-item]
    assert len(host.assistants.engines._bases) == 1


def test_embeddings_are_those_of_the_indexes(client: openai.OpenAI) -> None:
    texts = ["The ferry was opened in 1902.", "Ünïcode, 日本 and a\nline"]
    expected = open_embedder(EMBEDDER).embed(texts)
    reply = client.embeddings.create(model=EMBEDDER, input=texts, encoding_format="float")
    np.testing.assert_allclose([one.embedding for one in reply.data], expected, atol=1e-6)
    # it asks for base64 where nothing else is said, and decodes that only after its strict look at the types
    lenient = openai.OpenAI(base_url=client.base_url, api_key="x")
    packed = lenient.embeddings.create(model=EMBEDDER, input=texts, encoding_format="base64")
    rows = [np.frombuffer(base64.b64decode(str(one.embedding)), "<f4") for one in packed.data]
    np.testing.assert_allclose(np.stack(rows), expected, atol=1e-6)
    assert [one.index for one in reply.data] == [0, 1]
    assert reply.usage.prompt_tokens == reply.usage.total_tokens > 10
    one = lenient.embeddings.create(model=EMBEDDER, input=texts[0])
    np.testing.assert_allclose(one.data[0].embedding, expected[0], atol=1e-6)


def test_many_embeddings_come_in_order(address: str) -> None:
    async def work() -> list[int]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            reply = await client.embeddings.create(model=EMBEDDER, input=[f"number {n}" for n in range(70)])
            return [one.index for one in reply.data]

    assert asyncio.run(work()) == list(range(70))


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["x"] * 2049}, "input"),
        ({"input": [1, 2, 3]}, "input"),
        ({"input": [[1, 2], [3]]}, "input"),
        ({"input": "word " * 300}, "input"),
        ({"input": ["x", "y" * 32_769]}, "input"),
        ({"dimensions": 8}, "dimensions"),
    ],
)
def test_embeddings_that_cannot_be_made(client: openai.OpenAI, more: dict[str, object], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(**{"model": EMBEDDER, "input": "x", **more})  # type: ignore[arg-type]
    assert caught.value.param == param


def test_only_the_embedder_embeds(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="text-embedding-3-small", input="x")


def test_what_openai_has_and_doceo_has_not_is_said(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError, match="/v1/chat/completions") as caught:
        client.responses.create(model="quote", input="Hello")
    assert (caught.value.status_code, caught.value.code) == (501, "not_implemented")
    for call in (
        lambda: client.images.generate(model="x", prompt="y"),
        lambda: client.moderations.create(input="x"),
        lambda: client.batches.list(),
        lambda: client.chat.completions.list(),
        lambda: client.completions.create(model="quote", prompt="x"),
    ):
        with pytest.raises(openai.APIStatusError) as caught:
            call()
        assert caught.value.status_code == 501


def test_what_nobody_has_is_not_found(address: str) -> None:
    for path in ("/v1/nothing", "/v1/responses/a/b/c"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(address + path)
        assert caught.value.code == 404
        assert json.load(caught.value)["error"]["code"] == "not_found"


def test_nothing_that_there_is_counts_as_absent(host: Host) -> None:
    paths = create_app(host).openapi()["paths"]
    there = [(m.upper(), p.removeprefix("/v1")) for p, ms in paths.items() for m in ms if p.startswith("/v1/")]
    assert len(there) > 20
    assert [(m, p) for m, p in there if is_openais(m, p) and "permissions" not in p] == []
    assert len(_known()) > 100


def test_a_tuned_model_is_loaded_into_vllm_and_answers_there(indexed: Path, adapter: Path, tmp_path: Path) -> None:
    """Against a fake that does what vLLM's documentation says; a real vLLM was not at hand."""
    with started() as vllm:
        host = host_in(tmp_path, indexed, service={"vllm": vllm.address}, answer={"refuse_below": 0.0})
        model = tuned(host, adapter)
        with serving(create_app(host)) as address:
            client = client_of(address)
            _asked_there(client, model, vllm)
            assert vllm.adapters == {model: str((host.jobs / "ftjob-one" / "adapter").resolve())}
            vllm.adapters.clear()  # it was started anew
            _asked_there(client, model, vllm)
            assert client.models.delete(model).deleted
            assert vllm.adapters == {}


def _asked_there(client: openai.OpenAI, model: str, vllm: StreamingServer) -> None:
    reply = client.chat.completions.create(model=model, messages=[QUESTION])  # type: ignore[list-item]
    assert reply.choices[0].message.content == "It was opened in 1902 [1]."
    assert vllm.bodies[-1]["model"] == model


def test_who_leaves_before_the_vectors_are_made_ends_the_work(
    address: str, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    from doceo.service.routes import embeddings

    made, counted = list[int](), list[int]()

    def slow(host: Host, texts: list[str]) -> np.ndarray:
        made.append(len(texts))
        time.sleep(0.05)
        return np.zeros((len(texts), 4))

    monkeypatch.setattr(embeddings, "_vectors", slow)
    monkeypatch.setattr(Meter, "used", lambda self, model, prompt, completion, **more: counted.append(prompt))
    impatient = client_of(address).with_options(timeout=0.15)
    with pytest.raises(openai.APITimeoutError):
        impatient.embeddings.create(model=EMBEDDER, input=["a word"] * 1000)
    time.sleep(0.1)
    at = len(made)
    time.sleep(0.12)
    assert len(made) == at < 10
    assert counted == [2000]


def test_every_model_that_is_listed_can_be_asked(indexed: Path, adapter: Path, tmp_path: Path) -> None:
    host = host_in(tmp_path, indexed, answer={"max_tokens": 4, "refuse_below": 0.0})
    model = tuned(host, adapter, "ana")
    secret = host.store.keys.create("ana", "", ("chat",), collections=())[1]
    whole = host.store.keys.create("ana", "", ("chat",))[1]
    with serving(create_app(host)) as address:
        client = client_of(address, secret)
        ids = [one.id for one in client.models.list()]
        assert ids == ["doceo-5m", model, EMBEDDER]
        for name in ids[:2]:
            reply = client.chat.completions.create(model=name, messages=[QUESTION])  # type: ignore[list-item]
            # its own model answers, and nothing of the documents that this key may not search
            assert reply.usage is not None
            assert (reply.citations, reply.hits) == ([], [])  # type: ignore[attr-defined]
            alone, over = (
                reply.usage.prompt_tokens,
                client_of(address, whole).chat.completions.create(
                    model=name,
                    messages=[QUESTION],  # type: ignore[list-item]
                ),
            )
            assert over.usage is not None
            assert over.usage.prompt_tokens > alone + 50
        with pytest.raises(openai.NotFoundError, match="documents only"):
            client.chat.completions.create(model="quote", messages=[QUESTION])  # type: ignore[list-item]


def test_who_comes_when_too_many_wait_for_a_model_is_told_so(
    client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batches, "_full", lambda self: True)
    for stream in (False, True):
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="doceo-5m", messages=[QUESTION], stream=stream)  # type: ignore[call-overload]
        assert (caught.value.code, caught.value.response.headers["retry-after"]) == ("busy", "1")


def test_a_model_that_another_process_deleted_leaves_the_memory(
    client: openai.OpenAI, host: Host, adapter: Path
) -> None:
    models = [tuned(host, adapter, name=name) for name in ("here", "there")]
    for model in models:
        client.chat.completions.create(model=model, messages=[QUESTION], max_tokens=2)  # type: ignore[list-item]
    (base,) = host.assistants.engines._bases.values()
    folders = [host.jobs / f"ftjob-{name}" / "adapter" for name in ("here", "there")]
    assert {folder.resolve() for folder in folders} <= {*base._weights._loaded}
    host.store.models.delete("local", models[1])
    asyncio.run(forget_deleted(host))
    assert folders[0].resolve() in base._weights._loaded
    assert folders[1].resolve() not in base._weights._loaded
    assert models[0] in host.assistants._tuned
    assert models[1] not in host.assistants._tuned
