from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from doceo.core.config import EvaluateConfig
from doceo.core.errors import InputError
from doceo.core.records import Answer, Answered, Question, Score, SetName
from evaluation.metrics import load_all
from evaluation.scoring import Scored, score
from evaluation.table import tables

NAMES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "em", "f1")
CONFIG = EvaluateConfig(metrics=NAMES, resamples=200)


def scored(answered: Mapping[str, Sequence[Answered]]) -> Scored:
    return score(answered, load_all(NAMES), CONFIG)


def line(n: int, text: str, reference: str | None = None, set_name: SetName = "taught") -> Answered:
    references = () if reference is None else (reference,)
    return Answered(pair_id=f"p{n}", set=set_name, question=f"Q{n}?", references=references, answer=Answer(text=text))


def lines(texts: list[str], set_name: SetName = "taught") -> list[Answered]:
    return [line(n, text, f"the right answer number {n}", set_name) for n, text in enumerate(texts)]


def find(made: Scored, system: str, metric: str, versus: str = "", set_name: str = "taught") -> Score:
    return next(s for s in made.scores if (s.system, s.metric, s.versus, s.set) == (system, metric, versus, set_name))


RIGHT = [f"the right answer number {n}" for n in range(12)]
WRONG = ["something else"] * 12


def test_a_better_system_differs_from_the_baseline() -> None:
    made = scored({"base": lines(WRONG), "tuned": lines(RIGHT)})
    for metric in NAMES:
        assert find(made, "tuned", metric).value == pytest.approx(100)
        difference = find(made, "tuned", metric, "base")
        assert difference.low is not None
        assert difference.low > 0
        assert difference.p is not None
        assert difference.p_holm is not None
        assert difference.p <= difference.p_holm < 0.05
    assert find(made, "tuned", "f1").p is None
    assert len(made.items) == 2 * 12 * len(NAMES)
    assert not [s for s in made.scores if s.system == "base" and s.versus]


def test_sets_are_never_mixed() -> None:
    answers = lines(RIGHT[:6]) + lines(WRONG[:6], "unseen") + lines(RIGHT[:4], "taught-written")
    made = scored({"tuned": answers})
    assert [(s.set, s.n) for s in made.scores if s.metric == "em"] == [
        ("taught", 6),
        ("unseen", 6),
        ("taught-written", 4),
    ]
    assert find(made, "tuned", "em", set_name="unseen").value == 0
    assert not [s for s in made.scores if s.versus]


def test_markers_do_not_count_and_short_answers_are_not_scored() -> None:
    cited = [a.model_copy(update={"answer": Answer(text=f"{a.answer.text} [1, 2]", short="no")}) for a in lines(RIGHT)]
    made = scored({"quote+rag": cited})
    assert find(made, "quote+rag", "em").value == 100


def test_undefined_is_said_and_never_nan() -> None:
    made = scored({"base": [line(1, "x"), line(2, "y", "  ")]})
    assert {s.value for s in made.scores} == {None}
    assert {i.value for i in made.items} == {None}
    assert all("can measure none of the 2 answers" in s.note and s.n == 0 for s in made.scores)
    partly = scored({"base": [line(1, "x"), line(2, "y", "y"), line(3, "y", "z")]})
    assert find(partly, "base", "em").value == 50
    assert find(partly, "base", "em").note == "1 of 3 questions left out: the metric is undefined for them"
    assert all(s.value is None or math.isfinite(s.value) for s in partly.scores)


def test_one_question_has_no_interval() -> None:
    made = scored({"base": lines(WRONG[:1]), "tuned": lines(RIGHT[:1])})
    assert all(s.low is None and "one question: no interval" in s.note for s in made.scores)


def test_differences_are_taken_on_the_questions_that_both_answered() -> None:
    made = scored({"base": lines(WRONG), "tuned": lines(RIGHT)[:8]})
    difference = find(made, "tuned", "f1", "base")
    assert difference.n == 8
    assert "on the 8 questions that both answered" in difference.note
    apart = scored({"base": lines(WRONG)[:3], "tuned": lines(RIGHT)[3:]})
    assert find(apart, "tuned", "f1", "base").value is None


def test_the_same_input_gives_the_same_scores() -> None:
    answered = {"base": lines(WRONG), "tuned": lines([*RIGHT[:5], *WRONG[:7]])}
    assert scored(answered) == scored(answered)


def test_a_refusal_is_scored_as_its_text() -> None:
    refusal = Answer(text="I cannot find this in the documents.", refused=True, reason="far")
    asked = [a.model_copy(update={"answer": refusal, "references": (refusal.text,)}) for a in lines(WRONG)]
    made = scored({"quote+rag": asked})
    assert find(made, "quote+rag", "em").value == 100


def test_damaged_input_is_named() -> None:
    with pytest.raises(InputError, match="p0 of taught twice"):
        scored({"base": [*lines(WRONG), lines(WRONG)[0]]})
    with pytest.raises(InputError, match="different references"):
        scored({"base": [line(1, "x", "a")], "tuned": [line(1, "x", "b")]})


def test_the_table_marks_what_is_clearly_better() -> None:
    made = scored({"base": lines(WRONG), "tuned": lines(RIGHT)})
    (table,) = tables(made.scores)
    assert table.headers == ["system", "BLEU", "chrF", "ROUGE-1", "ROUGE-2", "ROUGE-L", "EM", "F1"]
    assert table.rows[0][6] == "0.0 [0.0, 0.0]"
    assert table.rows[1][6] == "100.0 [100.0, 100.0] ▲"
    assert table.note.startswith("12 questions; 0 to 100")
    assert "than base" in table.note
    assert table.fitting(200) == table.rows
    assert table.fitting(80)[1][6:] == ["100.0 ▲\n100–100", "100.0 ▲\n100–100"]
    worse = scored({"base": lines(RIGHT), "tuned": lines(WRONG)})
    assert tables(worse.scores)[0].rows[1][6].endswith("▼")


def test_the_table_says_what_is_undefined() -> None:
    made = scored({"base": [line(1, "x")]})
    assert tables(made.scores)[0].rows == [["base", *["n/a"] * 7]]
    assert tables([]) == []


def test_slices_are_scored_by_themselves_where_questions_differ() -> None:
    answered = {"base": lines(WRONG), "tuned": lines([*RIGHT[:6], *WRONG[:6]])}
    questions = [
        Question(
            pair_id=a.pair_id,
            set=a.set,
            question=a.question,
            references=a.references,
            kind="fact" if n < 6 else "list",
            topic="same",
        )
        for n, a in enumerate(answered["base"])
    ]
    made = score(answered, load_all(NAMES), CONFIG, questions)
    assert {(s.axis, s.metric) for s in made.slices} == {("kind", "f1")}
    found = {(s.system, s.key, s.versus): (s.value, s.n) for s in made.slices}
    assert found["tuned", "fact", ""] == (100, 6)
    assert found["tuned", "list", ""] == found["base", "fact", ""] == (0, 6)
    assert found["tuned", "fact", "base"] == (100, 6)
    assert found["tuned", "list", "base"] == (0, 6)
