"""A local model: batches equal single answers, adapters switch, prompts are never cut."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
import torch

from doceo.core.config import FinetuneConfig
from doceo.core.errors import ModelNotFound, ProviderError, RequestRejected
from doceo.core.progress import Silent
from doceo.core.records import ChatRequest, Message
from doceo.providers.hf_models import open_tokenizer
from doceo.providers.local_hf import LocalModel
from doceo.providers.local_stream import cut
from doceo.providers.model_folder import base_of
from finetune.lora import finetune
from tests.providers.streamed import streamed
from tests.tiny_base import make_base

TEXTS = ["Ada Lovelace wrote the first program in 1843.", "A loom weaves what cards tell it.", "Who? When? What?"] * 12
FACTS = {"Who wrote it?": "Ada wrote it.", "What does a loom do?": "A loom weaves.", "When?": "In 1843."}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "base"
    make_base(TEXTS, folder, depth=2, vocab_size=320, context=256, max_steps=80, batch_tokens=256)
    return folder


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    rows = base.parent / "rows.jsonl"
    lines = [[{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in FACTS.items()]
    rows.write_text("".join(json.dumps({"messages": line}) + "\n" for line in lines))
    config = FinetuneConfig(epochs=60, batch_size=3)
    finetune(rows, None, str(base), config, base.parent / "adapter", Silent())
    return base.parent / "adapter"


@pytest.fixture(scope="module")
def model(base: Path) -> LocalModel:
    return LocalModel(base, name="hf:tiny")


def _ask(question: str, **more: object) -> ChatRequest:
    return ChatRequest.model_validate({"messages": (Message(role="user", content=question),), "max_tokens": 12, **more})


def test_batches_equal_single_answers(model: LocalModel) -> None:
    requests = [_ask("loom " * n + "?", max_tokens=8 + n % 2) for n in (1, 30, 3, 12, 7)]
    together = [reply.text for reply in model.complete_many(requests)]
    assert together == [model.complete(request).text for request in requests]
    assert len(set(together)) > 1


def test_usage_counts_tokens(model: LocalModel) -> None:
    reply = model.complete(_ask("Who wrote it?"))
    messages = (Message(role="user", content="Who wrote it?"),)
    assert reply.usage.prompt_tokens == model.count_tokens(messages) > 3
    assert reply.finish == "length"
    assert reply.usage.completion_tokens == 12


def test_the_tuned_model_has_learned_and_stops_by_itself(model: LocalModel, adapter: Path) -> None:
    tuned = model.with_adapter(adapter, "tuned")
    before = model.complete(_ask("Who wrote it?")).text
    replies = tuned.complete_many([_ask(question, max_tokens=40) for question in FACTS])
    assert [reply.text for reply in replies] == list(FACTS.values())
    assert {reply.finish for reply in replies} == {"stop"}
    assert model.complete(_ask("Who wrote it?")).text == before
    assert tuned.name == "tuned"
    assert model.with_adapter(adapter, "again").complete(_ask("When?")).text == "In 1843."


def test_an_adapter_folder_opens_with_its_base(adapter: Path, base: Path) -> None:
    assert base_of(adapter) == str(base)
    assert LocalModel(adapter).complete(_ask("When?")).text == "In 1843."


def test_streamed_pieces_join_to_the_answer(model: LocalModel, adapter: Path) -> None:
    tuned = model.with_adapter(adapter, "tuned")
    request = _ask("What does a loom do?", max_tokens=40)
    stopped = request.model_copy(update={"stop": (" weaves",)})
    short = request.model_copy(update={"max_tokens": 2})
    for asked, text, finish in (
        (request, "A loom weaves.", "stop"),
        (stopped, "A loom", "stop"),
        (short, "", "length"),
    ):
        _, reply = streamed(tuned.stream(asked))
        whole = tuned.complete(asked)
        assert reply.text == whole.text
        assert reply.text.startswith(text)
        assert reply.finish == whole.finish == finish
        assert reply.usage.prompt_tokens == whole.usage.prompt_tokens > 3
        assert reply.usage.completion_tokens == whole.usage.completion_tokens > 1
        assert reply.usage.seconds > 0


def test_leaving_a_stream_frees_the_model(model: LocalModel) -> None:
    stream = model.stream(_ask("Who wrote it?", max_tokens=200))
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert threading.active_count() == 1 or model.complete(_ask("When?", max_tokens=2)).text is not None


def test_sampling_follows_the_seed(model: LocalModel) -> None:
    state = torch.random.get_rng_state()
    one, two, three = (model.complete(_ask("Who?", temperature=1.5, seed=s)).text for s in (1, 1, 2))
    assert one == two != three
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_prompt_is_refused_rather_than_cut(model: LocalModel) -> None:
    with pytest.raises(RequestRejected, match="can read 256"):
        model.complete(_ask("why " * 300))
    long = _ask("a " * 100, max_tokens=500)
    assert model.complete(long).usage.completion_tokens <= 256 - model.count_tokens(long.messages)


def test_many_threads(model: LocalModel, adapter: Path) -> None:
    tuned = model.with_adapter(adapter, "tuned")
    expected = {system: system.complete(_ask("When?")).text for system in (model, tuned)}
    wrong: list[str] = []

    def work(system: LocalModel) -> None:
        for _ in range(3):
            text = system.complete(_ask("When?")).text
            if text != expected[system]:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(system,)) for system in (model, tuned) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_model_without_template_or_padding(base: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in base.iterdir():
        if file.name not in {"chat_template.jinja"}:
            (bare / file.name).write_bytes(file.read_bytes())
    settings = json.loads((bare / "tokenizer_config.json").read_text())
    for key in ("chat_template", "pad_token"):
        settings.pop(key, None)
    (bare / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = open_tokenizer(str(bare))
    assert tokenizer.pad_token == tokenizer.eos_token
    turns = [{"role": "user", "content": "Who?"}]
    assert tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) == "User: Who?\n\nAnswer:"
    replies = LocalModel(bare).complete_many([_ask("Who?"), _ask("What is a loom and who wrote it?")])
    assert [reply.text for reply in replies] == [
        LocalModel(bare).complete(_ask(q)).text for q in ("Who?", "What is a loom and who wrote it?")
    ]


def test_what_cannot_be_opened(base: Path, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no model folder"):
        LocalModel(tmp_path / "none")
    with pytest.raises(ModelNotFound, match="no adapter"):
        LocalModel(base, adapter=tmp_path)
    broken = shutil.copytree(base, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not a model")
    with pytest.raises(ProviderError, match="cannot be opened"):
        LocalModel(broken)
    other = tmp_path / "other"
    make_base(TEXTS, other, depth=1, vocab_size=300, context=128, max_steps=1, batch_tokens=128)
    with pytest.raises(ProviderError, match="cannot be put on this base"):
        LocalModel(other, adapter=adapter)
    encoder = shutil.copytree(broken, tmp_path / "encoder")
    (encoder / "config.json").write_text('{"model_type": "vit", "architectures": ["ViTModel"]}')
    with pytest.raises(ProviderError, match="not a causal language model"):
        LocalModel(encoder)
    unknown = shutil.copytree(broken, tmp_path / "unknown")
    (unknown / "config.json").write_text('{"model_type": "from_the_future"}')
    with pytest.raises(ProviderError, match="does not know the architecture"):
        LocalModel(unknown)


@pytest.mark.parametrize(
    ("parts", "stop", "text"),
    [
        (["ab", "cd"], (), "abcd"),
        (["ab", "c<", "e", "nd>x"], ("<end>",), "abc"),
        (["a<", "b"], ("<end>",), "a<b"),
        (["<end>"], ("<end>",), ""),
    ],
)
def test_stop_marks_may_come_in_pieces(parts: list[str], stop: tuple[str, ...], text: str) -> None:
    assert "".join(cut(iter(parts), stop)) == text
