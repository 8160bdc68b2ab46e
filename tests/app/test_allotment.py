"""How a round's pairs are divided: exact sums, fair rounding, more for the weak, nothing for what ran dry."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.app.loop.allotment import by_weakness, continued, divided, even, offset_of, spent_after
from doceo.core.records import Gap

SIZES = {"a": 10.0, "b": 10.0, "c": 20.0}


def gap(key: str, weakness: float, covered: float = 0.0) -> Gap:
    return Gap(axis="topic", key=key, weakness=weakness, n=5, low=0, high=1, covered=covered)


@given(
    st.integers(0, 200),
    st.dictionaries(st.text(max_size=3), st.floats(0.001, 1000), min_size=1, max_size=30),
    st.floats(0, 0.999999),
)
def test_shares_are_rounded_up_or_down_and_add_up(n: int, shares: dict[str, float], offset: float) -> None:
    found = divided(n, shares, offset)
    assert sum(found.values()) == n
    for area, share in shares.items():
        assert abs(found.get(area, 0) - n * share / sum(shares.values())) < 1 + 1e-6


def test_small_areas_get_their_turn_over_the_rounds() -> None:
    shares = {f"area {n}": 1.0 + n / 10 for n in range(40)}
    spent: Counter[str] = Counter()
    for number in range(1, 21):
        spent.update(divided(10, shares, offset_of(0, number)))
    whole = sum(shares.values())
    assert all(abs(spent[area] - 200 * share / whole) <= 2 for area, share in shares.items())


def test_the_weak_get_more_and_what_ran_dry_nothing() -> None:
    assert even(40, SIZES, 0.0) == {"a": 10, "b": 10, "c": 20}
    assert even(40, SIZES, 0.0, {"c"}) == {"a": 20, "b": 20}
    gaps = [gap("a", 1.0), gap("b", 0.5), gap("c", 0.5)]
    # By hand: 10 x 1, 10 x 1/4 and 20 x 1/4 are 4/7, 1/7 and 2/7 of the whole.
    assert by_weakness(70, SIZES, gaps, 0.0, explore=0.0, focus=2.0) == {"a": 40, "b": 10, "c": 20}
    assert by_weakness(40, SIZES, gaps, 0.0, explore=1.0, focus=2.0) == even(40, SIZES, 0.0)
    assert by_weakness(40, SIZES, gaps, 0.0, explore=0.0, focus=0.0) == even(40, SIZES, 0.0)
    assert "a" not in by_weakness(70, SIZES, gaps, 0.0, explore=0.3, focus=2.0, dry={"a"})
    # What was asked about already is not taught again; a model that knows everything is taught evenly.
    asked = [gap("a", 1.0, covered=1.0), gap("b", 1.0), gap("c", 1.0)]
    assert by_weakness(30, SIZES, asked, 0.0, explore=0.0, focus=1.0) == {"b": 10, "c": 20}
    known = [gap(key, 0.0) for key in SIZES]
    assert by_weakness(40, SIZES, known, 0.0, explore=0.0, focus=1.0) == even(40, SIZES, 0.0)
    assert even(5, {}, 0.0) == {}


def test_rounding_begins_elsewhere_in_every_round() -> None:
    places = [offset_of(3, number) for number in range(1, 6)]
    assert len(set(places)) == 5
    assert all(0 <= place < 1 for place in places)
    assert offset_of(3, 1) == pytest.approx(places[0])
    assert offset_of(4, 1) != places[0]


@given(st.integers(1, 20), st.integers(0, 500))
def test_a_loop_goes_on_without_its_rounds_being_made_anew(rounds: int, extra: int) -> None:
    budget = rounds + extra
    wanted, more = continued(budget, rounds)
    assert rounds < more <= 2 * rounds
    for number in range(1, rounds + 1):
        assert spent_after(wanted, more, number) == spent_after(budget, rounds, number)
    assert spent_after(wanted, more, more) > budget


def test_known_ways_to_go_on() -> None:
    # 133 pairs in 4 rounds would give 33, 66, 100: the second round would be made anew.
    assert continued(100, 3) == (167, 5)
    assert continued(180, 3) == (240, 4)
