"""Means of what the batches of a step or of an evaluation came to, each batch with its weight."""

from __future__ import annotations

from finetune import ranks


class Means:
    """Weighted means by name, over all batches since they were last taken and over all processes."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, name: str, mean: float, weight: float) -> None:
        """Count a batch: the mean over its tokens or rows, and how many these were."""
        total, weights = self._sums.get(name, (0.0, 0.0))
        self._sums[name] = total + mean * weight, weights + weight

    def taken(self) -> dict[str, float]:
        """Return the means, and begin anew. All processes have to ask at the same point."""
        names, sums = sorted(self._sums), self._sums
        self._sums = {}
        numbers = ranks.summed(*(number for name in names for number in sums[name]))
        return {name: numbers[2 * n] / max(1.0, numbers[2 * n + 1]) for n, name in enumerate(names)}
