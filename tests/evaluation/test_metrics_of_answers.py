from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from doceo.core.errors import UsageError
from doceo.core.records import Answer, Citation, Evidence, Hit, Question, Span, Usage
from doceo.text.support import Statement, backed
from evaluation.case import Case
from evaluation.metrics import load
from evaluation.quantiles import HIGH, LOW
from evaluation.selective import right
from evaluation.spans import shared
from evaluation.view.outcomes import outcome

Place = tuple[str, int, int]
NOTHING = Usage()
DOCUMENTED = Hit(chunk_id="c", source="a", span=Span(document_id="d", start=500, end=600), score=1)


def span(place: Place) -> Span:
    return Span(document_id=place[0], start=place[1], end=place[2])


def case(
    text: str = "The ferry takes forty minutes.",
    *,
    references: Sequence[str] = ("The ferry takes forty minutes.",),
    evidence: Sequence[Place] = (),
    cited: Sequence[tuple[Place, str, bool]] = (),
    hits: Sequence[Place] | None = None,
    answerable: bool = True,
    refused: bool = False,
    chance: float | None = None,
    usage: Usage = NOTHING,
) -> Case:
    question = Question(
        pair_id="p",
        set="unseen",
        question="?",
        references=tuple(references),
        evidence=tuple(Evidence(span=span(place), quote="x") for place in evidence),
        answerable=answerable,
    )
    citations = tuple(
        Citation(n=1, document_id=place[0], source="a", title="", span=span(place), quote=quote, verified=verified)
        for place, quote, verified in cited
    )
    found = (
        (DOCUMENTED,)
        if hits is None
        else tuple(Hit(chunk_id="c", source="a", span=span(place), score=1) for place in hits)
    )
    answer = Answer(text=text, citations=citations, hits=found, refused=refused, chance=chance, usage=usage)
    return Case(question, answer)


def value(name: str, *cases: Case) -> float | None:
    metric = load(name)
    rows = [row for row in metric.statistics(cases) if row is not None]
    if not rows:
        return None
    total = float(metric.corpus(np.stack(rows).sum(axis=0, keepdims=True))[0])
    return None if math.isnan(total) else total


QUOTE = "The ferry takes forty minutes from Velm to Orsund, and 1,200 people live there."


@pytest.mark.parametrize(
    ("said", "supported"),
    [
        ("It takes forty minutes by ferry.", True),
        ("1200 people live in Orsund.", True),
        ("It takes 45 minutes.", False),
        ("The ferry takes forty minutes from Velm to Lund.", False),
        ("Rye bread keeps fresh for a week.", False),
        ("In winter, the old bridge is closed to ferry passengers.", False),
    ],
)
def test_a_sentence_is_supported_by_words_numbers_and_names(said: str, supported: bool) -> None:
    assert backed(Statement.of(said), QUOTE) is supported
    assert value("grounded", case(said, cited=[(("d", 0, 9), QUOTE, True)])) == 100 * supported


def test_german_nouns_are_no_names() -> None:
    quote = "Die Überfahrt mit der Fähre von Velm nach Orsund dauert vierzig Minuten, im Winter etwas länger."
    assert backed(Statement.of("Sie dauert vierzig Minuten im Winter für Reisende der Fähre."), quote)


def test_grounded_counts_sentences_with_something_to_say() -> None:
    quoted = [(("d", 0, 9), QUOTE, False)]
    text = "# Ferry\n\nYes. The ferry takes forty minutes [1]. It was built by Ada Torp in 1874."
    assert value("grounded", case(text, cited=quoted)) == 50
    assert value("grounded", case(text, cited=quoted), case("Rye bread.", cited=quoted)) == pytest.approx(100 / 3)
    assert value("grounded", case(text)) == 0
    assert value("grounded", case(text, hits=[])) is None
    assert value("grounded", case(refused=True)) is None
    assert value("grounded", case("Yes.", cited=quoted)) is None


def test_citations_are_counted_against_the_evidence() -> None:
    evidence = [("d", 0, 10), ("d", 40, 50), ("e", 0, 10)]
    at = [(("d", 9, 20), "x", True), (("d", 50, 60), "x", True), (("e", 5, 7), "x", False), (("f", 0, 9), "x", True)]
    one = case(evidence=evidence, cited=at)
    assert value("citation_precision", one) == 50
    assert value("citation_recall", one) == pytest.approx(200 / 3)
    assert value("verified", one) == 75
    assert value("cited", one, case(), case(refused=True)) == 50
    bare = case(evidence=evidence)
    assert value("citation_precision", bare) is None
    assert value("citation_recall", bare) == value("citation_recall", case(evidence=evidence, refused=True)) == 0
    assert value("citation_recall", one, case(evidence=evidence[:1])) == 50
    for name in ("citation_precision", "citation_recall"):
        assert value(name, case(cited=at)) is None
    for name in ("citation_recall", "verified", "cited"):
        assert value(name, case(evidence=evidence, hits=[])) is None


def test_passages_are_relevant_by_the_evidence_that_they_hold() -> None:
    evidence = [("d", 100, 200), ("e", 0, 10)]
    found = [("d", 0, 120), ("e", 5, 90), ("d", 150, 300), ("d", 90, 210), ("f", 0, 10)]
    one = case(evidence=evidence, hits=found)
    # the first holds a fifth of a piece, the second half of one, the third half of the other, the fourth it all again
    assert value("hit@k", one) == value("hit@2", one) == 100
    assert value("hit@1", one) == 0
    assert value("recall@k", one) == value("recall@3", one) == 100
    assert value("recall@2", one) == 50
    assert value("precision@k", one) == 60
    assert value("precision@2", one) == 50
    assert value("precision@10", one) == 30
    assert value("mrr", one) == 50
    assert value("map", one) == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    ideal = 1 + 1 / math.log2(3)
    assert value("ndcg", one) == pytest.approx(100 * (1 / math.log2(3) + 1 / math.log2(4)) / ideal)
    assert value("ndcg@2", one) == pytest.approx(100 * (1 / math.log2(3)) / ideal)
    assert value("span_recall", one) == pytest.approx(100 * 105 / 110)
    both = case(evidence=[("d", 0, 9), ("d", 20, 30), ("d", 90, 99)], hits=[("d", 0, 50)])
    assert value("recall@k", both) == pytest.approx(200 / 3)
    assert value("map", both) == 50


RETRIEVAL = ("hit@k", "hit@3", "recall@k", "precision@k", "mrr", "map", "ndcg", "span_recall")


@pytest.mark.parametrize("name", RETRIEVAL)
def test_nothing_is_said_of_search_without_passages_or_evidence(name: str) -> None:
    assert value(name, case(hits=[], evidence=[("d", 0, 9)]), case()) is None
    assert value(name, case(hits=[("d", 0, 9)], evidence=[("d", 0, 9)])) == 100
    assert value(name, case(hits=[("e", 0, 9)], evidence=[("d", 0, 9)])) == 0


drawn_places = st.tuples(st.sampled_from("de"), st.integers(0, 60), st.integers(1, 40))
places = drawn_places.map(lambda place: (place[0], place[1], place[1] + place[2]))


@settings(max_examples=60, deadline=None)
@given(st.lists(places, min_size=1, max_size=3), st.lists(places, min_size=1, max_size=5), st.integers(1, 6))
def test_span_recall_and_recall_agree_with_counting(evidence: list[Place], found: list[Place], k: int) -> None:
    characters = {(d, at) for d, start, end in found for at in range(start, end)}
    inside = sum((d, at) in characters for d, start, end in evidence for at in range(start, end))
    one = case(evidence=evidence, hits=found)
    assert value("span_recall", one) == pytest.approx(100 * inside / sum(end - start for _, start, end in evidence))
    held = [
        any(2 * len(set(range(s, e)) & set(range(a, b))) >= e - s for x, a, b in found[:k] if x == d)
        for d, s, e in evidence
    ]
    assert value(f"recall@{k}", one) == pytest.approx(100 * sum(held) / len(held))
    assert value(f"hit@{k}", one) == 100 * any(held)
    assert shared(span(evidence[0]), [span(evidence[0])] * 2) == evidence[0][2] - evidence[0][1]


def test_refusing_is_right_where_nothing_can_be_answered() -> None:
    four = [case(answerable=a, refused=r) for a in (True, False) for r in (True, False)]
    assert value("refused", *four) == 50
    assert value("decided", *four) == 50
    assert value("decided", *four[1:3]) == 100
    assert load("refused").better == ""


@pytest.mark.parametrize(
    ("text", "references", "expected"),
    [
        ("The ferry takes forty minutes.", ("Forty minutes.",), True),
        ("Ada Torp [1]", ("The miller Ada Torp",), True),
        ("It takes twenty or forty long minutes to cross.", ("forty minutes",), False),
        ("I think that the old mill which stands by the river was built in 1874.", ("1874",), True),
        ("Never.", ("Forty minutes.", "never"), True),
        ("Never.", (), None),
    ],
)
def test_what_a_right_answer_is(text: str, references: tuple[str, ...], expected: bool | None) -> None:
    assert right(case(text, references=references)) is expected


@pytest.mark.parametrize("answerable", [True, False])
def test_a_question_that_a_server_would_not_take_was_not_decided(answerable: bool) -> None:
    asked = case("", answerable=answerable, refused=True)
    failed = Case(asked.question, asked.answer.model_copy(update={"failed": True}))
    assert load("decided").label == "decided", "tables call it as --metrics and the pages do"
    assert value("decided", asked) is not None
    assert value("decided", failed) is None
    assert value("refused", failed) is None
    assert outcome(failed) == "unknown"


def test_an_answer_to_the_unanswerable_is_wrong_and_a_refusal_unknown() -> None:
    assert right(case(answerable=False)) is False
    assert right(case(answerable=False, refused=True)) is False
    assert right(case(refused=True)) is None


chances = st.lists(st.tuples(st.integers(0, 100).map(lambda n: n / 100), st.booleans()), min_size=2, max_size=40)


@settings(max_examples=60, deadline=None)
@given(chances, st.integers(1, 100))
def test_auroc_and_risk_are_those_of_their_definitions(drawn: list[tuple[float, bool]], coverage: int) -> None:
    answers = [case("Forty." if good else "Never.", references=("Forty.",), chance=chance) for chance, good in drawn]
    kinds = {good for _, good in drawn}
    expected = None
    if len(kinds) == 2:
        expected = pytest.approx(100 * roc_auc_score([good for _, good in drawn], [chance for chance, _ in drawn]))
    assert value("auroc", *answers) == expected
    wrong = {chance: [not good for c, good in drawn if c == chance] for chance in sorted({c for c, _ in drawn})}
    left = total = coverage / 100 * len(drawn)
    errors = 0.0
    for chance in reversed(wrong):
        taken = min(left, len(wrong[chance]))
        errors += taken * float(np.mean(wrong[chance]))
        left -= taken
    assert value(f"risk@{coverage}", *answers) == pytest.approx(100 * errors / total)


def test_no_chance_no_curve() -> None:
    assert value("auroc", case(), case(refused=True, chance=0.1)) is None
    assert value("risk@80", case()) is None
    assert value("auroc", case(chance=0.9), case(answerable=False, refused=True, chance=0.2)) == 100
    with pytest.raises(UsageError, match="no coverage of 101 %"):
        load("risk@101")


def test_costs_are_undefined_where_they_are_not_known() -> None:
    known = case(usage=Usage(prompt_tokens=90, completion_tokens=10, cost=0.25, seconds=2.0))
    free = case(usage=Usage(cost=0.0))
    for name, expected in (("seconds", 2.0), ("tokens", 100.0), ("cost", 0.25), ("seconds_p50", 2.0)):
        assert value(name, known, case()) == pytest.approx(expected, rel=0.02)
        assert value(name, case()) is None
    assert value("cost", free, known) == 0.125


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(LOW, HIGH), min_size=1, max_size=50))
def test_quantiles_are_within_two_per_cent(seconds: list[float]) -> None:
    answers = [case(usage=Usage(seconds=one)) for one in seconds]
    for name, share in (("seconds_p50", 0.5), ("seconds_p95", 0.95)):
        exact = float(np.quantile(seconds, share, method="inverted_cdf"))
        assert value(name, *answers) == pytest.approx(exact, rel=0.0201)


def test_semantic_similarity_takes_the_nearest_reference() -> None:
    near = case("The boat needs two thirds of an hour.", references=("Rye bread.", "The ferry takes forty minutes."))
    far = case("Rye bread stays fresh.", references=("The ferry takes forty minutes.",))
    same, empty, bare = case("Rye bread."), case(""), case(references=())
    metric = load("semantic")
    rows = metric.statistics([near, far, case("Rye bread.", references=("Rye bread.",)), empty, bare])
    values = [None if row is None else metric.item(row) for row in rows]
    assert values[4] is None
    assert values[3] == 0
    assert values[2] == pytest.approx(100, abs=0.01)
    assert values[0] is not None
    assert values[1] is not None
    assert 0 <= values[1] < 30 < values[0] < 100
    assert metric.statistics([same])[0] is not None
    assert "model:all-MiniLM-L6-v2" in metric.signature
