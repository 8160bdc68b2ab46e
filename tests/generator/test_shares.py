"""The mix that follows from what passed: shrunken, bounded, and silent where kinds do not differ."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from doceo.core.records import Pair, Rejected, Verdict
from generator import shares
from generator.planning import LLM_KINDS
from generator.shares import REST, Proposals, acceptance, learned_shares, own_prompts, proposals, share_changes

USUAL = {"multi-hop": (18, 20), "multi-turn": (18, 20), "unanswerable": (15, 16), "summary": (9, 10), REST: (120, 134)}
counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def found(**other: tuple[int, int]) -> dict[str, Proposals]:
    named = {kind.replace("_", "-"): pair for kind, pair in other.items()}
    return {kind: Proposals(*pair) for kind, pair in (USUAL | named).items()}


def test_a_kind_that_fails_loses_share_and_keeps_a_quarter() -> None:
    mix = learned_shares(LLM_KINDS, found(multi_hop=(0, 20)))
    assert 2.5 <= mix["multi-hop"] < 4
    assert {kind: share for kind, share in mix.items() if kind != "multi-hop"} == {
        kind: share for kind, share in LLM_KINDS.items() if kind != "multi-hop"
    }
    assert learned_shares(LLM_KINDS, found(multi_hop=(0, 500)))["multi-hop"] == 2.5


def test_a_prompt_that_fails_at_the_free_kinds_loses_share_to_the_others() -> None:
    mix = learned_shares(LLM_KINDS, found(**{REST: (20, 134)}))
    assert all(LLM_KINDS[kind] < mix[kind] <= 2 * LLM_KINDS[kind] for kind in LLM_KINDS)


@pytest.mark.parametrize("few", [(0, 1), (0, 2), (1, 3)])
def test_a_few_proposals_change_little(few: tuple[int, int]) -> None:
    assert learned_shares(LLM_KINDS, found(multi_hop=few))["multi-hop"] >= 7


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9, 1.0])
def test_kinds_that_pass_alike_keep_their_shares(rate: float) -> None:
    alike = {kind: Proposals(round(rate * n), n) for kind, (_, n) in USUAL.items()}
    assert learned_shares(LLM_KINDS, alike) == LLM_KINDS
    assert learned_shares(LLM_KINDS, {kind: Proposals(0, 0) for kind in USUAL}) == LLM_KINDS


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(USUAL, counts)))
def test_shares_stay_between_a_quarter_and_twice_and_below_a_whole(given_counts: dict[str, tuple[int, int]]) -> None:
    for wanted in (LLM_KINDS, {"multi-hop": 30.0, "multi-turn": 30.0, "unanswerable": 25.0, "summary": 15.0}):
        mix = learned_shares(wanted, {kind: Proposals(*pair) for kind, pair in given_counts.items()})
        assert sum(mix.values()) <= 100 + 1e-6
        assert all(share / 8 <= mix[kind] <= 2 * share for kind, share in wanted.items())


@settings(max_examples=60, deadline=None)
@given(counts, st.integers(1, 20))
def test_failing_more_often_never_pays(pair: tuple[int, int], more: int) -> None:
    passed, n = pair
    assume(passed + more <= n)
    worse, better = (learned_shares(LLM_KINDS, found(multi_hop=(k, n)))["multi-hop"] for k in (passed, passed + more))
    assert worse <= better


def test_the_chance_of_passing_is_the_likeliest_of_the_beta_binomial() -> None:
    seen = found(multi_hop=(2, 30))
    n, passed = sum(one.n for one in seen.values()), sum(one.passed for one in seen.values())
    mean = passed / n
    likely = {
        s: sum(betabinom.logpmf(one.passed, one.n, mean * s, (1 - mean) * s) for one in seen.values())
        for s in shares._STRENGTHS
    }
    best = max(likely, key=lambda s: likely[s])
    truth = {kind: (one.passed + mean * best) / (one.n + best) for kind, one in seen.items()}
    assert acceptance(seen) == pytest.approx(truth)


def test_what_a_prompt_makes_counts_for_its_kind_and_what_is_no_fault_does_not() -> None:
    def pair(kind: str, prompt: str = "h") -> Pair:
        return Pair(id="p", question="q?", answer="a", kind=kind, teacher="t", prompt_hash=prompt)  # type: ignore[arg-type]

    def refused(kind: str, reason: str, prompt: str = "h") -> Rejected:
        return Rejected(pair=pair(kind, prompt), verdict=Verdict(accepted=False, reason=reason))

    own = own_prompts({"generate_pairs": "h", "multi_turn": "turns"})
    assert own == {"turns": "multi-turn"}
    accepted = [pair("fact"), pair("summary"), pair("fact", "turns"), pair("multi-turn", "turns"), pair("fact", "")]
    rejected = [
        refused("fact", "form"), refused("summary", "not_selected"), refused("fact", "near", "turns"),
        refused("fact", "unchecked"), refused("summary", "review"),
    ]  # fmt: skip
    assert proposals(accepted, rejected, ["summary", "multi-turn"], own) == {
        REST: Proposals(1, 2), "summary": Proposals(1, 2), "multi-turn": Proposals(2, 3),
    }  # fmt: skip


def test_a_named_kind_keeps_its_share_and_is_told_of_where_it_costs_most() -> None:
    seen = found(multi_hop=(1, 20), summary=(7, 10))
    (told,) = share_changes(LLM_KINDS, LLM_KINDS, seen, named=True)
    assert (told.what, told.was, told.to, told.changed) == ("kinds multi-hop", 10, 10, False)
    assert "1 of 20 proposals" in told.reason and "it is named" in told.reason
    (moved,) = share_changes(LLM_KINDS, learned_shares(LLM_KINDS, seen), seen, named=False)
    assert moved.to < 5
    assert str(moved).startswith("kinds multi-hop: 10 % -> ")
