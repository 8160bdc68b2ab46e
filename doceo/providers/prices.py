"""What a reply costs, from a small dated table; unknown prices stay unknown."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class Price:
    """USD for a million tokens."""

    prompt: float
    cached: float
    completion: float

    def cost(self, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> float:
        """Return the USD of one reply; `cached_tokens` is the part of `prompt_tokens` that the server had kept."""
        fresh = max(0, prompt_tokens - cached_tokens)
        total = fresh * self.prompt + cached_tokens * self.cached + completion_tokens * self.completion
        return total / 1_000_000


@cache
def _table() -> dict[str, dict[str, Price]]:
    text = files("doceo.providers").joinpath("prices.toml").read_text(encoding="utf-8")
    hosts = tomllib.loads(text)["hosts"]
    return {host: {model: Price(**price) for model, price in models.items()} for host, models in hosts.items()}


def price_of(host: str, model: str) -> Price | None:
    """Return the list price of a model at a host, or None where it is not known.

    A model on this machine costs nothing. A dated name (`MODEL-2025-04-14`) has the price of its family.
    """
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name in {"127.0.0.1", "localhost", "[::1]"}:
        return Price(0.0, 0.0, 0.0)
    return _table().get(name, {}).get(_DATED.sub("", model))
