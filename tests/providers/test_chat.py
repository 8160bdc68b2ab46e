from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doceo.core.errors import AuthenticationFailed, UsageError
from doceo.core.records import ChatRequest, Message
from doceo.providers.chat import is_remote, open_chat
from doceo.providers.prices import price_of

ASK = ChatRequest(messages=(Message(role="user", content="?"),))


@pytest.mark.parametrize(
    ("spec", "host"),
    [("ollama:llama3", "127.0.0.1:11434"), ("lmstudio:x", "127.0.0.1:1234"), ("vllm:x", "127.0.0.1:8000")],
)
def test_local_kinds_have_their_addresses_and_get_no_key(spec: str, host: str) -> None:
    provider = open_chat(spec, environment={"OPENAI_API_KEY": "secret", "OPENAI_BASE_URL": "http://elsewhere/v1"})
    assert (provider.name, provider.host) == (spec, host)


def test_openai_address_and_key_from_flags_then_environment() -> None:
    environment = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://env.example/v1"}
    assert open_chat("openai:m", environment=environment).host == "env.example"
    assert open_chat("openai:m", base_url="https://flag.example:9/v1", environment=environment).host == "flag.example:9"
    assert open_chat("openai:m", environment={"OPENAI_API_KEY": "k"}).host == "api.openai.com"


def test_openai_without_a_key_is_told_before_anything_is_sent() -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        open_chat("openai:m", environment={})
    assert "OPENAI_API_KEY" in caught.value.hint


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("openia:m", "openai"), ("olama:m", "ollama"), ("langchain:anthropic:x", "not in this version"),
        ("gguf:/x", "not in this version"), ("openai:", "openai:MODEL"), ("zzz", "Known kinds"),
        ("quote", "no chat model"),
    ],
)  # fmt: skip
def test_specs_that_are_none(spec: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_chat(spec)
    assert hint in caught.value.hint
    assert spec in caught.value.message


def test_is_remote() -> None:
    assert is_remote("ollama:x")
    assert not is_remote("hf:x")
    assert not is_remote("extractive")


def test_journaled_and_limited(server: Any, tmp_path: Path) -> None:
    provider = open_chat("openai:m", base_url=server.address, api_key="k", journal=tmp_path / "j.sqlite")
    server.script({"status": 500}, {"text": "hello"})
    assert provider.complete(ASK).text == "hello"
    assert provider.complete(ASK).text == "hello"
    assert len(server.seen()) == 2


def test_prices() -> None:
    price = price_of("api.openai.com", "gpt-4o-mini-2024-07-18")
    assert price is not None
    # 1000 tokens, 400 of them kept: 600 * 0.15 + 400 * 0.075 + 100 * 0.60, for a million
    assert price.cost(1000, 400, 100) == pytest.approx((600 * 0.15 + 400 * 0.075 + 100 * 0.60) / 1e6)
    assert price_of("api.openai.com", "some-new-model") is None
    assert price_of("other.example", "gpt-4o-mini") is None
    assert price_of("127.0.0.1:11434", "llama3") is not None


def test_naming_a_model_does_not_load_the_client() -> None:
    code = "import sys, doceo.providers.chat; sys.exit('openai' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
