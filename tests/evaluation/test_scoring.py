from __future__ import annotations

import math

import pytest

from doceo.core.config import EvaluateConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.records import Answer, Answered, Score, SetName
from evaluation.scoring import score
from evaluation.table import tables

CONFIG = EvaluateConfig(resamples=200)


def line(n: int, text: str, reference: str | None = None, set_name: SetName = "taught") -> Answered:
    references = () if reference is None else (reference,)
    return Answered(pair_id=f"p{n}", set=set_name, question=f"Q{n}?", references=references, answer=Answer(text=text))


def lines(texts: list[str], set_name: SetName = "taught") -> list[Answered]:
    return [line(n, text, f"the right answer number {n}", set_name) for n, text in enumerate(texts)]


def find(scores: list[Score], system: str, metric: str, versus: str = "", set_name: str = "taught") -> Score:
    return next(s for s in scores if (s.system, s.metric, s.versus, s.set) == (system, metric, versus, set_name))


RIGHT = [f"the right answer number {n}" for n in range(12)]
WRONG = ["something else"] * 12


def test_a_better_system_differs_from_the_baseline() -> None:
    scores, items = score({"base": lines(WRONG), "tuned": lines(RIGHT)}, CONFIG)
    for metric in CONFIG.metrics:
        assert find(scores, "tuned", metric).value == pytest.approx(100)
        difference = find(scores, "tuned", metric, "base")
        assert difference.low is not None
        assert difference.low > 0
        assert "p = " in difference.note
    assert len(items) == 2 * 12 * len(CONFIG.metrics)
    assert not [s for s in scores if s.system == "base" and s.versus]


def test_sets_are_never_mixed() -> None:
    answers = lines(RIGHT[:6]) + lines(WRONG[:6], "unseen") + lines(RIGHT[:4], "taught-written")
    scores, _ = score({"tuned": answers}, CONFIG)
    assert [(s.set, s.n) for s in scores if s.metric == "em"] == [("taught", 6), ("unseen", 6), ("taught-written", 4)]
    assert find(scores, "tuned", "em", set_name="unseen").value == 0
    assert not [s for s in scores if s.versus]


def test_markers_do_not_count_and_short_answers_are_not_scored() -> None:
    cited = [a.model_copy(update={"answer": Answer(text=f"{a.answer.text} [1, 2]", short="no")}) for a in lines(RIGHT)]
    scores, _ = score({"quote+rag": cited}, CONFIG)
    assert find(scores, "quote+rag", "em").value == 100


def test_undefined_is_said_and_never_nan() -> None:
    scores, items = score({"base": [line(1, "x"), line(2, "y", "  ")]}, CONFIG)
    assert {s.value for s in scores} == {None}
    assert {i.value for i in items} == {None}
    assert all("none of the 2 questions has a reference" in s.note and s.n == 0 for s in scores)
    partly, _ = score({"base": [line(1, "x"), line(2, "y", "y"), line(3, "y", "z")]}, CONFIG)
    assert find(partly, "base", "em").value == 50
    assert find(partly, "base", "em").note == "1 of 3 questions left out: no usable reference"
    assert all(s.value is None or math.isfinite(s.value) for s in partly)


def test_one_question_has_no_interval() -> None:
    scores, _ = score({"base": lines(WRONG[:1]), "tuned": lines(RIGHT[:1])}, CONFIG)
    assert all(s.low is None and "one question: no interval" in s.note for s in scores)


def test_differences_are_taken_on_the_questions_that_both_answered() -> None:
    scores, _ = score({"base": lines(WRONG), "tuned": lines(RIGHT)[:8]}, CONFIG)
    difference = find(scores, "tuned", "f1", "base")
    assert difference.n == 8
    assert "on the 8 questions that both answered" in difference.note
    apart, _ = score({"base": lines(WRONG)[:3], "tuned": lines(RIGHT)[3:]}, CONFIG)
    assert find(apart, "tuned", "f1", "base").value is None


def test_the_same_input_gives_the_same_scores() -> None:
    answered = {"base": lines(WRONG), "tuned": lines([*RIGHT[:5], *WRONG[:7]])}
    assert score(answered, CONFIG) == score(answered, CONFIG)


def test_a_refusal_is_scored_as_its_text() -> None:
    refusal = Answer(text="I cannot find this in the documents.", refused=True, reason="far")
    asked = [a.model_copy(update={"answer": refusal, "references": (refusal.text,)}) for a in lines(WRONG)]
    scores, _ = score({"quote+rag": asked}, CONFIG)
    assert find(scores, "quote+rag", "em").value == 100


def test_damaged_input_is_named() -> None:
    with pytest.raises(InputError, match="p0 of taught twice"):
        score({"base": [*lines(WRONG), lines(WRONG)[0]]}, CONFIG)
    with pytest.raises(InputError, match="different references"):
        score({"base": [line(1, "x", "a")], "tuned": [line(1, "x", "b")]}, CONFIG)
    with pytest.raises(UsageError, match="no metric 'blue'"):
        score({"base": lines(WRONG)}, EvaluateConfig(metrics=("blue",)))


def test_the_table_marks_what_is_clearly_better() -> None:
    scores, _ = score({"base": lines(WRONG), "tuned": lines(RIGHT)}, CONFIG)
    (table,) = tables(scores)
    assert table.headers == ["system", "BLEU", "chrF", "ROUGE-1", "ROUGE-2", "ROUGE-L", "EM", "F1"]
    assert table.rows[0][6] == "0.0 [0.0, 0.0]"
    assert table.rows[1][6] == "100.0 [100.0, 100.0] ▲"
    assert table.note.startswith("12 questions; 0 to 100")
    assert "than base" in table.note
    assert table.fitting(200) == table.rows
    assert table.fitting(80)[1][6:] == ["100.0 ▲\n100–100", "100.0 ▲\n100–100"]
    worse, _ = score({"base": lines(RIGHT), "tuned": lines(WRONG)}, CONFIG)
    assert tables(worse)[0].rows[1][6].endswith("▼")


def test_the_table_says_what_is_undefined() -> None:
    scores, _ = score({"base": [line(1, "x")]}, CONFIG)
    assert tables(scores)[0].rows == [["base", *["n/a"] * 7]]
    assert tables([]) == []
