from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.errors import InputError
from doceo.core.records import Difficulty, Kind
from prompts.catalog import Catalog, parse

GOOD = "---\npurpose: Test.\nvariables: a, b\n---\n[system]\nSay {{a}}.\n[user]\n{{ b }} and {{ a }}\n"


def test_every_template_that_ships_has_its_form() -> None:
    catalog = Catalog()
    assert {"generate_pairs", "one_pair", "repair_json", "reword_question"} <= set(catalog.names())
    for name in catalog.names():
        template = catalog.template(name)
        assert template.purpose.endswith(".")
        messages = template.fill(**dict.fromkeys(template.variables, "VALUE"))
        assert messages[-1].role == "user"
        assert all("{{" not in message.content for message in messages)
        assert len(template.hash) == 16


def test_the_pairs_prompt_names_every_kind_and_difficulty() -> None:
    words = Catalog().template("generate_pairs").turns[0][1]
    for name in (*get_args(Kind), *get_args(Difficulty)):
        assert f"{name} (" in words


def test_fill_replaces_every_variable() -> None:
    system, user = parse("x", GOOD).fill(a="1", b=2)
    assert (system.role, system.content) == ("system", "Say 1.")
    assert (user.role, user.content) == ("user", "2 and 1")


@given(value=st.text())
def test_values_go_in_as_they_are(value: str) -> None:
    template = parse("x", "---\npurpose: T.\nvariables: v, w\n---\n[user]\n<{{ v }}|{{ w }}>\n")
    assert template.fill(v=value, w="{{ v }}")[0].content == f"<{value}|{{{{ v }}}}>"


def test_missing_and_unused_variables_are_refused() -> None:
    with pytest.raises(InputError, match=r"missing: b; unused: c"):
        parse("x", GOOD).fill(a=1, c=2)


@pytest.mark.parametrize(
    "text",
    [
        "no header",
        "---\npurpose: T.\n---\n[user]\nx\n",
        "---\npurpose: T.\nvariables:\n---\nno turn\n",
        GOOD.replace("variables: a, b", "variables: a"),
        GOOD.replace("variables: a, b", "variables: a, b, c"),
    ],
)
def test_files_without_proper_form_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="prompt x"):
        parse("x", text)


def test_hash_follows_the_text(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(GOOD, encoding="utf-8")
    first = Catalog(tmp_path).template("x")
    path.write_text(GOOD.replace("Say", "Tell"), encoding="utf-8")
    assert Catalog(tmp_path).template("x").hash != first.hash
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert Catalog(tmp_path).template("x") == first


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        Catalog().template("generate_pair")
    assert caught.value.hint == "Did you mean generate_pairs?"
