from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.errors import InputError
from prompts.catalog import Catalog, parse

GOOD = "---\npurpose: Test.\nvariables: a, b\n---\n[system]\nSay {{a}}.\n[user]\n{{ b }} and {{ a }}\n"


def test_every_template_that_ships_has_its_form() -> None:
    catalog = Catalog()
    assert {"generate_pairs", "one_pair", "ask_again", "reword_question", "judge_pair"} <= set(catalog.names())
    for name in catalog.names():
        template = catalog.template(name)
        assert template.purpose.endswith(".")
        messages = template.fill(**dict.fromkeys(template.variables, "VALUE"))
        assert messages[-1].role == "user"
        assert all("{{" not in message.content for message in messages)
        assert len(template.hash) == 16


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


def test_a_projects_own_prompt_takes_the_place_of_the_one_that_ships(tmp_path: Path) -> None:
    shipped = Catalog()
    own = tmp_path / "prompts"
    own.mkdir()
    header = "---\npurpose: Mine.\nvariables: question, answer\n---\n"
    (own / "reword_question.md").write_text(f"{header}[user]\nReword {{{{ question }}}} ({{{{ answer }}}}).\n")
    catalog = Catalog.of_project(own)
    assert catalog.names() == shipped.names()
    assert catalog.template("reword_question").fill(question="Q?", answer="A")[0].content == "Reword Q? (A)."
    assert catalog.template("reword_question").hash != shipped.template("reword_question").hash
    assert catalog.template("judge_pair") == shipped.template("judge_pair")


def test_a_project_without_prompts_has_those_that_ship(tmp_path: Path) -> None:
    assert Catalog.of_project(tmp_path / "prompts").names() == Catalog().names()


def test_own_prompts_that_cannot_work_are_refused(tmp_path: Path) -> None:
    (tmp_path / "reword_questions.md").write_text(GOOD)
    with pytest.raises(InputError) as caught:
        Catalog.of_project(tmp_path)
    assert caught.value.hint == "Did you mean reword_question?"
    (tmp_path / "reword_questions.md").rename(tmp_path / "reword_question.md")
    with pytest.raises(InputError, match="other variables") as caught:
        Catalog.of_project(tmp_path)
    assert caught.value.hint == "It has to use question, answer."
    (tmp_path / "reword_question.md").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        Catalog.of_project(tmp_path)
