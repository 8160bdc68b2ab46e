"""What the kinds of pairs are worth asking for: how many of each passed the checks, and the mix that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor, lgamma

from doceo.core.records import Pair, Rejected
from generator.change import Change
from generator.teachers.llm import PROMPTS

NO_FAULT = frozenset({"not_selected", "unchecked", "roundtrip_unreadable", "judge_unreadable"})
"""Reasons of rejection that say nothing against a pair: there were enough of them, or the checker failed."""
REST = ""
"""Stands for all kinds that no share is wanted of."""
LEAST_SHARE = 0.25
"""A kind keeps this part of the share that is wanted of it, so that it can come back."""
MOST_SHARE = 2.0
"""And never gets more than so many times of it."""
LEAST_DIFFERENCE = 0.1
"""A share that would move by less than this part of itself stays."""
COSTLY = 0.5
"""A named kind whose proposals pass less than this often, compared with all, is told of."""
_STRENGTHS = tuple(10 * 2 ** (step / 2) for step in range(14))
"""How many proposals the mean may count for: from 10, so that a few proposals change little, to about 900."""


@dataclass(frozen=True)
class Proposals:
    """How many pairs of a kind were proposed, and how many of them passed every check."""

    passed: int
    n: int


def own_prompts(prompts: Mapping[str, str]) -> dict[str, str]:
    """Return the prompts that make one kind of pairs alone: hash -> kind, of a teacher's name -> hash."""
    return {prompts[name]: form for form, name in PROMPTS.items() if form != "pairs" and name in prompts}


def proposals(
    accepted: Iterable[Pair], rejected: Iterable[Rejected], kinds: Iterable[str], prompts: Mapping[str, str]
) -> dict[str, Proposals]:
    """Return what became of the pairs that a chat model was asked for, by kind; of all other kinds as `REST`.

    Args:
        accepted: Pairs that passed, rewordings left out: another prompt makes those.
        rejected: Pairs that did not; `NO_FAULT` does not count against them.
        kinds: The kinds that are told apart.
        prompts: Those of `own_prompts`: all that such a one makes, first turns included, counts for its kind.
    """
    told = {*kinds}

    def kind_of(pair: Pair) -> str:
        kind = prompts.get(pair.prompt_hash, pair.kind)
        return kind if kind in told else REST

    refused = (line.pair for line in rejected if line.verdict.reason not in NO_FAULT)
    passed = Counter(kind_of(pair) for pair in accepted if pair.prompt_hash)
    failed = Counter(kind_of(pair) for pair in refused if pair.prompt_hash)
    return {kind: Proposals(passed[kind], passed[kind] + failed[kind]) for kind in sorted({*told, REST})}


def acceptance(found: Mapping[str, Proposals]) -> dict[str, float]:
    """Return the chance of passing of every kind, shrunken towards that of all by empirical Bayes.

    The chances are taken for draws from one beta distribution, its mean that of all proposals, its strength (how many
    proposals it counts for) the likeliest one of a grid under the beta-binomial (Skellam 1948; Efron and Morris 1975
    on why shrinking is better). Where kinds differ no more than by chance, the strength is great and all are alike.
    """
    n = sum(one.n for one in found.values())
    mean = sum(one.passed for one in found.values()) / n if n else 0.0
    if not 0 < mean < 1:
        return dict.fromkeys(found, mean)
    strength = max(_STRENGTHS, key=lambda s: sum(_likelihood(one, mean, s) for one in found.values()))
    return {kind: (one.passed + mean * strength) / (one.n + strength) for kind, one in found.items()}


def learned_shares(wanted: Mapping[str, float], found: Mapping[str, Proposals]) -> dict[str, float]:
    """Return the shares in percent to ask for: those wanted, each times its acceptance over that of the whole mix.

    That is what asking in the wanted proportions gives: with a pair of kind k at 1 / a_k proposals and w_k its share,
    n_k = w_k a_k / sum(w a) spends a budget in proportion to w, and is the most of sum(w_k log n_k) that it can buy.
    So a kind that fails costs what was meant for it and no more; what it loses goes to the others.

    Args:
        wanted: Kind -> percent, together at most 100; the rest is free.
        found: What became of the proposals, by kind and as `REST`.
    """
    passing = acceptance(found)
    free = max(0.0, 100 - sum(wanted.values()))
    mean = sum(share * passing[kind] for kind, share in {**wanted, REST: free}.items()) / 100
    if mean <= 0:
        return dict(wanted)
    ratios = {kind: passing[kind] / mean for kind in wanted}
    shares = {kind: share * _kept(ratios[kind]) for kind, share in wanted.items()}
    over = max(1.0, sum(shares.values()) / 100)
    # Cut, not rounded: together they are never more than a whole.
    cut = {kind: floor(100 * share / over) / 100 for kind, share in shares.items()}
    return {kind: wanted[kind] if shares[kind] == wanted[kind] and over == 1 else cut[kind] for kind in wanted}


def share_changes(
    wanted: Mapping[str, float], shares: Mapping[str, float], found: Mapping[str, Proposals], *, named: bool
) -> tuple[Change, ...]:
    """Return the shares that changed; of `named` kinds, which keep theirs, those that cost most."""
    passing = acceptance(found)
    whole = Proposals(sum(one.passed for one in found.values()), sum(one.n for one in found.values()))
    mean = whole.passed / whole.n if whole.n else 0.0
    changes = []
    for kind, share in wanted.items():
        one = found[kind]
        if not share or not mean or (passing[kind] >= COSTLY * mean if named else shares[kind] == share):
            continue
        said = f"{one.passed} of {one.n} proposals passed the checks, of all {100 * mean:.0f} %"
        if named:
            said += f"; it costs {mean / passing[kind]:.1f} times as much as others, and is asked for as it is named"
        changes.append(Change(what=f"kinds {kind}", was=share, to=shares[kind], n=one.n, reason=said))
    return tuple(changes)


def _kept(ratio: float) -> float:
    return 1.0 if abs(ratio - 1) < LEAST_DIFFERENCE else min(MOST_SHARE, max(LEAST_SHARE, ratio))


def _likelihood(one: Proposals, mean: float, strength: float) -> float:
    """Return the log likelihood of a beta-binomial, but for what does not depend on the strength."""
    a, b = mean * strength, (1 - mean) * strength
    return _log_beta(a + one.passed, b + one.n - one.passed) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
