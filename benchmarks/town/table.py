"""The figures as words and as a table, on the terminal and in docs/proof.md."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from benchmarks.town.arms import ARMS, Arm, Plan, Result
from benchmarks.town.figures import GROUPS, Contrast, Figures, Group, Level

FACTS: dict[Group, str] = {"everything": "all", "planted": "planted districts", "others": "other districts"}
SPENT: dict[Arm, str] = {"gap": "by weakness", "even": "evenly"}
_PLACE = re.compile(r"(?<=<!-- written by make proof -->\n).*?(?=<!-- until here -->)", re.DOTALL)
WIDTH = 120


def line(result: Result) -> str:
    """Return what came of one town."""
    gap, even = (result.rounds[arm][-1] for arm in ARMS)
    return (
        f"Town {result.seed}: recall of all facts {gap.everything.value:.1%} by weakness, {even.everything.value:.1%} "
        f"evenly; planted districts {gap.planted.value:.1%}, {even.planted.value:.1%}, all found for round "
        f"{result.found()}; {result.pretraining_s:.0f} s of pretraining, {result.loop_s:.0f} s of rounds."
    )


def summary(found: Figures, plan: Plan) -> str:
    """Return what all towns show, in sentences and as a table in Markdown."""
    words = textwrap.fill(" ".join(_words(found, plan)), WIDTH)
    return "\n".join([words, "", *_table(found)])


def write_page(page: Path, found: Figures, plan: Plan) -> None:
    """Put what all towns show into a page, between its two marks. Raises ValueError where there are none."""
    text = page.read_text(encoding="utf-8")
    written, places = _PLACE.subn(lambda _: f"\n{summary(found, plan)}\n\n", text)
    if places != 1:
        raise ValueError(f"{page} has {places} places for the figures.")
    page.write_text(written, encoding="utf-8")


def _words(found: Figures, plan: Plan) -> Iterator[str]:
    yield f"{found.towns} towns, {plan.rounds} rounds, {plan.budget} training pairs an arm (`proof.json`), in percent."
    yield (
        f"The base knows {_said(found.base_known)} of the districts that it read of and {_said(found.base_planted)} of "
        "the planted ones."
    )
    yield (
        f"The planted districts are on top of the gaps in {found.found_by_round_1} of {found.towns} towns in the first "
        f"round, in {found.found_by_round_2} by the second."
    )
    spent = [found.pairs_planted[arm][-1] for arm in ARMS]
    yield f"Pairs about planted districts: {spent[0]:.0f} by weakness, {spent[1]:.0f} evenly."
    for arm in ARMS:
        yield (
            f"With the budget spent {SPENT[arm]}, {_said(found.taught[arm])} of the planted facts that a training pair "
            f"states are known in the end, and {_said(found.untaught[arm])} of the others."
        )
    yield f"Training rows that held a question of the exam: {found.leaks}."
    one = found.area["everything"]
    yield f"The mean of the rounds is {_said(one.mean, sign='+')} points higher by weakness, {_p(one)}."


def _table(found: Figures) -> Iterator[str]:
    rounds = len(found.recall["everything"]["gap"])
    yield "| facts | budget spent | " + " | ".join(["base", *(f"round {n}" for n in range(1, rounds))]) + " |"
    yield "|---" * (rounds + 2) + "|"
    for group in GROUPS:
        for arm in ARMS:
            levels = found.recall[group][arm]
            cells = [*(f"{one.value:.1f}" for one in levels[:-1]), _said(levels[-1])]
            yield f"| {FACTS[group]} | {SPENT[arm]} | " + " | ".join(cells) + " |"
        yield f"| | difference | {'| ' * (rounds - 1)}{_apart(found.last[group])} |"


def _apart(one: Contrast) -> str:
    return f"{_said(one.mean, sign='+')}, {_p(one)}"


def _p(one: Contrast) -> str:
    return f"p = {one.p:.4f}"


def _said(one: Level, sign: str = "") -> str:
    if one.low is None or one.high is None:
        return f"{one.value:{sign}.1f}"
    return f"{one.value:{sign}.1f} ({one.low:{sign}.1f} to {one.high:{sign}.1f})"
