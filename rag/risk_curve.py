"""The risk-coverage curve of a calibration as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rag.risk import Array, Curve, Labels, curve

_COLORS = {"model": "#3b6ea8", "quote": "#c05621", "cosine": "#888888"}
_LABELS = {"model": "a model answers", "quote": "quote answers", "cosine": "top cosine"}


def draw_risk(scores: Mapping[str, Array], labels: Labels, chosen: Mapping[str, float], path: Path) -> None:
    """Write an SVG of risk over coverage; equal scores give equal bytes.

    Args:
        scores: Chances or scores by name: `model`, `quote`, `cosine`.
        labels: Which questions can be answered.
        chosen: The thresholds to mark, by the same names.
        path: The file to write.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "doceo", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        for name, values in scores.items():
            found = curve(values, labels)
            axes.plot(
                100 * found.coverage,
                100 * found.risk,
                label=_LABELS[name],
                color=_COLORS[name],
                linewidth=1.4,
                linestyle="--" if name == "cosine" else "-",
                drawstyle="steps-post",
            )
            if name in chosen and (at := _at(found, chosen[name])) is not None:
                axes.plot(100 * found.coverage[at], 100 * found.risk[at], "o", color=_COLORS[name])
        axes.axhline(100 * float((~labels).mean()), color="#888888", linewidth=0.8, linestyle=":")
        axes.set_xlabel("coverage: answered questions, %")
        axes.set_ylabel("risk: wrongly answered among them, %")
        axes.set_xlim(0, 100)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, loc="upper left")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)


def _at(found: Curve, threshold: float) -> int | None:
    """Return the last point of a curve that is answered at a threshold."""
    answered = int((found.thresholds >= threshold).sum())
    return answered - 1 if answered else None
