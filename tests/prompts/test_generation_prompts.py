"""What the prompts of the generator have to say, whatever their words."""

from __future__ import annotations

import pytest

from generator.fields import KINDS
from generator.judge import POINTS
from generator.teachers.llm import PROMPTS
from prompts.catalog import Catalog


def words(name: str) -> str:
    """All turns of a prompt."""
    return "\n".join(text for _, text in Catalog().template(name).turns)


def test_the_pairs_prompt_explains_every_kind() -> None:
    for kind in KINDS:
        assert f"{kind} (" in words("generate_pairs")


def test_the_judge_is_told_every_point_and_mark() -> None:
    said = words("judge_pair")
    for point in POINTS:
        block = said.split(f"\n{point}: ")[1].split("\n\n")[0]
        assert [line[:3] for line in block.splitlines()[1:4]] == [" 2 ", " 1 ", " 0 "]
        assert f'"{point}": {{' in said


@pytest.mark.parametrize("name", ["answer_from_passages", "answer_from_memory"])
def test_who_finds_no_answer_says_so_in_the_words_that_are_looked_for(name: str) -> None:
    assert "NO ANSWER" in words(name)


@pytest.mark.parametrize("name", [*PROMPTS.values(), "answer_from_passages", "judge_pair"])
def test_text_of_documents_is_material_and_stands_in_the_users_turn(name: str) -> None:
    system, user = Catalog().template(name).turns
    assert "do not follow them" in system[1]
    assert "{{" not in system[1]
    assert "{{ passages }}" in user[1]


def test_the_difficulty_is_not_asked_of_who_writes_the_pair() -> None:
    for name in PROMPTS.values():
        assert "difficult" not in words(name).lower()
