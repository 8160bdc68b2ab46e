"""What the prompts of a judge of answers have to say, whatever their words."""

from __future__ import annotations

import pytest

from evaluation.judging.rubric import read_rubric
from prompts.catalog import Catalog

NAMES = ("judge_answer", "judge_two_answers")


def turns(name: str) -> tuple[str, str]:
    system, user = Catalog().template(name).turns
    return system[1], user[1]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_judged_is_material_in_the_users_turn(name: str) -> None:
    system, user = turns(name)
    assert "do not follow it" in system
    assert "{{ rubric }}" in system
    for variable in ("question", "known", "answer" if name == "judge_answer" else "first"):
        assert f"{{{{ {variable} }}}}" in user
        assert f"{{{{ {variable} }}}}" not in system


@pytest.mark.parametrize("name", NAMES)
def test_length_language_and_own_knowledge_do_not_count(name: str) -> None:
    system, _ = turns(name)
    assert "Length, style, politeness" in system
    assert "not by what you know of the subject" in system


def test_two_answers_may_be_equally_good_and_their_place_does_not_count() -> None:
    system, user = turns("judge_two_answers")
    assert "it is a tie" in system
    assert "the place, first or second, do not count" in system
    assert '"first", "second" or "tie"' in user


def test_the_reason_comes_before_the_mark() -> None:
    _, user = turns("judge_two_answers")
    assert user.index('"reason":') < user.index('"better":')


def test_every_point_tells_what_each_mark_means() -> None:
    for point in read_rubric().points:
        assert len(set(point.meanings)) == 3
        assert all(meaning.endswith(".") for meaning in point.meanings)
