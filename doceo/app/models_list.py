"""The models that are here: bases and the adapters on them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import Any

from doceo.app.runs import HOME
from doceo.core.errors import InputError
from doceo.core.records import Record
from doceo.providers.shipped_model import NAME, shipped_folder

ADAPTER, MODEL, FINETUNING = "adapter_config.json", "config.json", "finetuning.json"
WORK = ("checkpoints",)
"""Folders of what is not finished; so are all whose name begins with a dot."""


class Listed(Record):
    """A base or an adapter in a folder. What is not known is None; losses are in nats a token."""

    kind: str
    """`base`, `adapter`, or `tuned` for a whole model that was fine-tuned."""
    path: str
    base: str
    """The base of an adapter or tuned model: a folder, or a name on the hub; empty for a base."""
    architecture: str | None
    parameters: int | None
    trainable: int | None
    method: str | None
    rank: int | None
    rows: int | None
    loss: float | None
    """At the end of the training."""
    held_out_loss: float | None
    base_loss: float | None
    """Of the base on the same held-out rows."""
    forgetting: float | None
    """Rise of the loss on the general text."""
    date: str
    """Day on which the weights were written (UTC)."""


def list_models(folders: Sequence[Path]) -> list[Listed]:
    """Return the model that ships and those below `runs/`, or those below the folders that are given.

    Behind each base stand its adapters. Adapters of a base that lies elsewhere, or on the hub, stand together too.

    Raises InputError for a folder that does not exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", hint="Name folders that hold models, or none for runs/.")
    places = list(folders) or ([HOME] if HOME.is_dir() else [])
    found = {model.path: model for place in places for model in _below(place)}
    if not folders:
        shipped = _model(shipped_folder(), _json(shipped_folder() / MODEL))
        found[NAME] = shipped.model_copy(update={"path": NAME})
    return sorted(found.values(), key=lambda model: (_key(model.base or model.path), model.base != "", model.path))


def _below(place: Path) -> Iterator[Listed]:
    for file in sorted([*place.rglob(ADAPTER), *place.rglob(MODEL)]):
        folder = file.parent
        parts = folder.relative_to(place).parts
        if any(part.startswith(".") or part in WORK for part in parts) or not any(folder.glob("*.safetensors")):
            continue
        config = _json(file)
        if file.name == ADAPTER:
            yield _adapter(folder, config)
        elif config.get("architectures"):
            yield _model(folder, config)


def _adapter(folder: Path, config: dict[str, Any]) -> Listed:
    return _listed(
        folder,
        kind="adapter",
        base=str(config.get("base_model_name_or_path") or ""),
        architecture=None,
        made=_json(folder / FINETUNING),
        known={"rank": config.get("r"), "trainable": _weights(folder)},
    )


def _model(folder: Path, config: dict[str, Any]) -> Listed:
    made = _json(folder / FINETUNING)
    return _listed(
        folder,
        kind="tuned" if made else "base",
        base=str(made.get("base", "")) if made else "",
        architecture=str(config["architectures"][0]),
        made=made,
        known={"parameters": _weights(folder)},
    )


def _listed(
    folder: Path, *, kind: str, base: str, architecture: str | None, made: dict[str, Any], known: dict[str, Any]
) -> Listed:
    compared, forgotten = made.get("compared") or {}, made.get("forgetting")
    written = max(file.stat().st_mtime for file in folder.glob("*.safetensors"))
    values = known | {key: made[key] for key in ("parameters", "trainable", "rank") if made.get(key)}
    return Listed(
        kind=kind,
        path=str(folder),
        base=base,
        architecture=architecture,
        parameters=values.get("parameters"),
        trainable=values.get("trainable"),
        method=made.get("method"),
        rank=values.get("rank"),
        rows=made.get("rows"),
        loss=made.get("loss"),
        held_out_loss=compared.get("loss"),
        base_loss=compared.get("base_loss"),
        forgetting=round(forgotten["loss"] - forgotten["base_loss"], 4) if forgotten else None,
        date=datetime.fromtimestamp(written, UTC).date().isoformat(),
    )


def _key(base: str) -> str:
    return str(Path(base).resolve()) if Path(base).is_dir() else base


def _json(path: Path) -> dict[str, Any]:
    """Return a JSON object, empty where there is none to read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _weights(folder: Path) -> int | None:
    """Return the numbers in a folder's safetensors files, counted from their headers; None where one is broken."""
    try:
        return sum(map(_numbers, folder.glob("*.safetensors"))) or None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _numbers(file: Path) -> int:
    with file.open("rb") as content:
        start = content.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        header = json.loads(content.read(size)) if 0 < size <= file.stat().st_size else {}
    return sum(prod(value["shape"]) for name, value in header.items() if name != "__metadata__")
