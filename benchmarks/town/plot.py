"""The one picture: recall after every round, the gap-driven budget against the even one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.town.arms import ARMS, Arm, Plan, Result
from benchmarks.town.figures import GROUPS, Figures, Group, Level

TITLES: dict[Group, str] = {
    "everything": "All facts",
    "planted": "Districts that the base never read of",
    "others": "Districts that it knew",
}
COLOURS: dict[Arm, str] = {"gap": "#0b6e8a", "even": "#c46a1b"}
NAMES: dict[Arm, str] = {"gap": "where the model is weak", "even": "evenly"}
INK, FAINT = "#22282e", "#6b747c"
_LOOK: dict[Any, Any] = {
    "svg.hashsalt": "doceo",
    "svg.fonttype": "path",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#aeb6bc",
    "xtick.color": FAINT,
    "ytick.color": FAINT,
}


def draw(found: Figures, plan: Plan, results: Sequence[Result], path: Path) -> None:
    """Write the picture: as SVG, or as what the path's ending says; equal figures give equal bytes.

    Args:
        found: What is drawn.
        plan: For the line below the title.
        results: Of the towns, which are drawn as thin lines.
        path: The file to write.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(10.4, 4.2), facecolor="white")
        panels = figure.subplots(1, len(GROUPS))
        figure.subplots_adjust(left=0.06, right=0.985, top=0.715, bottom=0.125, wspace=0.17)
        for panel, group in zip(panels, GROUPS, strict=True):
            _panel(panel, group, found, results)
        panels[0].set_ylabel("recall in new words, %")
        _head(figure, found, plan)
        figure.savefig(path, dpi=150, metadata={"Date": None, "Creator": None} if path.suffix == ".svg" else None)


def _panel(panel: Any, group: Group, found: Figures, results: Sequence[Result]) -> None:  # noqa: ANN401 - untyped
    rounds = range(len(found.recall[group]["gap"]))
    for arm in ARMS:
        for result in results if len(results) > 1 else ():
            thin = [100 * getattr(one, group).value for one in result.rounds[arm]]
            panel.plot(rounds, thin, color=COLOURS[arm], alpha=0.16, linewidth=0.8, zorder=1)
        levels = found.recall[group][arm]
        middle = [one.value for one in levels]
        panel.plot(rounds, middle, color=COLOURS[arm], linewidth=2.2, marker="o", markersize=5, zorder=3)
        bounds = [(one.low, one.high) for one in levels]
        if bounds[0][0] is not None:
            panel.fill_between(
                rounds, *zip(*bounds, strict=True), color=COLOURS[arm], alpha=0.18, linewidth=0, zorder=2
            )
    _ends(panel, group, found, rounds[-1])
    panel.set_title(TITLES[group], fontsize=10, loc="left", pad=8, fontweight="bold")
    panel.set_xticks(list(rounds), ["base", *map(str, rounds[1:])])
    panel.set_xlabel("after round")
    panel.set_xlim(-0.12, rounds[-1] + 0.62)
    panel.set_ylim(-1 if group == "planted" else _least(found, results), 101)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", alpha=0.35, linewidth=0.6)
    panel.tick_params(length=0, labelsize=9)


def _least(found: Figures, results: Sequence[Result]) -> float:
    """Return where the scales of the outer panels begin: at what both their lines stay above."""
    values = [
        100.0 * float(getattr(one, group).value)
        for result in results
        for arm in ARMS
        for one in result.rounds[arm]
        for group in ("everything", "others")
    ]
    lows = [one.low for group in GROUPS if group != "planted" for arm in ARMS for one in found.recall[group][arm]]
    least = min([*values, *(low for low in lows if low is not None)])
    return max(0.0, 10.0 * math.floor((least - 4) / 10))


def _ends(panel: Any, group: Group, found: Figures, last: int) -> None:  # noqa: ANN401 - untyped
    """Write each arm's last figure beside its line, apart from the other's."""
    ends = {arm: found.recall[group][arm][last] for arm in ARMS}
    up = ends["gap"].value >= ends["even"].value
    for arm in ARMS:
        above = (arm == "gap") == up
        panel.annotate(
            f"{ends[arm].value:.1f}",
            (last, ends[arm].value),
            xytext=(8, 3 if above else -3),
            textcoords="offset points",
            va="bottom" if above else "top",
            color=COLOURS[arm],
            fontsize=10,
            fontweight="bold",
        )


def _head(figure: Any, found: Figures, plan: Plan) -> None:  # noqa: ANN401 - untyped
    figure.text(0.06, 0.945, "The same budget, spent where the model is weak or evenly", fontsize=13, fontweight="bold")
    towns = f"{found.towns} invented town{'s' if found.towns > 1 else ''}"
    bands = "; bands: 95 % intervals over towns, thin lines: towns" if found.towns > 1 else ""
    told = f"{plan.budget} training pairs in {plan.rounds} rounds, {towns}{bands}; mind the scales"
    figure.text(0.06, 0.885, told, fontsize=9.5, color=FAINT)
    at = 0.06
    for arm in ARMS:
        figure.text(at, 0.825, "●", color=COLOURS[arm], fontsize=11)
        figure.text(at + 0.016, 0.825, NAMES[arm], color=COLOURS[arm], fontsize=10)
        at += 0.21
    figure.text(0.985, 0.825, _verdict(found.last["everything"].mean, found), fontsize=10, ha="right")


def _verdict(apart: Level, found: Figures) -> str:
    spread = "" if apart.low is None else f" ({apart.low:+.1f} to {apart.high:+.1f})"
    p = f", one-sided p = {found.last['everything'].p:.3f}" if found.towns > 1 else ""
    return f"all facts, last round: {apart.value:+.1f} points{spread}{p}"
