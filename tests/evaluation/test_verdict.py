"""Fine-tune, use retrieval, or both: the rule on tables of figures, and the whole from answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.config import EvaluateConfig
from doceo.core.records import Answer, Answered, Evidence, Question, Score, SetName, Span, SystemFacts, Usage
from evaluation.contest import contest
from evaluation.costs import Cost, costs
from evaluation.decision import Field, decide
from evaluation.metrics import load
from evaluation.traits import judged, tuned, with_documents
from evaluation.verdict import Verdict, verdict

FOUR = ("base", "tuned", "base+rag", "tuned+rag")
FIVE = (*FOUR, "quote+rag")
SURE, UNSURE = 0.001, 0.4


def figures(values: Mapping[str, float], *, real: float = 5.0, set_name: SetName = "taught") -> list[Score]:
    """Return the scores of systems on a set, in which differences of at least `real` points are real."""
    scores = [score(system, value, set_name) for system, value in values.items()]
    names = list(values)
    for at, system in enumerate(names):
        for versus in names[:at]:
            apart = values[system] - values[versus]
            p = SURE if abs(apart) >= real else UNSURE
            scores.append(
                score(system, apart, set_name).model_copy(
                    update={"versus": versus, "low": apart - real / 2, "high": apart + real / 2, "p": p, "p_holm": p}
                    | {"detectable": real}
                )
            )
    return scores


def score(system: str, value: float, set_name: SetName = "taught") -> Score:
    return Score(system=system, set=set_name, metric="f1", value=value, low=value - 3, high=value + 3, n=84, label="F1")


def on_all(*values: float, systems: Sequence[str] = FOUR) -> list[Score]:
    return figures(dict(zip(systems, values, strict=True)))


CASES = [
    ("retrieval helps, tuning on top does not", on_all(10, 12, 60, 62), "retrieve", ("base+rag",)),
    ("tuning helps, retrieval does not", on_all(10, 60, 12, 61), "fine-tune", ("tuned",)),
    ("both are needed", on_all(10, 40, 45, 70), "both", ("tuned+rag",)),
    ("either does it, and both no more", on_all(10, 60, 61, 63), "either", ("tuned", "base+rag")),
    ("nothing helps that could be seen", on_all(50, 51, 52, 53), "undecided", ()),
    ("everything makes it worse", on_all(60, 40, 45, 30), "neither", ("base",)),
    ("only both together beat the base", on_all(50, 53, 54, 57), "both", ("tuned+rag",)),
    ("one system", figures({"quote+rag": 50}), "undecided", ()),
    ("no system", [], "undecided", ()),
    ("two, the second better", figures({"base": 10, "tuned": 40}), "fine-tune", ("tuned",)),
    ("two, no difference", figures({"base": 10, "tuned": 12}), "undecided", ()),
    ("quoting beats them all", on_all(3, 40, 4, 35, 62, systems=FIVE), "retrieve", ("quote+rag",)),
    ("no model alone, one is best", figures({"base+rag": 40, "tuned+rag": 60}), "both", ("tuned+rag",)),
    ("no model alone, no difference", figures({"base+rag": 59, "tuned+rag": 60}), "undecided", ()),
    ("recorded is no advice", figures({"base": 10, "recorded": 90, "base+rag": 50}), "retrieve", ("base+rag",)),
    ("another model alone is best", figures({"base": 10, "openai:m": 60, "base+rag": 40}), "neither", ("openai:m",)),
    (
        "better on one set, worse on another",
        on_all(50, 60, 50, 50) + figures(dict(zip(FOUR, (50, 40, 50, 50), strict=True)), set_name="taught-written"),
        "undecided",
        (),
    ),
    (
        "a set of documents that nobody was trained on breaks the tie",
        on_all(10, 30, 60, 61) + figures({"base+rag": 40, "tuned+rag": 60}, set_name="unseen"),
        "both",
        ("tuned+rag",),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "scores", "advice", "systems"), CASES, ids=[case[0] for case in CASES])
def test_what_the_figures_say(name: str, scores: list[Score], advice: str, systems: tuple[str, ...]) -> None:
    made = verdict(scores, [])
    assert (made.advice, made.systems) == (advice, systems)
    assert all(system in made.headline for system in systems)
    assert made.headline.endswith(".")
    assert Verdict.model_validate_json(made.model_dump_json()) == made


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=5, max_size=5), st.integers(1, 60))
def test_nothing_is_advised_that_a_model_alone_was_not_really_beaten_by(values: list[int], real: int) -> None:
    field = Field(figures(dict(zip(FIVE, map(float, values), strict=True)), real=real))
    found = decide(field, {})
    for system in found.systems:
        assert not any(field.beats(other, system) for other in field.candidates)
        if system != "base":
            assert values[FIVE.index(system)] - values[0] >= real
    assert bool(found.systems) == (found.advice != "undecided")


def test_of_two_that_do_the_same_the_faster_is_taken() -> None:
    scores = figures({"base": 10, "base+rag": 60, "quote+rag": 61})
    slow, fast = Cost(system="base+rag", p50=2.0), Cost(system="quote+rag", p50=0.1)
    assert verdict(scores, [slow, fast]).systems == ("quote+rag",)
    turned = [slow.model_copy(update={"p50": 0.1}), fast.model_copy(update={"p50": 2.0})]
    assert verdict(scores, turned).systems == ("base+rag",)


def test_a_metric_that_is_better_low_is_turned() -> None:
    scores = [one.model_copy(update={"better": "lower", "metric": "ter"}) for one in on_all(60, 58, 10, 9)]
    made = verdict(scores, [])
    assert (made.advice, made.systems) == ("retrieve", ("base+rag",))
    assert "base+rag against base: better by 50.0 [47.5, 52.5] on taught." in made.reasons


def test_reasons_say_how_sure_and_on_which_set() -> None:
    scores = on_all(10, 12, 60, 62) + figures({"base+rag": 40, "tuned+rag": 38}, set_name="unseen")
    made = verdict(scores, [])
    assert made.headline == (
        "Use retrieval (base+rag): clearly better than base and tuned; tuned+rag is not clearly better than it."
    )
    assert made.reasons == (
        "base+rag against base: better by 50.0 [47.5, 52.5] on taught.",
        "base+rag against tuned+rag: no clear difference: \u22122.0 [\u22124.5, +0.5] on taught, "
        "+2.0 [\u22120.5, +4.5] on unseen.",
        "base+rag against tuned: better by 48.0 [45.5, 50.5] on taught.",
    )
    assert made.basis == (
        "F1 (0 to 100) on 84 taught, 84 unseen questions. "
        "Better and worse are said where p < 0.05 after Holm's correction for all 7 comparisons. "
        "Tables that hold other metrics too correct for those as well, so that a mark can be missing there."
    )
    assert made.changes[0] == (
        "With 84 taught questions, a true difference of less than 5.0 points between base+rag and tuned+rag is missed "
        "more than one time in five; about 340 questions would show one of 2.5."
    )


def test_an_interval_without_zero_that_the_correction_takes_back_is_only_perhaps() -> None:
    scores = [
        one.model_copy(update={"p_holm": 0.08}) if one.versus else one for one in figures({"base": 10, "tuned": 20})
    ]
    made = verdict(scores, [])
    assert made.advice == "undecided"
    assert made.reasons == ("tuned against base: perhaps better by 10.0 [7.5, 12.5] on taught.",)


def test_a_small_p_beside_an_interval_with_zero_advises_nothing() -> None:
    scores = [
        one.model_copy(update={"low": -0.5, "p_holm": 0.01}) if one.versus else one
        for one in figures({"base": 10, "tuned": 20})
    ]
    assert verdict(scores, []).advice == "undecided"


def test_what_takes_much_less_is_named_with_what_it_costs() -> None:
    takes = [
        Cost(system="base", p50=0.9, memory=1_200_000_000, usd=0.0, parameters=600_000_000),
        Cost(system="tuned", p50=1.0, memory=1_200_000_000, usd=0.0),
        Cost(system="base+rag", p50=2.5, memory=1_200_000_000, usd=0.02),
        Cost(system="tuned+rag", p50=2.5, memory=1_200_000_000, usd=0.02),
    ]
    made = verdict(on_all(10, 40, 60, 62), takes)
    assert made.systems == ("base+rag",)
    assert (
        "For less: tuned answers in 1 s instead of 2.5 s and costs nothing instead of 0.02 USD an answer; "
        "worse by 20.0 [17.5, 22.5] on taught."
    ) in made.changes
    assert not [line for line in made.changes if "million parameters" in line]
    small = [one.model_copy(update={"parameters": 5_300_000}) for one in takes]
    assert "5.3 million parameters" in verdict(on_all(10, 40, 60, 62), small).changes[0]
    at_once = [one.model_copy(update={"p50": 0.2 if "rag" in one.system else 0.01, "usd": 0.0}) for one in takes]
    assert not [line for line in verdict(on_all(10, 40, 60, 62), at_once).changes if line.startswith("For less")]


def test_what_was_not_asked_is_said() -> None:
    made = verdict(figures({"base": 10, "tuned": 40}), [])
    assert "Not asked, so that nothing is said of it: retrieval." in made.changes
    assert [line for line in made.changes if line.startswith("All questions were generated")]
    written = figures({"base": 10, "tuned": 40}, set_name="taught-written")
    assert not [line for line in verdict(written, []).changes if line.startswith("All questions were generated")]


@pytest.mark.parametrize(
    ("system", "is_tuned", "has_documents"),
    [
        ("base", False, False),
        ("tuned", True, False),
        ("tuned+rag", True, True),
        ("tuned+rag@formal", True, True),
        ("tuned@formal", True, False),
        ("adapter:runs/a/5-adapter", True, False),
        ("adapter:runs/a/5-adapter+rag", True, True),
        ("tuned-llama", False, False),
        ("openai:gpt+ragged", False, False),
        ("openai:m@http://127.0.0.1:1/v1+rag", False, True),
        ("quote+rag", False, True),
    ],
)
def test_a_name_says_what_a_system_has(system: str, is_tuned: bool, has_documents: bool) -> None:
    assert (tuned(system), with_documents(system)) == (is_tuned, has_documents)
    assert judged(system, "taught")
    assert judged(system, "unseen-written") == has_documents


def answers(rights: Sequence[bool], set_name: SetName, seconds: float = 1.0) -> list[Answered]:
    return [
        Answered(
            pair_id=f"p_{n}",
            set=set_name,
            question=f"Question {n}?",
            references=("the red harbour",),
            answer=Answer(
                text="the red harbour" if right else "nothing of it",
                usage=Usage(prompt_tokens=30, completion_tokens=10, cost=0.001, seconds=seconds),
            ),
        )
        for n, right in enumerate(rights)
    ]


def test_from_answers_to_a_verdict() -> None:
    weak, strong = [n % 10 == 0 for n in range(60)], [n % 10 != 0 for n in range(60)]
    answered = {
        "base": answers(weak, "taught") + answers(weak, "unseen"),
        "tuned": answers(weak, "taught") + answers(strong, "unseen"),
        "base+rag": answers(strong, "taught", 3.0) + answers(strong, "unseen", 3.0),
    }
    facts = {"base+rag": SystemFacts(file="x", model_bytes=10, adapter_bytes=None, index_bytes=7, parameters=3)}
    evidence = (Evidence(span=Span(document_id="d", start=0, end=1), quote="q"),)
    questions = [
        Question(pair_id=f"p_{n}", set="taught", question="?", references=("the red harbour",), evidence=evidence)
        for n in range(60)
    ]
    scores = contest(answered, load("f1"), EvaluateConfig(resamples=300), questions)
    # a model without documents is not judged on what it never saw
    assert {(one.system, one.set) for one in scores if one.set == "unseen"} == {("base+rag", "unseen")}
    assert scores == contest(answered, load("f1"), EvaluateConfig(resamples=300), questions)
    made = verdict(scores, costs(answered, facts))
    assert (made.advice, made.systems) == ("retrieve", ("base+rag",))
    assert made.costs[2] == Cost(
        system="base+rag", p50=3.0, p95=3.0, tokens=40.0, usd=0.001, memory=10, disk=7, parameters=3
    )
    assert made.costs[0].memory is None


def test_holm_counts_the_comparisons_of_all_sets() -> None:
    rights = [[n % 3 == 0 for n in range(40)], [n % 3 != 0 for n in range(40)]]
    answered = {
        name: answers(right, "taught") + answers(right, "taught-written")
        for name, right in zip(("base", "tuned"), rights, strict=True)
    }
    both = [one for one in contest(answered, load("f1"), EvaluateConfig(resamples=400)) if one.versus]
    assert len(both) == 2
    assert all(one.p_holm == pytest.approx(min(1.0, 2 * (one.p or 0)), abs=2e-6) for one in both)
