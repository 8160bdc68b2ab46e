"""The plan: N spread over the corpus, sorts of pairs spread over the plan."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Span
from generator.plan import Slot, Wish, by_topic, information, orders, slots


def chunks(n: int, text: str = "") -> list[Chunk]:
    made = []
    for i in range(n):
        words = text or " ".join(f"word{chr(97 + (i + j) % 26)}{chr(97 + j)}" for j in range(30))
        span = Span(document_id="d", start=1000 * i, end=1000 * i + len(words))
        made.append(
            Chunk(
                id=Chunk.identify(span),
                document_id="d",
                span=span,
                text=words,
                tokens=60,
                text_sha256=sha256(f"{i} {words}"),
            )
        )
    return made


def even(found: list[Chunk]) -> dict[str, float]:
    return {chunk.id: 1.0 for chunk in found}


def test_fewer_pairs_than_chunks_reach_over_the_whole_length() -> None:
    found = chunks(200)
    planned = slots(found, 25, 4, even(found), {})
    at = [found.index(slot.chunk) for slot in planned]
    edges = [-1, *at, 200]
    assert len(planned) == 25
    assert max(b - a for a, b in pairwise(edges)) <= 9
    assert at[0] < 9 and at[-1] > 190


def test_as_many_pairs_as_chunks_ask_each_once() -> None:
    found = chunks(200)
    assert [slot.chunk for slot in slots(found, 200, 4, even(found), {})] == found


def test_more_pairs_go_where_there_is_more_information() -> None:
    found = chunks(3)
    weight = {found[0].id: 10.0, found[1].id: 30.0, found[2].id: 20.0}
    assert [slot.n for slot in slots(found, 12, 8, weight, {})] == [2, 6, 4]
    assert [slot.n for slot in slots(found, 12, 4, weight, {})] == [4, 4, 4]


def test_the_least_asked_come_first() -> None:
    found = chunks(4)
    planned = slots(found, 2, 4, even(found), {found[0].id: 1, found[2].id: 1})
    assert [slot.chunk for slot in planned] == [found[1], found[3]]


@given(
    st.integers(1, 40), st.integers(0, 200), st.integers(1, 6), st.lists(st.integers(0, 3), min_size=40, max_size=40)
)
@settings(max_examples=80, deadline=None)
def test_the_slots_sum_up_to_what_is_wanted(n_chunks: int, n: int, most: int, levels: list[int]) -> None:
    found = chunks(n_chunks)
    asked = {chunk.id: level for chunk, level in zip(found, levels, strict=False)}
    planned = slots(found, n, most, {chunk.id: 1.0 + i for i, chunk in enumerate(found)}, asked)
    assert sum(slot.n for slot in planned) == min(n, most * n_chunks)
    assert all(1 <= slot.n <= most for slot in planned)
    left_out = [asked[chunk.id] for chunk in found if chunk not in [slot.chunk for slot in planned]]
    assert max((asked[slot.chunk.id] for slot in planned), default=0) <= min(left_out, default=9)


def test_information_is_nothing_for_what_is_no_running_text() -> None:
    assert information(chunks(1)[0]) == 30
    assert information(chunks(1, "12 34 56 78 90 " * 20)[0]) == 0
    assert information(chunks(1, "too few different words " * 10)[0]) == 0
    assert (
        information(chunks(1, "北京是中华人民共和国的首都，位于华北平原的北部，人口超过两千万，历史悠久。" * 2)[0])
        >= 12
    )


@given(st.integers(1, 60), st.integers(1, 120), st.lists(st.sampled_from(["multi-hop", "multi-turn", "summary"])))
@settings(max_examples=60, deadline=None)
def test_wishes_take_the_place_of_ordinary_pairs(n_chunks: int, n: int, wanted: list[str]) -> None:
    found = chunks(n_chunks)
    planned = slots(found, n, 4, even(found), {})
    wishes = [
        Wish("pairs", ("summary",), 1) if kind == "summary" else Wish(kind, (), 2 if kind == "multi-turn" else 1)  # type: ignore[arg-type]
        for kind in wanted
    ]
    made = orders(planned, wishes, lambda chunk: found[0] if chunk != found[0] else None, {}, {})
    asked = sum(order.n for order in made)
    assert asked >= sum(slot.n for slot in planned)
    assert asked <= sum(slot.n for slot in planned) + sum(wish.n for wish in wishes)
    # Every chunk of the plan is still asked, and in the corpus's order.
    positions = [found.index(order.chunk) for order in made]
    assert positions == sorted(positions)
    assert {order.chunk.id for order in made} == {slot.chunk.id for slot in planned}
    assert all(len(order.chunks) == (2 if order.form == "multi-hop" else 1) for order in made)


def test_wishes_of_a_sort_are_spread() -> None:
    found = chunks(40)
    wishes = [Wish("multi-hop", (), 1)] * 4 + [Wish("unanswerable", (), 1)] * 4
    made = orders([Slot(chunk, 1) for chunk in found], wishes, lambda chunk: found[0], {}, {})
    for form in ("multi-hop", "unanswerable"):
        at = [found.index(order.chunk) for order in made if order.form == form]
        assert len(at) == 4
        assert at[0] < 12 and at[-1] > 26


def test_orders_carry_what_is_known_and_the_language() -> None:
    found = chunks(2)
    made = orders([Slot(found[0], 2)], [], lambda chunk: None, {found[0].id: ["Why?"]}, {"d": "de"})
    assert (made[0].known, made[0].language, made[0].n) == (("Why?",), "de", 2)


def test_topics_get_their_share_first() -> None:
    found = chunks(10)
    topic = {chunk.id: "bees" if i < 2 else "ants" for i, chunk in enumerate(found)}
    split = by_topic(found, 10, {"bees": 6}, topic)
    assert [(len(group), n) for group, n in split] == [(2, 6), (8, 4)]
    assert [(len(group), n) for group, n in by_topic(found, 10, {"wasps": 6}, topic)] == [(10, 10)]
