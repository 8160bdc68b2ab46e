"""The loss curve of a run as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def draw_curve(lines: Sequence[dict[str, Any]], path: Path, unit: str = "token") -> None:
    """Write an SVG of training and validation loss over steps; equal losses give equal bytes.

    Args:
        lines: The lines of `training.jsonl`.
        path: The file to write.
        unit: What the losses are of.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "doceo", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = figure.subplots()
        for key, label, color, marker in (
            ("loss", "training", "#3b6ea8", ""),
            ("eval_loss", "validation", "#c05621", "o"),
        ):
            points = [(line["step"], line[key]) for line in lines if line.get(key) is not None]
            if points:
                axes.plot(
                    *zip(*points, strict=True), label=label, color=color, marker=marker, markersize=4, linewidth=1.4
                )
        axes.set_title("loss while fine-tuning", fontsize=9, loc="left")
        axes.set_xlabel("step")
        axes.set_ylabel(f"nats per {unit}")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
