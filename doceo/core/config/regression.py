"""What a gate against a baseline lets pass."""

from __future__ import annotations

from math import isfinite

from pydantic import Field, field_validator

from doceo.core.config.base import Config


class RegressionConfig(Config):
    """How a run is checked against a baseline's answers to the same questions."""

    margin: tuple[str, ...] = ()
    """Loss that is allowed: `M` points for every metric on a scale of 0 to 100, `NAME=M` for one, in its own unit; left
    out, none. What is counted in seconds, tokens or USD is checked only where it is named here."""
    metrics: tuple[str, ...] = ()
    """Metrics that are checked; left out, those of `evaluate`."""
    systems: tuple[str, ...] = ()
    """Systems that are checked; left out, all that both runs have."""
    resamples: int = Field(default=2000, ge=200)
    """Bootstrap resamples, and swaps of answers, behind the intervals."""
    seed: int = 0
    """Seed of the resampling."""
    across_indexes: bool = False
    """Compare systems with documents although the two runs searched different indexes."""

    @field_validator("margin")
    @classmethod
    def _amounts(cls, margin: tuple[str, ...]) -> tuple[str, ...]:
        for part in margin:
            amount = part.rpartition("=")[2]
            try:
                allowed = float(amount)
            except ValueError:
                allowed = -1.0
            if not isfinite(allowed) or allowed < 0:
                raise ValueError(f"{part!r} is no loss: write 2, or f1=2,seconds=0.5, with numbers from 0 on")
        return margin

    @property
    def named(self) -> dict[str, float]:
        """Metric -> the loss that is allowed for it, of those that are named."""
        return {name: float(amount) for name, equals, amount in (p.rpartition("=") for p in self.margin) if equals}

    def allowed(self, metric: str, unit: str) -> float | None:
        """Return the loss of a metric that is allowed; None where it is not to be checked."""
        if metric in self.named:
            return self.named[metric]
        general = [float(part) for part in self.margin if "=" not in part]
        return None if unit else (general or [0.0])[-1]
