from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doceo.core.config import EngineConfig
from doceo.core.errors import AuthenticationFailed, ConfigError, UsageError
from doceo.core.records import ChatRequest, Message
from doceo.providers.chat import is_remote, list_models, open_blocking, open_chat, price_of_spec
from doceo.providers.prices import Price, price_of

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
        ("openia:m", "openai"), ("olama:m", "ollama"), ("langchain:x", "VENDOR"),
        ("gguf:/x", "in this process"), ("openai:", "openai:MODEL"), ("zzz", "Known kinds"),
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
    provider = open_blocking("openai:m", base_url=server.address, api_key="k", journal=tmp_path / "j.sqlite")
    server.script({"status": 500}, {"text": "hello"})
    assert provider.complete(ASK).text == "hello"
    assert provider.complete(ASK).text == "hello"
    assert len(server.seen()) == 2
    spent = provider.spent()
    assert spent is not None
    assert (spent.prompt_tokens, spent.completion_tokens, spent.cost) == (100, 10, 0.0)
    provider.close()


def test_the_models_of_a_server(server: Any) -> None:
    address = server.address.replace("/v1", "/listing/v1")
    assert list_models("openai:m", base_url=address) == (f"127.0.0.1:{server.port}", ["small", "large"])


def test_prices() -> None:
    price = price_of("api.openai.com", "gpt-4o-mini-2024-07-18")
    assert price is not None
    # 1000 tokens, 400 of them kept: 600 * 0.15 + 400 * 0.075 + 100 * 0.60, for a million
    assert price.cost(1000, 400, 100) == pytest.approx((600 * 0.15 + 400 * 0.075 + 100 * 0.60) / 1e6)
    assert price_of("api.openai.com", "some-new-model") is None
    assert price_of("other.example", "gpt-4o-mini") is None
    assert price_of("127.0.0.1:11434", "llama3") is not None


def test_prices_of_the_users_own(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        '[hosts."api.openai.com"]\n"gpt-4o" = { prompt = 1, cached = 0.5, completion = 2.5 }\n'
        '[hosts."llm.example:8000"]\n"m" = { prompt = 3, completion = 4 }\n'
        '[hosts."127.0.0.1"]\n"m" = { prompt = 5, completion = 6 }\n'
    )
    assert price_of("api.openai.com", "gpt-4o", own) == Price(1, 0.5, 2.5)
    assert price_of("api.openai.com", "gpt-4o-2024-08-06", own) == Price(1, 0.5, 2.5)
    assert price_of("api.openai.com", "gpt-4o-mini", own) == price_of("api.openai.com", "gpt-4o-mini")
    assert price_of("llm.example:8000", "m", own) == Price(3, 3, 4)
    assert price_of("llm.example", "m", own) is None
    assert price_of("127.0.0.1:11434", "m", own) == Price(5, 5, 6)
    assert price_of("127.0.0.1:11434", "other", own) == Price(0, 0, 0)


def test_the_price_of_a_spec_needs_no_key(tmp_path: Path) -> None:
    assert price_of_spec("openai:gpt-4o", environment={}) == price_of("api.openai.com", "gpt-4o")
    assert price_of_spec("ollama:llama3", environment={}) == Price(0, 0, 0)
    own = tmp_path / "prices.toml"
    own.write_text('[hosts."a.example"]\n"m" = { prompt = 1, completion = 5 }\n'
                   '[hosts."b.example"]\n"m" = { prompt = 2, completion = 4 }\n')  # fmt: skip
    engine = EngineConfig(prices=str(own))
    assert price_of_spec("openai:m", "https://a.example/v1,https://b.example/v1", engine) == Price(2, 2, 5)
    assert price_of_spec("openai:m", "https://a.example/v1,https://c.example/v1", engine) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[hosts\n", "line 1"),
        ("prices = 1\n", "wrong at hosts"),
        ('[hosts."a.example"]\n"m" = { prompt = "cheap", completion = 1 }\n', 'hosts."a.example".m.prompt'),
        ('[hosts."a.example"]\n"m" = { prompt = 1 }\n', 'hosts."a.example".m.completion'),
        ('[hosts."a.example"]\n"m" = { prompt = -1, completion = 1 }\n', "greater than or equal to 0"),
        ('[hosts."a.example"]\n"m" = { prompt = 1, completion = 1, output = 2 }\n', "m.output"),
        ('[hosts."a.example"]\n"m" = { prompt = nan, completion = 1 }\n', "m.prompt"),
    ],
)
def test_price_files_that_are_wrong(tmp_path: Path, text: str, words: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        price_of("a.example", "m", own)
    assert str(own) in caught.value.message
    with pytest.raises(ConfigError, match=r"none\.toml"):
        open_chat("vllm:m", engine=EngineConfig(prices=str(tmp_path / "none.toml")))


def test_naming_a_model_does_not_load_the_client() -> None:
    code = "import sys, doceo.providers.chat; sys.exit('openai' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
