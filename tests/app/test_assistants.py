"""Opening the models of a service: once each, and nobody waits who asks for something else."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from doceo.app.assistants import Assistants
from doceo.app.model_check import check_model, check_vllm
from doceo.app.settings import Settings, load_settings
from doceo.core.errors import DoceoError
from doceo.core.progress import Silent


class Opening:
    """In place of what opens: models called `slow` take until they may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.opened: list[str] = []

    def __call__(self, name: str, *args: object) -> Any:
        self.opened.append(name)
        if name.startswith("slow"):
            assert self.may.wait(20)
        return f"who answers as {name}"


@pytest.fixture
def opening() -> Opening:
    return Opening()


@pytest.fixture
def assistants(opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assistants:
    named = tuple(f"{kind}{n}" for kind in ("slow", "quick") for n in range(8))
    made = Assistants(Settings(service={"models": named}), Silent(), home=tmp_path)  # type: ignore[arg-type]
    monkeypatch.setattr(made, "_served", opening)
    return made


def test_what_takes_its_time_holds_up_nobody_else(assistants: Assistants, opening: Opening) -> None:
    async def work() -> None:
        # the threads that everything else of a service shares
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        waiting = [asyncio.create_task(assistants.ready(f"slow{n % 8}")) for n in range(64)]
        await asyncio.sleep(0.05)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 5) == 1
        assert await asyncio.wait_for(assistants.ready("quick0"), 5) == "who answers as quick0"
        waiting[0].cancel()  # who leaves takes nothing from those who asked for the same
        opening.may.set()
        replies = await asyncio.wait_for(asyncio.gather(*waiting[1:]), 5)
        assert {str(reply) for reply in replies} == {f"who answers as slow{n}" for n in range(8)}

    asyncio.run(work())
    assert sorted(opening.opened) == ["quick0", *(f"slow{n}" for n in range(8))]
    assert str(assistants.get("slow3")) == "who answers as slow3"
    assert len(opening.opened) == 9


def test_what_cannot_be_opened_is_told_and_tried_again(
    assistants: Assistants, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> Any:
        raise DoceoError("away", hint="wait")

    with monkeypatch.context() as patched:
        patched.setattr(assistants, "_served", broken)
        with pytest.raises(DoceoError, match="away"):
            asyncio.run(assistants.ready("quick1"))
    assert str(assistants.get("quick1")) == "who answers as quick1"
    assert assistants.get("unheard-of") is None
    assert assistants.get("quote", None) is None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("foo:bar", "of no known kind"),
        ("openai:gpt-5", "needs a key"),
        ("vllm:", "names no model"),
        ("hf:./not-there", "no model folder ./not-there"),
        ("/not/there", "no model folder /not/there"),
        ("adapter:/not/there", "no adapter in /not/there"),
        ("gguf:not-there.gguf", "no file not-there.gguf"),
        ("langchain:baseten:m", "needs the package"),
        ("recorded", "Recorded answers"),
        ("tunde", "There is no system"),
    ],
)
def test_what_a_model_lacks_is_seen_without_opening_it(spec: str, words: str) -> None:
    with pytest.raises(DoceoError) as caught:
        check_model(spec, load_settings({}))
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_what_can_be_opened_is_not_complained_of(tiny_run: Path) -> None:
    folder = tiny_run / "5-adapter"
    found = next(folder.rglob("adapter_config.json")).parent
    for spec in (
        "doceo-5m",
        "quote",
        "tuned",
        "base",
        "ollama:m",
        "Qwen/Qwen3-0.6B",
        f"hf:{found}",
        f"adapter:{found}",
    ):
        check_model(spec, load_settings({}))
    for address in ("", "http://gpu:8000/v1"):
        check_vllm(address)
    with pytest.raises(DoceoError, match="is not an address"):
        check_vllm("gpu:8000")
