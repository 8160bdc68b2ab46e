"""Round numbers for the axes of charts, and places on them in per cent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Axis:
    """An axis from a round number to another; `ticks` are (place in per cent, its text)."""

    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Return where a value stands, in per cent; what lies outside stands at the end."""
        return round(min(100.0, max(0.0, 100 * (value - self.start) / (self.end - self.start))), 2)


def axis(values: Iterable[float], *, most: int = 5, show: Callable[[float], str] = "{:.4g}".format) -> Axis:
    """Return an axis that holds the values in at most `most` steps."""
    low, high, step = ends(list(values) or [0.0], most)
    count = round((high - low) / step)
    at = [low + i * step for i in range(count + 1)]
    return Axis(low, high, tuple((round(100 * i / count, 2), show(value)) for i, value in enumerate(at)))


def ends(values: list[float], most: int = 5) -> tuple[float, float, float]:
    """Return round ends that hold the values, and the step between them."""
    low, high = min(values), max(values)
    if high - low <= 1e-9 * abs(low):
        high = low + max(1.0, abs(low))
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (power * step for step in (*_STEPS, 20, 50)):
        start, end = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        if round((max(end, start + step) - start) / step) <= most:
            return start, max(end, start + step), step
    raise AssertionError("fifty times the power of ten holds every spread")
