"""Fingerprints: ids and hashes that depend on content alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from pydantic import BaseModel


def sha256(content: bytes | str) -> str:
    """Return the hex SHA-256 of bytes, or of a text's UTF-8 form.

    Lone surrogates, which UTF-8 cannot hold, are kept apart by `surrogatepass`.
    """
    return hashlib.sha256(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content).hexdigest()


def identify(prefix: str, *parts: object) -> str:
    """Return an id: the prefix and the first 16 hex digits of the hash of the parts.

    Parts are hashed as compact JSON, so that ("ab", "c") and ("a", "bc") differ.
    """
    return prefix + sha256(canonical(list(parts)))[:16]


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, records by their fields."""
    return _ENCODER.encode(value)


def config_hash(configs: Iterable[BaseModel]) -> str:
    """Return the hash of one or more config models."""
    return sha256(canonical([config.model_dump(mode="json") for config in configs]))[:16]


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"no JSON form for {type(value).__name__}")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
