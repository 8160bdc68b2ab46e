"""Shares of topics: met where the topic has pairs, however few its passages are; known elsewhere, not asked again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.records import Pair
from generator.balance import Quotas, select
from generator.carried import Carried
from generator.topic_choice import select_by_topic
from tests.generator import test_pipeline as pipeline


def pool(sizes: dict[str, int], each: int) -> tuple[list[Pair], dict[str, int]]:
    """Pairs of topics of so many passages, with so many pairs a passage."""
    pairs, order = [], {}
    for topic, size in sizes.items():
        for n in range(size):
            chunk = f"c {topic} {n}"
            order[chunk] = len(order)
            for i in range(each):
                question = f"What is {topic} {n} {i}?"
                found = Pair(
                    id=Pair.identify(question, chunk, ()), question=question, answer="x", chunk_ids=(chunk,),
                    topic=topic, teacher="t",
                )  # fmt: skip
                pairs.append(found)
    return pairs, order


def test_a_small_topic_gets_its_share() -> None:
    pairs, order = pool({"small": 5, "large": 195}, 6)
    quotas = Quotas(topics={"small": 60})
    assert Counter(p.topic for p in select(pairs, 40, order, quotas=quotas))["small"] < 10, "the spread comes first"
    chosen = select_by_topic(pairs, 40, order, (), quotas, None)
    assert Counter(p.topic for p in chosen) == {"small": 24, "large": 16}
    served = Counter(p.chunk_ids[0] for p in chosen if p.topic == "small")
    assert sorted(served.values()) == [4, 5, 5, 5, 5], "within a topic pairs are spread"


def test_what_a_topic_cannot_give_comes_from_the_others() -> None:
    pairs, order = pool({"a": 2, "b": 50, "c": 50}, 2)
    chosen = select_by_topic(pairs, 40, order, (), Quotas(topics={"a": 50, "b": 25}), None)
    assert Counter(p.topic for p in chosen) == {"a": 4, "b": 10, "c": 26}
    whole = select_by_topic(pairs, 40, order, (), Quotas(topics={"a": 50, "b": 50}), None)
    assert Counter(p.topic for p in whole)["a"] == 4
    assert len(whole) == 40


@given(st.integers(0, 40), st.integers(1, 60), st.floats(0, 50), st.floats(0, 50))
@settings(max_examples=40, deadline=None)
def test_never_more_than_wanted_and_what_was_kept_counts(kept: int, n: int, a: float, b: float) -> None:
    pairs, order = pool({"a": 6, "b": 9, "c": 12}, 3)
    before, rest = pairs[:kept], pairs[kept:]
    chosen = select_by_topic(rest, n, order, before, Quotas(topics={"a": a, "b": b}), None)
    assert len(chosen) == len({p.id for p in chosen}) == min(n, len(rest))
    assert not {p.id for p in chosen} & {p.id for p in before}
    assert [order[p.chunk_ids[0]] for p in chosen] == sorted(order[p.chunk_ids[0]] for p in chosen)


def test_the_built_in_teacher_reads_on_in_a_topic_that_is_short() -> None:
    corpus = pipeline.corpus(300)
    corpus = replace(corpus, topics={chunk.id: "few" if n < 4 else "many" for n, chunk in enumerate(corpus.chunks)})
    made = pipeline.make(corpus, pipeline.Teacher(exhaustive=True), 20, taught_share=0, topic_shares={"few": 60})
    assert Counter(p.topic for p in made.pairs) == {"few": 12, "many": 8}


def test_a_teacher_is_told_what_is_asked_elsewhere() -> None:
    corpus = pipeline.corpus(6)
    first = pipeline.make(corpus, pipeline.Teacher(), 6, taught_share=0)
    teacher = pipeline.Teacher()
    before = Carried((), (), (), {}, retired=0, elsewhere=first.pairs)
    second = pipeline.make(corpus, teacher, 6, taught_share=0, before=before)
    assert len(second.pairs) == 6
    assert not {p.question for p in first.pairs} & {p.question for p in second.pairs}
    told = {question for order in teacher.calls for question in order.known}
    assert {p.question for p in first.pairs} <= told
