"""How a judge's replies count, and how it is compared with people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from doceo.core.config import EvaluateConfig
from doceo.core.errors import InputError
from doceo.core.records import Answer, Answered, Question, Score, SetName
from evaluation.case import Case
from evaluation.judging.agreement import NOT_COMPARED, on_point, on_rating
from evaluation.judging.labels import Label, read_labels
from evaluation.judging.records import Better, Compared, Judge, Marked
from evaluation.judging.shown import answer_id
from evaluation.judging.summary import JudgeSummary, noted, summary
from evaluation.judging.verdicts import win_shares
from evaluation.metrics.judge import JudgedPoint, Preferred, judge_metrics
from evaluation.scoring import score
from evaluation.table import tables

JUDGE = Judge(
    model="openai:j", points=("correct",), rubric="r" * 16, repeats=2, comparisons=1, baseline="base",
    prompts={"judge_answer": "a" * 16, "judge_two_answers": "b" * 16, "ask_again": "c" * 16},
)  # fmt: skip


def case(n: int, text: str, set_name: SetName = "taught") -> Case:
    question = Question(pair_id=f"p{n}", set=set_name, question=f"Q{n}?", references=(f"right {n}",))
    return Case(question, Answer(text=text))


def line(one: Case) -> Answered:
    q = one.question
    return Answered(pair_id=q.pair_id, set=q.set, question=q.question, references=q.references, answer=one.answer)


def marked(one: Case, *marks: int | None, system: str = "tuned") -> list[Marked]:
    q = one.question
    return [
        Marked(
            asked=f"{q.pair_id}{system}{repeat}", answer=answer_id(one), set=q.set, pair_id=q.pair_id,
            systems=(system,), repeat=repeat, marks={} if mark is None else {"correct": mark},
            problem="unreadable" if mark is None else "",
        )
        for repeat, mark in enumerate(marks)
    ]  # fmt: skip


def compared(one: Case, base: Case, *said: Better) -> list[Compared]:
    q = one.question
    return [
        Compared(
            asked=f"{q.pair_id}{at}", answer=answer_id(one), base=answer_id(base), set=q.set, pair_id=q.pair_id,
            systems=("tuned",), round=at // 2, base_first=at % 2 == 0, better=better,
        )
        for at, better in enumerate(said)
    ]  # fmt: skip


# --- metrics


def test_a_point_is_the_mean_of_the_repeats_that_could_be_read() -> None:
    first, second, third, fourth = (case(n, f"text {n}") for n in range(4))
    lines = [*marked(first, 2, 1, None), *marked(second, None, None), *marked(third, 0)]
    metric = JudgedPoint("correct", JUDGE, lines)
    rows = metric.statistics([first, second, third, fourth])
    assert [None if row is None else metric.item(row) for row in rows] == [75.0, None, 0.0, None]
    assert (metric.name, metric.group, metric.better) == ("judge_correct", "judged", "higher")
    assert metric.signature.startswith("judge|model:openai:j|rubric:rrrrrrrr|prompt:aaaaaaaa|point:correct|repeats:2")


def test_another_answer_is_not_taken_for_the_one_that_was_judged() -> None:
    one = case(1, "a")
    metric = JudgedPoint("correct", JUDGE, marked(one, 2))
    assert metric.statistics([case(1, "b"), case(2, "a"), case(1, "a", "unseen")]) == [None, None, None]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (("answer", "answer"), 100.0),
        (("base", "base"), 0.0),
        (("answer", "base"), 50.0),  # it flips with the order
        (("answer", "tie"), 50.0),
        (("tie", "tie"), 50.0),
        (("answer", ""), None),
        (("answer", "answer", "tie", "tie"), 75.0),
        (("answer", "answer", "", "base"), 100.0),
    ],
)
def test_a_win_needs_both_orders(said: Sequence[Better], value: float | None) -> None:
    one, base = case(1, "a"), case(1, "b")
    assert win_shares(compared(one, base, *said)).get(answer_id(one)) == value


def test_the_win_rate_has_a_paired_interval_around_one_half() -> None:
    ours, theirs = [case(n, f"ours {n}") for n in range(20)], [case(n, f"theirs {n}") for n in range(20)]
    said: list[Better] = ["answer"] * 12 + ["base"] * 2 + ["tie"] * 6
    lines = [one for a, b, c in zip(ours, theirs, said, strict=True) for one in compared(a, b, c, c)]
    metric = Preferred(JUDGE, lines)
    answers = {"base": [line(c) for c in theirs], "tuned": [line(c) for c in ours]}
    found = score(answers, [metric], EvaluateConfig(resamples=500)).scores
    rate = next(s for s in found if s.system == "tuned" and not s.versus)
    paired = next(s for s in found if s.versus)
    assert rate.value == pytest.approx(75)
    assert paired.value == pytest.approx(25)
    assert paired.low is not None
    assert paired.low > 0
    assert paired.p is not None
    assert paired.p < 0.05
    assert next(s.value for s in found if s.system == "base") == 50


def test_undefined_where_nothing_could_be_read() -> None:
    one = case(1, "a")
    (metric,) = judge_metrics(JUDGE, marked(one, None, None), [])
    (found,) = score({"tuned": [line(one)]}, [metric], EvaluateConfig(resamples=100)).scores
    assert found.value is None
    assert "judge_correct can measure none of the 1 answers" in found.note


# --- agreement with people


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=10, max_size=40))
def test_agreement_is_that_of_scikit_learn_and_scipy(pairs: list[tuple[int, int]]) -> None:
    judge, people = [one for one, _ in pairs], [other for _, other in pairs]
    found = on_point("correct", judge, people, resamples=100, seed=0)
    assert found.kappa is not None
    assert found.equal is not None
    kappa = cohen_kappa_score(judge, people, weights="quadratic") if len({*judge, *people}) > 1 else np.nan
    assert found.kappa.value == (None if np.isnan(kappa) else pytest.approx(kappa, abs=1e-4))
    constant = min(len(set(judge)), len(set(people))) == 1
    expected = np.nan if constant else spearmanr(judge, people).statistic
    assert found.spearman.value == (None if constant else pytest.approx(expected, abs=1e-4))
    assert found.equal.value == pytest.approx(sum(a == b for a, b in pairs) / len(pairs), abs=1e-4)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.3333, 1.0, 1.6667, 2.0]), st.integers(1, 5)), min_size=10))
def test_ratings_are_compared_by_rank(pairs: list[tuple[float, int]]) -> None:
    judge, people = [one for one, _ in pairs], [float(other) for _, other in pairs]
    found = on_rating(judge, people, resamples=100, seed=0).spearman.value
    if min(len(set(judge)), len(set(people))) == 1:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(judge, people).statistic, abs=1e-4)


def test_the_interval_of_kappa_covers_the_true_one() -> None:
    random = np.random.default_rng(3)
    table = np.array([[0.3, 0.05, 0.02], [0.05, 0.15, 0.05], [0.03, 0.05, 0.3]])
    apart = np.subtract.outer(np.arange(3), np.arange(3)) ** 2
    truth = 1 - (table * apart).sum() / (np.outer(table.sum(1), table.sum(0)) * apart).sum()
    covered = 0
    for seed in range(60):
        cells = random.choice(9, size=80, p=table.ravel())
        found = on_point("x", (cells // 3).tolist(), (cells % 3).tolist(), resamples=200, seed=seed).kappa
        assert found is not None
        covered += found.low <= truth <= found.high  # type: ignore[operator]
    assert covered >= 51  # 95 % of 60 is 57; fewer than 51 would be rarer than one in a thousand


def labelled(marks: Sequence[int], people: Sequence[int], **fields: object) -> tuple[list[Marked], list[Label]]:
    made = [case(n, f"text {n}") for n in range(len(marks))]
    labels = [
        Label.model_validate({"pair_id": f"p{n}", "system": "tuned", "marks": {"correct": mark}, **fields})
        for n, mark in enumerate(people)
    ]
    return [one for c, mark in zip(made, marks, strict=True) for one in marked(c, mark, mark)], labels


def summed(lines: Sequence[Marked], labels: Sequence[Label], verdicts: Sequence[Compared] = ()) -> JudgeSummary:
    answers = {"tuned": [line(case(n, f"text {n}")) for n in range(40)]}
    return summary(JUDGE, lines, verdicts, labels, answers, resamples=200, seed=0)


def test_the_summary_says_how_far_to_trust_the_judge() -> None:
    judge, people = [2, 2, 2, 0, 0, 1, 1, 2, 0, 2, 2, 2], [2, 2, 2, 0, 0, 1, 0, 2, 0, 2, 1, 2]
    lines, labels = labelled(judge, people)
    lines[1] = lines[1].model_copy(update={"marks": {"correct": 0}})  # the repeats of one answer differ
    lines[3] = lines[3].model_copy(update={"marks": {}, "problem": "?"})
    told = summed(lines, labels)
    assert (told.replies, told.answers, told.unreadable) == (24, 12, 1)
    assert told.spread["correct"].model_dump() == {"n": 11, "differing": 0.0909, "deviation": round(2**0.5 / 11, 4)}
    (found,) = told.agreement
    assert (found.of, found.n) == ("correct", 12)
    assert found.kappa.value == pytest.approx(
        cohen_kappa_score([0, 2, 2, 0, 0, 1, 1, 2, 0, 2, 2, 2], people, weights="quadratic"), abs=1e-4
    )
    assert found.kappa.low < found.kappa.value < found.kappa.high
    assert "Agreement with people: correct: Cohen's kappa" in told.lines[-1]


def test_people_who_differ_count_by_their_median_and_ratings_have_a_rank_correlation() -> None:
    lines, labels = labelled([2] * 6 + [0] * 6, [2] * 6 + [0] * 6)
    third = [label.model_copy(update={"marks": {"correct": 0}}) for label in labels]
    told = summed(lines, [*labels, *labels, *third])
    assert told.agreement[0].equal.value == 1
    rated = [Label(pair_id=f"p{n}", system="tuned", rating="up" if n < 6 else 2) for n in range(12)]
    (found,) = summed(lines, rated).agreement
    assert (found.of, found.kappa, found.spearman.value) == ("rating", None, 1)


def test_labels_of_other_answers_and_too_few_labels_say_nothing() -> None:
    lines, labels = labelled([2] * 12, [2] * 12, answer="another text")
    told = summed(lines, labels)
    assert (told.agreement, told.unused) == ((), 12)
    assert told.lines[-1] == "Not compared with people; 12 labels fit no judged answer."
    lines, labels = labelled([2] * 9, [2] * 9)
    assert "9 labels, of which 10 on one point are the fewest" in summed(lines, labels).lines[-1]


def test_position_bias_is_shown() -> None:
    pairs = [(case(n, f"a{n}"), case(n, f"b{n}")) for n in range(10)]
    said: list[tuple[Better, Better]] = [("base", "answer")] * 4 + [("answer", "answer")] * 4 + [("tie", "tie")] * 2
    told = summed([], [], [one for (a, b), both in zip(pairs, said, strict=True) for one in compared(a, b, *both)])
    assert (told.compared, told.flipped) == (10, 0.4)
    assert told.first_preferred == 0.75  # of 16 verdicts for either side, 4 + 4 + 4 are for the first


def test_scores_and_tables_say_whether_people_were_asked() -> None:
    lines, labels = labelled([2, 0] * 6, [2, 0] * 6)
    answers = {"tuned": [line(case(n, f"text {n}")) for n in range(12)]}
    scores = score(answers, judge_metrics(JUDGE, lines, []), EvaluateConfig(resamples=100)).scores

    def titles(found: Sequence[Score]) -> list[str]:
        return [table.title for table in tables(found)]

    alone = noted(scores, summed(lines, []))
    assert {s.note for s in alone} == {NOT_COMPARED}
    assert titles(alone)[0].endswith(f"as a judge model marks them ({NOT_COMPARED})")
    compared_with = noted(scores, summed(lines, labels))
    assert "agreement with people: correct: Cohen's kappa 1.00" in compared_with[0].note
    assert titles(compared_with)[0].endswith("as a judge model marks them")
    other = Score(system="tuned", set="taught", metric="f1", value=1, n=1)
    assert noted([other], summed(lines, [])) == [other]


def test_labels_are_read_or_named(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    path.write_text('{"pair_id": "p", "system": "recorded", "rating": "up", "by": "me"}\n')
    assert read_labels([path])[0].value == 5.0
    for text, message in (
        ('{"pair_id": "p", "system": "s"}', "line 1: neither a rating nor marks"),
        ('{"pair_id": "p", "system": "s", "marks": {"correct": 3}}', r"line 1: marks\.correct"),
        ('{"system": "s", "rating": 1}', "line 1: pair_id"),
    ):
        path.write_text(text + "\n")
        with pytest.raises(InputError, match=message):
            read_labels([path])
