"""A GGUF file as a chat model: the same answers as transformers, streamed, stopped, bounded, closed."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from doceo.app.models import open_provider
from doceo.app.settings import Settings
from doceo.cli.main import app
from doceo.core.errors import MissingExtra, ModelNotFound, ProviderError, RequestRejected
from doceo.core.progress import Silent
from doceo.core.records import ChatRequest, Message
from doceo.providers.local_gguf import GgufModel
from doceo.providers.local_hf import LocalModel
from finetune.export.gguf_writer import write_gguf
from tests.finetune.tiny_models import tiny_model, tiny_tokenizer
from tests.providers.streamed import streamed

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("gguf")
    tokenizer = tiny_tokenizer()
    model = tiny_model("llama", tokenizer)
    model.save_pretrained(place / "hf")
    tokenizer.save_pretrained(place / "hf")
    write_gguf(model, tokenizer, place / "m.gguf", kind="f32", context=512, ends=[2], name="tiny")
    return place


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[GgufModel]:
    with GgufModel(folder / "m.gguf") as opened:
        yield opened


def ask(question: str = "What is a chunk?", **more: object) -> ChatRequest:
    messages = (Message(role="system", content="Be brief."), Message(role="user", content=question))
    return ChatRequest.model_validate({"messages": messages, "max_tokens": 12, **more})


def test_it_answers_as_transformers_does(folder: Path, model: GgufModel) -> None:
    other = LocalModel(folder / "hf")
    assert model.name == f"gguf:{folder / 'm.gguf'}"
    assert model.context == other.context == 512
    for question in ("What is a chunk?", "When was the bridge opened?", "日本語 🙂?"):
        request = ask(question)
        assert model.count_tokens(request.messages) == other.count_tokens(request.messages)
        mine, theirs = model.complete(request), other.complete(request)
        # a character that is cut off in the middle is shown as one mark here and as several there
        assert mine.text.replace("�", "") == theirs.text.replace("�", "")
        assert mine.finish == theirs.finish == "length"
        assert mine.usage.prompt_tokens == theirs.usage.prompt_tokens
        assert mine.usage.completion_tokens == 12
        _, reply = streamed(model.stream(request))
        assert reply.text.rstrip("�") == mine.text.rstrip("�")
        assert reply.finish == "length"
        assert reply.usage.prompt_tokens == mine.usage.prompt_tokens > reply.usage.cached_tokens
        assert reply.usage.completion_tokens == 12
        again = streamed(model.stream(request))[1].usage
        assert again.cached_tokens == again.prompt_tokens - 1


def test_stop_marks_seeds_and_ends(model: GgufModel) -> None:
    whole = model.complete(ask(max_tokens=30)).text
    mark = whole[8:11]
    cut = model.complete(ask(max_tokens=30, stop=(mark,)))
    assert cut.text == whole[: whole.index(mark)].strip()
    assert cut.finish == "stop"
    reply = streamed(model.stream(ask(max_tokens=30, stop=(mark,))))[1]
    assert (reply.text, reply.finish) == (cut.text, "stop")
    assert reply.usage.completion_tokens == cut.usage.completion_tokens
    drawn = [model.complete(ask(temperature=1.5, seed=seed)).text for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_reply_depends_on_its_request_alone(model: GgufModel) -> None:
    before = model.complete(ask(max_tokens=40)).text
    list(model.stream(ask("something else entirely", max_tokens=40)))
    assert model.complete(ask(max_tokens=40)).text == before


def test_a_prompt_that_is_too_long_is_told(model: GgufModel) -> None:
    long = ask("word " * 600)
    for answer in (model.complete, lambda request: list(model.stream(request))):
        with pytest.raises(RequestRejected, match="can read 512") as caught:
            answer(long)
        assert "longer context" in caught.value.hint
    room = model.context - model.count_tokens(ask().messages)
    assert model.complete(ask(max_tokens=10_000)).usage.completion_tokens <= room


def test_the_form_of_a_reply_is_kept_to(model: GgufModel) -> None:
    schema = {"type": "object", "properties": {"ok": {"enum": [True]}}, "required": ["ok"]}
    text = model.complete(ask(form={**schema, "additionalProperties": False}, max_tokens=200, temperature=1.0, seed=3))
    assert json.loads(text.text) == {"ok": True} or text.finish == "length"
    assert text.text.startswith("{")


def test_leaving_a_stream_early_stops_it(model: GgufModel) -> None:
    before = threading.active_count()
    stream = model.stream(ask(max_tokens=400))
    assert next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert threading.active_count() == before
    assert model.complete(ask()).usage.completion_tokens == 12


def test_many_threads_get_their_own_answers(model: GgufModel) -> None:
    questions = [f"What is number {n}?" for n in range(6)]
    expected = [model.complete(ask(question)).text for question in questions]
    found: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: model.complete(ask(questions[n])).text}))
        for n in range(len(questions))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(len(questions))] == expected


def test_a_template_that_refuses_messages_is_told(folder: Path, tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('no system here') }}"
    model = tiny_model("llama", tokenizer)
    write_gguf(model, tokenizer, tmp_path / "m.gguf", kind="f16", context=512, ends=[2], name="m")
    with GgufModel(tmp_path / "m.gguf") as opened, pytest.raises(RequestRejected, match="no system here"):
        opened.complete(ask())


def test_it_is_asked_in_the_words_in_which_transformers_is(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
        "{{ date_string or strftime_now('%d %b %Y') }}" + str(tokenizer.chat_template)
    )
    model = tiny_model("llama", tokenizer)
    model.save_pretrained(tmp_path / "hf")
    tokenizer.save_pretrained(tmp_path / "hf")
    write_gguf(model, tokenizer, tmp_path / "m.gguf", kind="f32", context=512, ends=[2], name="m")
    with GgufModel(tmp_path / "m.gguf") as opened:
        assert opened.complete(ask()).text == LocalModel(tmp_path / "hf").complete(ask()).text
        assert opened.count_tokens(ask().messages) == LocalModel(tmp_path / "hf").count_tokens(ask().messages)


def test_reasoning_is_no_part_of_an_answer(model: GgufModel, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "<think>Hm. Two\nlines.</think>\n\nForty-two."
    choice = {"text": text, "finish_reason": "stop"}
    reply = {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 9}}

    def stream(body: object, take: Any) -> None:
        for n in range(0, len(text), 4):
            take({"choices": [{"text": text[n : n + 4]}]})
        take({**reply, "choices": [{"text": "", "finish_reason": "stop"}]})

    monkeypatch.setattr(model._server, "complete", lambda body: reply)
    monkeypatch.setattr(model._server, "stream", stream)
    assert model.complete(ask()).text == "Forty-two."
    assert streamed(model.stream(ask()))[1].text == "Forty-two."


def test_opening_and_closing_at_once_never_hangs(folder: Path) -> None:
    for _ in range(20):
        GgufModel(folder / "m.gguf").close()


def test_only_this_process_is_answered(model: GgufModel) -> None:
    address: str = model._server._server.listening_address
    assert address.startswith("http://127.0.0.1:")
    request = urllib.request.Request(f"{address}/completion", data=b'{"prompt": "x"}')
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=10)


def test_closing_frees_the_port(folder: Path) -> None:
    opened = GgufModel(folder / "m.gguf")
    address: str = opened._server._server.listening_address
    opened.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{address}/health", timeout=2)


def test_files_that_are_none(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNotFound, match="no file"):
        GgufModel(tmp_path / "none.gguf")
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ProviderError, match="not a GGUF file"):
        GgufModel(tmp_path / "text.gguf")
    (tmp_path / "cut.gguf").write_bytes((folder / "m.gguf").read_bytes()[:200_000])
    with pytest.raises(ProviderError, match=r"cannot open .*cut\.gguf"):
        GgufModel(tmp_path / "cut.gguf")
    monkeypatch.setitem(__import__("sys").modules, "xllamacpp", None)
    with pytest.raises(MissingExtra, match="xllamacpp"):
        GgufModel(folder / "m.gguf")


def test_it_is_named_like_every_model(folder: Path) -> None:
    spec = f"gguf:{folder / 'm.gguf'}"
    settings = Settings(answer={"context_tokens": 256})  # type: ignore[arg-type]  # pydantic reads it
    opened: Any = open_provider(spec, settings, journal=None, progress=Silent())
    assert opened.name == spec
    assert opened.context == 512  # llama.cpp takes no less
    opened.close()
    result = CliRunner().invoke(app, ["ask", "Why?", "--no-documents", "--model", spec, "--json"], prog_name="doceo")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["usage"]["completion_tokens"] > 0
