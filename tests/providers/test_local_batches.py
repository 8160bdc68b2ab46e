"""Many requests to one base at once: each through its own adapter, drawn by its own seed, ended by itself."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from doceo.core.errors import ModelBusy, ModelNotFound, RequestRejected, ServerFailed
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.providers.local_batches import Batches, Row
from doceo.providers.local_hf import LocalModel
from doceo.providers.local_text import Shown
from tests.tiny_base import make_base

TEXTS = ["Ada Lovelace wrote the first program in 1843.", "A loom weaves what cards tell it.", "Who? When? What?"] * 12


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batches") / "base"
    make_base(TEXTS, folder, depth=2, vocab_size=320, context=256, max_steps=40, batch_tokens=256)
    return folder


@pytest.fixture(scope="module")
def models(base: Path) -> dict[str, LocalModel]:
    """The base, and two adapters with weights by chance, under which it says something else."""
    model = LocalModel(base, name="base")
    found = {"base": model}
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        fresh = get_peft_model(LocalModel(base)._weights.model, LoraConfig(r=4, target_modules="all-linear"))
        for key, weight in fresh.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weight, std=0.5)
        fresh.save_pretrained(base.parent / name)
        found[name] = model.with_adapter(base.parent / name, name)
    return found


def _ask(**more: object) -> ChatRequest:
    return ChatRequest.model_validate(
        {"messages": (Message(role="user", content="Who wrote it?"),), "max_tokens": 24, **more}
    )


async def _together(asked: list[tuple[LocalModel, ChatRequest]]) -> list[ChatReply]:
    return await asyncio.gather(*(model.asynchronous().complete(request) for model, request in asked))


def test_rows_of_one_batch_go_through_their_own_adapters(models: dict[str, LocalModel]) -> None:
    order = ["one", "base", "two", "one", "two", "base"]
    weights = models["base"]._weights
    with weights.lock:  # all of them wait, so that they are one batch
        work = asyncio.new_event_loop()
        batches = models["base"].batches
        seen: list[int] = []
        plain = batches._generate
        batches._generate = lambda batch: (seen.append(len(batch)), plain(batch))[1]  # type: ignore[method-assign]

        async def gathered() -> list[ChatReply]:
            tasks = [asyncio.create_task(models[name].asynchronous().complete(_ask())) for name in order]
            while len(batches._waiting) + sum(seen) < len(order):
                await asyncio.sleep(0.01)
            weights.lock.release()
            return await asyncio.gather(*tasks)

        replies = work.run_until_complete(gathered())
        weights.lock.acquire()
        work.close()
    batches._generate = plain  # type: ignore[method-assign]
    assert max(seen) > 2
    alone = {name: models[name].complete(_ask()) for name in models}
    assert [reply.text for reply in replies] == [alone[name].text for name in order]
    assert len({reply.text for reply in alone.values()}) == 3
    assert [(r.finish, r.usage.prompt_tokens, r.usage.completion_tokens) for r in replies] == [
        (alone[n].finish, alone[n].usage.prompt_tokens, alone[n].usage.completion_tokens) for n in order
    ]


def test_every_row_has_its_own_limit_stop_mark_and_seed(models: dict[str, LocalModel]) -> None:
    base, one = models["base"], models["one"]
    text = one.complete(_ask()).text
    asked = [
        (one, _ask()),
        (one, _ask(stop=(text[5:8],))),
        (one, _ask(max_tokens=2)),
        (base, _ask(temperature=1.5, seed=7)),
        (base, _ask(temperature=1.5, seed=8)),
        (base, _ask(temperature=1.5, seed=7, top_p=1e-6)),
    ]
    whole, stopped, short, seven, eight, narrow = asyncio.run(_together(asked))
    assert whole.text == text
    assert (stopped.text, stopped.finish) == (text[: text.index(text[5:8])].rstrip(), "stop")
    assert stopped.usage.completion_tokens < whole.usage.completion_tokens
    assert (short.finish, short.usage.completion_tokens) == ("length", 2)
    assert seven.text != eight.text
    assert asyncio.run(_together([asked[3]]))[0].text == seven.text
    assert narrow.text == asyncio.run(_together([(base, _ask())]))[0].text


def test_the_narrowest_draws_are_greedy_and_hurt_nobody(models: dict[str, LocalModel]) -> None:
    base = models["base"]
    narrow = [_ask(temperature=1.5, top_p=0.0), _ask(temperature=1e-300), _ask()]
    assert len({reply.text for reply in asyncio.run(_together([(base, one) for one in narrow]))}) == 1


def test_a_penalty_keeps_a_token_from_coming_again(models: dict[str, LocalModel]) -> None:
    plain, punished = asyncio.run(
        _together([(models["base"], _ask(max_tokens=60)), (models["base"], _ask(max_tokens=60, frequency_penalty=2.0))])
    )
    assert len(set(punished.text)) > len(set(plain.text))


def test_leaving_a_stream_ends_its_generation_within_a_few_tokens(models: dict[str, LocalModel]) -> None:
    model = models["base"]
    rows = []
    plain = model.batches.add
    model.batches.add = lambda row: (rows.append(row), plain(row))[1]  # type: ignore[method-assign]

    async def leave() -> int:
        stream: AsyncGenerator[str | ChatReply, None] = model.asynchronous().stream(_ask(max_tokens=200))
        async with aclosing(stream):
            async for _ in stream:
                break
        at = len(rows[0].tokens)
        while not rows[0].done:
            await asyncio.sleep(0.001)
        return len(rows[0].tokens) - at

    try:
        assert asyncio.run(leave()) <= 3
    finally:
        model.batches.add = plain  # type: ignore[method-assign]
    assert len(rows[0].tokens) < 150


def test_a_prompt_that_is_too_long_is_refused_alone(models: dict[str, LocalModel]) -> None:
    long = ChatRequest(messages=(Message(role="user", content="why " * 300),))

    async def both() -> list[object]:
        face = models["one"].asynchronous()
        return await asyncio.gather(face.complete(long), face.complete(_ask()), return_exceptions=True)

    refused, answered = asyncio.run(both())
    assert isinstance(refused, RequestRejected)
    assert isinstance(answered, ChatReply)
    assert answered.text == models["one"].complete(_ask()).text


@pytest.mark.parametrize(
    ("parts", "stop", "text"),
    [
        ([" a", "b ", "c "], (), "ab c"),
        (["ab", "c<", "e", "nd>x"], ("<end>",), "abc"),
        (["a<", "b"], ("<end>",), "a<b"),
        (["<think>x</th", "ink>y"], (), "y"),
        (["x y", "z"], ("y", "yz"), "x"),
    ],
)
def test_text_is_shown_as_the_whole_answer_is(parts: list[str], stop: tuple[str, ...], text: str) -> None:
    shown = Shown(stop)
    assert "".join([*map(shown.add, parts), shown.end()]) == text


def test_an_adapter_that_is_let_go_leaves_the_others_as_they_are(base: Path, models: dict[str, LocalModel]) -> None:
    own = LocalModel(base)
    one, two = (own.with_adapter(base.parent / name, name) for name in ("one", "two"))
    before = two.complete(_ask()).text, own.complete(_ask()).text
    assert one.size().adapter_bytes
    own.detach(base.parent / "one")
    assert (two.complete(_ask()).text, own.complete(_ask()).text) == before
    assert asyncio.run(_together([(two, _ask()), (own, _ask())]))[0].text == before[0]
    assert not [name for name, _ in own._weights.model.named_parameters() if "adapter0" in name]
    with pytest.raises(ModelNotFound):
        asyncio.run(_together([(one, _ask())]))
    again = own.with_adapter(base.parent / "one", "again")
    assert again.complete(_ask()).text == models["one"].complete(_ask()).text


def test_what_breaks_a_batch_ends_neither_the_others_nor_the_thread(
    models: dict[str, LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, tried = models["base"].batches, list[int]()
    plain = batches._generate

    def broken(batch: list[Row]) -> None:
        tried.append(len(batch))
        if len(batch) > 1 or batch[0].request.seed == 13:
            raise AssertionError("nobody foresaw this")
        plain(batch)

    monkeypatch.setattr(batches, "_generate", broken)

    async def three() -> list[object]:
        asked = [models["one"].asynchronous().complete(_ask(seed=seed)) for seed in (1, 13, 2)]
        return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 20)

    one, other, two = asyncio.run(three())
    assert isinstance(other, ServerFailed)
    assert "nobody foresaw" in other.message
    assert isinstance(one, ChatReply)
    assert isinstance(two, ChatReply)
    assert max(tried) > 1
    batches._thread = threading.Thread()  # one that is dead, however it died
    assert asyncio.run(asyncio.wait_for(_together([(models["one"], _ask())]), 20))[0].text == one.text


def test_an_adapter_that_is_deleted_or_damaged_hurts_only_who_asks_it(
    base: Path, models: dict[str, LocalModel], tmp_path: Path
) -> None:
    own = LocalModel(base)
    shutil.copytree(base.parent / "one", tmp_path / "nan")
    kept, gone, damaged = (
        own.with_adapter(folder, "x") for folder in (base.parent / "two", base.parent / "one", tmp_path / "nan")
    )
    with torch.no_grad():
        for name, weight in own._weights.model.named_parameters():
            if "adapter2" in name:
                weight.fill_(float("nan"))
    drawn = _ask(temperature=1.0, seed=3)
    alone = asyncio.run(_together([(kept, drawn)]))[0].text

    async def work() -> list[object]:
        with own._weights.lock:  # deleted while its row waits, in one batch with the others
            asked = [asyncio.create_task(one.asynchronous().complete(drawn)) for one in (kept, gone, damaged)]
            while not own.batches._thread or len(own.batches._waiting):
                await asyncio.sleep(0.01)
            own._weights._mixing.pop(base.parent / "one")
        return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 20)

    whole, missing, noise = asyncio.run(work())
    assert isinstance(noise, ChatReply)
    assert isinstance(whole, ChatReply)
    assert whole.text == alone
    assert isinstance(missing, ModelNotFound)


def test_two_batches_may_wait_and_who_comes_then_is_told_so(models: dict[str, LocalModel]) -> None:
    weights = models["base"]._weights
    few, small = Batches(weights, rows=1), Batches(weights, tokens=100)

    def row(new: int = 1) -> Row:
        return Row([1, 2], new, _ask(), None, lambda _: None)

    with weights.lock:
        for batches, rows in ((few, [row() for _ in range(3)]), (small, [row(80), row(98), row(100)])):
            for at, one in enumerate(rows):
                batches.add(one)
                while not at and batches._waiting:  # the first is being answered
                    threading.Event().wait(0.001)
            with pytest.raises(ModelBusy) as caught:
                batches.add(row())
            assert caught.value.retry_after == 1.0
            rows[1].left.set()
            batches.add(row())  # somebody has left
        for one in (*few._waiting, *small._waiting):
            one.left.set()


def test_as_many_adapters_are_in_memory_as_may_be(base: Path, models: dict[str, LocalModel]) -> None:
    own = LocalModel(base, most=1)
    one, two = (own.with_adapter(base.parent / name, name) for name in ("one", "two"))
    expected = [models[name].complete(_ask()).text for name in ("one", "two", "one", "base")]
    asked = [(one, _ask()), (two, _ask()), (one, _ask()), (own, _ask())]
    assert [reply.text for reply in asyncio.run(_together(asked))] == expected
    assert [model.complete(request).text for model, request in asked] == expected
    held = {part for name, _ in own._weights.model.named_parameters() for part in name.split(".") if "adapter" in part}
    assert len(held) == 1
    own.detach(base.parent / "one")
    with pytest.raises(ModelNotFound):
        one.complete(_ask())
