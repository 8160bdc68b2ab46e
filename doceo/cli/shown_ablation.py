"""How it looks on a terminal whether history or a profile helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doceo.cli.console import Console

if TYPE_CHECKING:
    from evaluation.ablation import Ablated

_MEASURES = {"f1": "F1", "rougeL": "ROUGE-L", "hit@k": "evidence found", "refused": "refused"}
_ASKED = {"history": "With the turns before, against without", "profile": "With a profile, against without"}


def show_ablation(console: Console, results: Sequence[Ablated]) -> None:
    """Show one table for every part and set: each measure with and without, and the paired difference."""
    for part, set_name in dict.fromkeys((one.part, one.set) for one in results):
        chosen = [one for one in results if (one.part, one.set) == (part, set_name)]
        rows = [
            [
                one.system,
                one.turn,
                _MEASURES.get(one.metric, one.metric),
                str(one.n),
                f"{one.value_with:.1f}",
                f"{one.value_without:.1f}",
                _difference(one),
                one.verdict,
            ]
            for one in chosen
        ]
        headers = ["system", "turn", "measure", "n", "with", "without", "difference", ""]
        console.table(headers, rows, title=f"\n{_ASKED[part]}: {set_name} questions of conversations")
        if chosen[0].note:
            console.show(f"The profile is {chosen[0].note}.")
    console.show(
        "Shares and scores from 0 to 100; differences question by question with 95 % intervals. helps, hurts: the "
        "interval excludes zero."
    )


def _difference(one: Ablated) -> str:
    interval = "" if one.low is None or one.high is None else f" [{one.low:+.1f}, {one.high:+.1f}]"
    return f"{one.difference:+.1f}{interval}"
