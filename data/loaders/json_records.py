"""JSON and JSON Lines as text: one block of "key: value" lines for every record."""

from __future__ import annotations

import json
from collections.abc import Iterator

from data.cleaning import normalise
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.plain import decode
from data.loaders.rows import record, record_text


def load_json(content: bytes, limit: int) -> Loaded:
    """Read JSON. Raises Unreadable with reason `damaged`, which names the line where it stops being JSON."""
    text, encoding = decode(content)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text.strip():
            return load_jsonl(content, limit)
        detail = f"not JSON from line {error.lineno}, column {error.colno} on: {error.msg}"
        raise Unreadable("damaged", detail) from error
    except ValueError as error:
        raise Unreadable("damaged", f"not JSON: {error}") from error
    return _loaded(sections(value), "application/json", {"encoding": encoding})


def load_jsonl(content: bytes, limit: int) -> Loaded:
    """Read JSON Lines; lines that are no JSON are left out and counted, where others are good."""
    text, encoding = decode(content)
    records: list[object] = []
    broken: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except ValueError:
            broken.append(number)
    metadata = {"encoding": encoding}
    if broken:
        if len(broken) > len(records):
            raise Unreadable("damaged", f"{len(broken)} lines are not JSON, the first is line {broken[0]}")
        metadata["broken_lines"] = f"{len(broken)}, the first is line {broken[0]}"
    return _loaded(sections(records), "application/x-ndjson", metadata)


def sections(value: object, level: int = 2) -> Iterator[str]:
    """Yield the blocks of a JSON value, the objects of a list under headings of this level that name them.

    The fields of an object come first, then its lists of objects, each under its key.
    """
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _record(item, number, level) if isinstance(item, dict) else sections(item, level + 1)
    elif isinstance(value, dict):
        yield record_text(_fields(_plain(value), ""))
        yield from _lists(value, level)
    else:
        yield _scalar(value)


def _record(item: dict[str, object], number: int, level: int) -> Iterator[str]:
    name, text = record(list(_fields(_plain(item), "")), number)
    yield _heading(name, level)
    yield text
    yield from _lists(item, level + 1)


def _lists(value: dict[str, object], level: int) -> Iterator[str]:
    for key, item in value.items():
        if _is_records(item):
            yield _heading(key, level)
            yield from sections(item, level + 1)


def _plain(value: dict[str, object]) -> dict[str, object]:
    return {key: item for key, item in value.items() if not _is_records(item)}


def _heading(words: str, level: int) -> str:
    return f"{'#' * min(6, level)} {words}"


def _is_records(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _fields(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield (path, text) for everything in one record, such as ("address.city", "Paris")."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _fields(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, item in enumerate(value, 1):
            yield from _fields(item, f"{path} {number}")
    else:
        yield path, ", ".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value)


def _scalar(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _loaded(blocks: Iterator[str], media_type: str, metadata: dict[str, str]) -> Loaded:
    text = normalise("\n\n".join(filter(None, blocks)))
    if not text:
        raise Unreadable("empty", "the JSON holds no values")
    return Loaded(text=text, media_type=media_type, metadata=metadata)
