"""What a model's name says of its address, and who is sent the key."""

from __future__ import annotations

import pytest

from doceo.core.errors import UsageError
from doceo.providers.addresses import OPENAI, Named, named
from doceo.providers.chat import open_chat

KEY = {"OPENAI_API_KEY": "sk-1"}
HERE = "http://127.0.0.1:9/v1"


def test_a_model_may_name_its_own_address() -> None:
    assert named("openai:m", None, None, KEY) == Named("openai", "m", [OPENAI], "sk-1", own=False)
    assert named(f"openai:a/b@{HERE}", None, None, KEY) == Named("openai", "a/b", [HERE], None, own=True)
    assert named("openai:m", f"{HERE}, http://b/v1", None, KEY).addresses == [HERE, "http://b/v1"]
    assert named(f"ollama:m@{HERE}", None, None, KEY).key is None


def test_the_key_goes_only_where_it_belongs() -> None:
    for base, spec, key in (
        (HERE, f"openai:m@{HERE}/other", "sk-1"),
        (HERE, "openai:m@https://127.0.0.1:9/v1", None),
        ("https://h/v1", "openai:m@http://h/v1", None),
        (None, "openai:m@https://api.openai.com/v1", "sk-1"),
        (None, "openai:m@https://api.openai.com.evil/v1", None),
        (HERE, "openai:m@https://api.openai.com/v1", "sk-1"),
        (HERE, "openai:m@http://ours/v1/other", "sk-1"),
        (HERE, "openai:m@http://theirs/v1", None),
    ):
        assert named(spec, base, None, KEY | {"OPENAI_BASE_URL": "http://ours/v1"}).key == key, spec


def test_replies_of_two_addresses_are_not_mixed_up() -> None:
    names = {open_chat(spec, base_url=HERE).name for spec in ("openai:m", f"openai:m@{HERE}", "openai:m@http://b/v1")}
    assert names == {"openai:m", f"openai:m@{HERE}", "openai:m@http://b/v1"}


@pytest.mark.parametrize("spec", ["openai:", f"openai:@{HERE}", "openai:m@http://me:secret@h/v1", "opnai:m"])
def test_what_is_no_model_is_refused_without_a_secret_in_the_words(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        named(spec, None, None, {})
    assert "secret" not in caught.value.message
