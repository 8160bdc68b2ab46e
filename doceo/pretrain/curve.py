"""Loss and bits per byte of a training as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

TRAINED, MEASURED = "#3b6ea8", "#c05621"


def draw_curve(lines: Sequence[dict[str, Any]], path: Path) -> None:
    """Write an SVG of the training loss and of the bits per byte of held-out text; equal figures give equal bytes.

    Args:
        lines: The lines of `training.jsonl`.
        path: The file to write.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "doceo", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7.2, 3.0), layout="constrained")
        left, right = figure.subplots(1, 2)
        for axes, key, label, color, marker in (
            (left, "loss", "training loss (nats per token)", TRAINED, ""),
            (right, "eval_bits_per_byte", "held-out text (bits per byte)", MEASURED, "o"),
        ):
            points = [(line["tokens"] / 1e6, line[key]) for line in lines if line.get(key) is not None]
            if points:
                axes.plot(*zip(*points, strict=True), color=color, marker=marker, markersize=3, linewidth=1.2)
            axes.set_title(label, fontsize=9, loc="left")
            axes.set_xlabel("tokens trained on (millions)", fontsize=8)
            axes.tick_params(labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.25)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
