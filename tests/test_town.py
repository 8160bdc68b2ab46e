"""The invented town of `make proof`: its truth, what the base may read, and what the figures make of results."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from scipy import stats

from benchmarks.town.arms import ARMS, Plan, Result, Round, Share, run_town, stated_facts
from benchmarks.town.base import make_base, read_texts
from benchmarks.town.documents import document, write_documents
from benchmarks.town.figures import contrast, figures, level
from benchmarks.town.people import ATTRIBUTES, CHOICES, Town, make_town
from benchmarks.town.plot import draw
from benchmarks.town.questions import EXAM, TRAINED, answer_of, exam, practice, write_questions
from benchmarks.town.table import write_page
from data.alike import AlikeQuestions
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Order, Pair, Span
from generator.teachers.extractive import ExtractiveTeacher


@pytest.fixture(scope="module")
def town() -> Town:
    return make_town(3)


def names_of(town: Town, planted: bool) -> set[str]:
    people = town.withheld() if planted else town.known()
    return {part for person in people for part in person.name.split()}


def test_a_seed_makes_one_town(town: Town) -> None:
    assert make_town(3) == town
    assert {person.name for person in make_town(4).people}.isdisjoint(person.name for person in town.people)


def test_a_name_is_one_persons(town: Town) -> None:
    parts = [part for person in town.people for part in person.name.split()]
    assert len(town.people) == 200
    assert len(set(parts)) == 400
    assert len(town.planted) == 3
    assert len(town.withheld()) == 60


def test_guessing_is_right_once_in_forty(town: Town) -> None:
    for attribute in ATTRIBUTES:
        values = [person.facts[attribute] for person in town.people]
        assert len(set(values)) == CHOICES
        assert max(values.count(value) for value in values) == len(town.people) // CHOICES
        # The district tells nothing: each has people with many different values.
        assert all(len({p.facts[attribute] for p in town.people if p.district == d}) > 10 for d in town.districts)


def test_the_base_reads_nothing_of_the_planted_districts(town: Town) -> None:
    read = " ".join(read_texts(town))
    words = set(read.replace("?", " ").replace(".", " ").split())
    assert names_of(town, planted=False) <= words
    assert words.isdisjoint(names_of(town, planted=True))


def test_no_question_of_the_exam_is_read_or_trained(town: Town) -> None:
    asked = exam(town)
    assert len(asked) == len({one.question for one in asked}) == 6 * len(town.people)
    read = "\n".join(read_texts(town))
    assert not any(one.question in read for one in asked)
    trained = [form.format(name=p.name) for p in town.people for forms in TRAINED.values() for form in forms]
    assert not any(AlikeQuestions([one.question for one in asked]).among(trained))


def test_the_base_has_met_every_wording_of_the_exam(town: Town) -> None:
    met = {one.question.replace(person.name, "{name}") for person in town.known() for one in practice(town, person)}
    assert {form for forms in (*EXAM.values(), *TRAINED.values()) for form in forms} == met


def test_every_question_is_proved_by_its_document(town: Town, tmp_path: Path) -> None:
    write_documents(town, tmp_path / "town")
    write_questions(exam(town), "town", tmp_path / "questions.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 1200
    for row in rows:
        assert (tmp_path / row["source"]).read_text(encoding="utf-8").count(row["quote"]) == 1
        assert all(answer in row["quote"] or answer.split(" ", 1)[1] in row["quote"] for answer in row["answers"])


def test_the_teacher_reads_every_fact_once_and_nothing_else() -> None:
    small = make_town(5, districts=3, residents=8, planted=1)
    made = [of_text(document(small, district)) for district in small.districts]
    teacher = ExtractiveTeacher([(each, [whole(each)]) for each in made])
    pairs = [pair for each in made for pair in proposed(teacher, each)]
    facts = stated_facts(small, pairs)
    assert sorted(facts) == sorted((p.name, attribute) for p in small.people for attribute in ATTRIBUTES)
    # What it asks is what the base was asked about other people.
    forms = {form for forms in TRAINED.values() for form in forms[:2]}
    names = {person.name for person in small.people}
    assert {pair.question.replace(next(n for n in names if n in pair.question), "{name}") for pair in pairs} <= forms


def test_a_pair_that_the_town_does_not_bear_out_is_refused() -> None:
    small = make_town(5, districts=2, residents=2, planted=1)
    person, other = small.people[0], small.people[1]
    wrong = pair(f"What is the main trade of {person.name}?", answer_of(other, "trade"))
    with pytest.raises(ValueError, match="no such fact"):
        stated_facts(small, [wrong])


def test_contrast_is_an_exact_test() -> None:
    assert contrast([0.01 * n for n in range(1, 11)]).p == pytest.approx(1 / 1024)
    values = [0.02, 0.05, -0.01, 0.03]
    assert contrast(values).p == pytest.approx(
        stats.permutation_test(
            (np.array(values), np.zeros(4)),
            lambda a, b, axis: (a - b).mean(axis=axis),
            permutation_type="samples",
            alternative="greater",
            vectorized=True,
        ).pvalue
    )


def test_interval_is_students() -> None:
    found = level([0.1, 0.2, 0.4])
    expected = stats.ttest_1samp([10, 20, 40], 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.01)
    assert level([0.5]).low is None


def results(count: int = 4) -> list[Result]:
    luck = Random(0)

    def rounds(step: int) -> tuple[Round, ...]:
        found = []
        for n in range(4):
            planted, others = Share(right=5 + step * n + luck.randrange(3), of=180), Share(right=415 - 3 * n, of=420)
            whole = Share(right=planted.right + others.right, of=600)
            found.append(
                Round(
                    round=n, pairs=60 * n, pairs_planted=step * n, everything=whole, planted=planted, others=others,
                    taught=Share(right=step * n, of=step * n), untaught=Share(right=2, of=100), leaks=0,
                )
            )  # fmt: skip
        return tuple(found)

    ranked = (("A", "B", "C", "D"), ("B", "A", "D", "C"))
    return [
        Result(
            recipe="", seed=seed, planted=("A", "B"), ranked=ranked[seed % 2 :], parameters=1, pretraining_s=1.0,
            loop_s=1.0, rounds={"gap": rounds(20), "even": rounds(8)},
        )
        for seed in range(count)
    ]  # fmt: skip


def test_figures_of_results() -> None:
    found = figures(results())
    assert found.towns == found.found_by_round_1 == found.found_by_round_2 == 4
    assert found.last["planted"].mean.value == pytest.approx(20, abs=1)
    assert found.last["planted"].p == pytest.approx(1 / 16)
    assert found.last["others"].mean.value == 0
    assert found.taught["gap"].value == 100
    rising = [one.value for one in found.recall["everything"]["gap"]]
    assert all(before < after for before, after in pairwise(rising))
    never = results(1)[0].model_copy(update={"ranked": (("A", "C", "B", "D"), ("C", "A", "D", "B"))})
    assert never.found() is None
    assert never.model_copy(update={"ranked": (*never.ranked, ("B", "A", "C", "D"))}).found() == 3


def test_the_picture_is_the_same_twice(tmp_path: Path) -> None:
    for name, count in (("one.svg", 2), ("two.svg", 2), ("single.svg", 1)):
        draw(figures(results(count)), Plan(), results(count), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert b"2 invented towns" not in (tmp_path / "single.svg").read_bytes()


def test_the_page_holds_the_figures_of_the_last_towns(tmp_path: Path) -> None:
    page = tmp_path / "proof.md"
    page.write_text("Before.\n<!-- written by make proof -->\nold\n<!-- until here -->\nAfter.\n", encoding="utf-8")
    for count in (1, 4):
        write_page(page, figures(results(count)), Plan())
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before.\n<!-- written by make proof -->\n\n4 towns, 3 rounds, 360 training pairs")
    assert text.endswith("<!-- until here -->\nAfter.\n")
    assert "1 towns" not in text
    assert "| planted districts | by weakness |" in text
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="0 places"):
        write_page(page, figures(results(1)), Plan())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_small_town_through_the_loop(tmp_path: Path) -> None:
    # Fewer people than in the whole town: the base learns less well how names and facts go together.
    town = make_town(1, districts=6, residents=12, planted=2)
    plan = Plan(rounds=2, budget=120, steps=350)
    result = run_town(town, tmp_path, plan)
    for arm in ARMS:
        start, first, last = result.rounds[arm]
        assert start.others.value >= 0.9
        assert start.planted.value <= 0.1
        assert (first.pairs, last.pairs) == (60, 120)
        assert start.leaks == first.leaks == last.leaks == 0
        assert last.taught.value >= 0.35
        assert last.untaught.value <= 0.1
        assert last.others.value >= 0.8
    gap, even = (result.rounds[arm][-1] for arm in ARMS)
    assert result.found() == 1
    assert gap.pairs_planted > 2 * even.pairs_planted
    assert gap.planted.right > even.planted.right
    assert make_base(town, tmp_path / f"base-{plan.steps}", plan.steps).unchanged
    assert run_town(town, tmp_path, plan).rounds == result.rounds


def of_text(text: str) -> Document:
    return Document(
        id=Document.identify(text), source="town/x.md", media_type="text/markdown", title="X", text=text,
        sha256=sha256(text),
    )  # fmt: skip


def whole(of: Document) -> Chunk:
    span = Span(document_id=of.id, start=0, end=len(of.text))
    return Chunk(
        id=Chunk.identify(span), document_id=of.id, span=span, text=of.text, tokens=200, text_sha256=sha256(of.text)
    )


def proposed(teacher: ExtractiveTeacher, of: Document) -> Sequence[Pair]:
    drafts = asyncio.run(teacher.propose(Order(chunks=(whole(of),), n=1), {of.id: of}))
    return [pair(draft.question, draft.answer) for draft in drafts]


def pair(question: str, answer: str) -> Pair:
    return Pair.model_construct(question=question, answer=answer)
