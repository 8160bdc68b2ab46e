"""Fingerprints: ids and hashes that depend on content alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError


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


def written_configs(configs: Iterable[BaseModel]) -> dict[str, Any]:
    """Return config models as they are written down: {class: {field: value}}."""
    return {type(config).__name__: config.model_dump(mode="json") for config in configs}


def same_configs(written: Mapping[str, Any], configs: Iterable[BaseModel]) -> bool:
    """Return whether config models that were written down, perhaps by an older program, say the same as these.

    A field that the older program did not have counts as its default: an upgrade alone makes nothing another thing.
    """
    now = {type(config).__name__: config for config in configs}
    return written.keys() == now.keys() and all(_same(written[name], config) for name, config in now.items())


def _same(written: Mapping[str, Any], config: BaseModel) -> bool:
    wanted = config.model_dump(mode="json")
    if written == wanted:
        return True
    known = {name: value for name, value in written.items() if name in wanted}
    try:
        return type(config).model_validate(known).model_dump(mode="json") == wanted
    except ValidationError:
        return False


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"no JSON form for {type(value).__name__}")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
