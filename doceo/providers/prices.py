"""What a reply costs, from a small dated table and the user's own; unknown prices stay unknown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from doceo.core.errors import ConfigError
from doceo.providers.remote import is_loopback

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_PORT = re.compile(r":\d+$")
_FORM = '[hosts."api.openai.com"] and below it "MODEL" = { prompt = 0.15, cached = 0.075, completion = 0.60 }'


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


class _Row(BaseModel):
    """A line of a price file; kept prompt tokens cost as much as others where nothing else is said."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    completion: float = Field(ge=0, allow_inf_nan=False)


class _File(BaseModel):
    """A price file."""

    model_config = ConfigDict(extra="ignore")

    hosts: dict[str, dict[str, _Row]]


Table = dict[str, dict[str, Price]]


def price_of(host: str, model: str, extra: Path | None = None) -> Price | None:
    """Return the list price of a model at a host, or None where it is not known.

    The user's own file is looked up first. A model on this machine costs nothing, unless that file says otherwise. A
    dated name (`MODEL-2025-04-14`) has the price of its family.

    Args:
        host: The host, with or without its port.
        model: The model's name at the server.
        extra: A price file of the user's own, of the form of `prices.toml`.

    Raises:
        ConfigError: The user's file cannot be read, or a line or field of it is wrong.
    """
    own = _found(read_prices(extra), host, model) if extra is not None else None
    if own is not None:
        return own
    return Price(0.0, 0.0, 0.0) if is_loopback(host) else _found(_shipped(), host, model)


def highest(prices: Iterable[Price | None]) -> Price | None:
    """Return the highest of one or more prices, part by part; None where one is not known."""
    known: list[Price] = []
    for price in prices:
        if price is None:
            return None
        known.append(price)
    return Price(max(p.prompt for p in known), max(p.cached for p in known), max(p.completion for p in known))


def read_prices(path: Path) -> Table:
    """Read a price file: prices by host and model. Raises ConfigError naming the file and what is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The price file {path} cannot be read: {error}.", hint="Check the file's name.") from error
    return _parse(text, str(path))


def _found(table: Table, host: str, model: str) -> Price | None:
    for name in (host, _PORT.sub("", host)):
        models = table.get(name, {})
        if price := models.get(model) or models.get(_DATED.sub("", model)):
            return price
    return None


@cache
def _shipped() -> Table:
    return _parse(files("doceo.providers").joinpath("prices.toml").read_text(encoding="utf-8"), "prices.toml")


def _parse(text: str, source: str) -> Table:
    try:
        hosts = _File.model_validate(tomllib.loads(text)).hosts
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The price file {source} is no TOML: {error}.", hint=f"It holds {_FORM}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(f'"{part}"' if "." in str(part) else str(part) for part in first["loc"])
        message = f"The price file {source} is wrong at {where}: {first['msg'].lower()}."
        raise ConfigError(message, hint=f"USD for a million tokens, such as {_FORM}.") from error
    return {
        host: {model: Price(row.prompt, _else(row.cached, row.prompt), row.completion) for model, row in rows.items()}
        for host, rows in hosts.items()
    }


def _else(value: float | None, default: float) -> float:
    return default if value is None else value
