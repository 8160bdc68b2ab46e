from __future__ import annotations

from collections.abc import Sequence

import pytest

from doceo.core.config import EvaluateConfig
from doceo.core.records import Answer, Answered, Evidence, Hit, Message, Question, Span
from evaluation.ablation import Ablated, compare
from evaluation.slices import turn_of

CONFIG = EvaluateConfig(resamples=300)
PROOF = Evidence(span=Span(document_id="d_1", start=10, end=20), quote="x" * 10)


def question(number: int, turn: int = 2, set_name: str = "taught") -> Question:
    before = [Message(role=role, content="x") for _ in range(turn - 1) for role in ("user", "assistant")]  # type: ignore[arg-type]
    return Question.model_validate(
        {
            "pair_id": f"p{number}",
            "set": set_name,
            "question": "And it?",
            "references": ("the old ferry",),
            "evidence": (PROOF,),
            "history": before,
        }
    )


def answered(asked: Sequence[Question], texts: Sequence[str]) -> list[Answered]:
    """Return answers; an empty one is a refusal, and only that of a right one has found the evidence."""
    lines = []
    for q, text in zip(asked, texts, strict=True):
        start = 0 if text == "the old ferry" else 30
        hit = Hit(chunk_id="c", source="a", span=Span(document_id="d_1", start=start, end=start + 25), score=1)
        answer = Answer(text=text, refused=not text, hits=(hit,))
        known = {"pair_id": q.pair_id, "set": q.set, "question": q.question, "references": q.references}
        lines.append(Answered.model_validate({**known, "answer": answer}))
    return lines


def by(results: Sequence[Ablated], metric: str, turn: str = "all", set_name: str = "taught") -> Ablated:
    (one,) = [one for one in results if (one.metric, one.turn, one.set) == (metric, turn, set_name)]
    return one


def test_history_that_helps_and_a_profile_that_hurts() -> None:
    asked = [question(n, turn=2 + n % 2) for n in range(20)]
    right, wrong = ["the old ferry"] * 20, ["some other bridge"] * 20
    bad = answered(asked, wrong)
    answers = {"whole": answered(asked, right), "without-history": bad, "with-profile": bad}
    results = compare("m+rag", asked, answers, CONFIG, "made up")
    history = [one for one in results if one.part == "history"]
    profile = [one for one in results if one.part == "profile"]
    f1 = by(history, "f1")
    assert (f1.value_with, f1.value_without, f1.difference, f1.low, f1.n) == (100, 0, 100, 100, 20)
    assert (f1.verdict, f1.note) == ("helps", "")
    assert f1.p is not None
    assert f1.p < 0.01
    assert by(history, "hit@k").difference == 100
    assert by(history, "f1", "2").n == by(history, "f1", "3").n == 10
    worse = by(profile, "f1")
    assert (worse.difference, worse.verdict, worse.note) == (-100, "hurts", "made up")


def test_few_questions_and_refusals_get_no_verdict() -> None:
    asked = [question(n) for n in range(12)]
    answers = {"whole": answered(asked, ["the old ferry"] * 12), "without-history": answered(asked, [""] * 12)}
    results = compare("m", asked, answers, CONFIG)
    assert by(results, "refused").difference == -100
    assert by(results, "refused").verdict == ""
    few = compare("m", asked[:4], {name: lines[:4] for name, lines in answers.items()}, CONFIG)
    assert by(few, "f1").difference == 100
    assert by(few, "f1").verdict == ""


def test_no_number_mixes_two_sets_and_deep_turns_stand_together() -> None:
    asked = [question(0, 2), question(1, 5), question(2, 7), question(3, 3, "unseen")]
    lines = answered(asked, ["the old ferry", "the bridge", "the old ferry", "a ferry"])
    results = compare("m", asked, {"whole": lines, "without-history": lines}, CONFIG)
    assert {(one.set, one.turn, one.n) for one in results if one.metric == "f1"} == {
        ("taught", "all", 3),
        ("taught", "2", 1),
        ("taught", "5+", 2),
        ("unseen", "all", 1),
        ("unseen", "3", 1),
    }
    assert all(one.difference == 0 and one.verdict == "" for one in results)
    assert by(results, "f1", "3", "unseen").low is None


@pytest.mark.parametrize(("turn", "expected"), [(1, 1), (2, 2), (6, 6)])
def test_turns_are_counted_by_questions(turn: int, expected: int) -> None:
    assert turn_of(question(0, turn)) == expected
