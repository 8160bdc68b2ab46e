"""The lexical arm as parts: a change writes anew only the parts that hold what changed.

A part is one or more tantivy segments that were written together, with the ids of their passages. Segments never
change, so a new version links those of the last (or copies them, where the disk has no links) and names them in its
`meta.json`. Deleted words are gone with the part that held them. Scores do not depend on the parts: tantivy counts
over all segments.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from doceo.core.records import Record
from rag.lexical import write

FILE = "parts.json"
_META, _MANAGED = "meta.json", ".managed.json"
_LARGE, _MOST = 10, 14
"""Parts that a whole arm is written in, and most there may be: every part costs every search a little."""
_LEAST = 4000
"""Passages that are worth a part of their own when the whole arm is written."""
Passages = Callable[[Sequence[str]], Iterable[tuple[str, str, str]]]
"""From ids to (id, header, body)."""


class Part(Record):
    """Segments written together and the ids of their passages."""

    segments: tuple[str, ...]
    ids: tuple[str, ...]


def change(old: Path | None, folder: Path, ids: Sequence[str], stale: Collection[str], passages: Passages) -> None:
    """Write the arm of a new version into a folder that does not exist.

    Args:
        old: The arm of the last version, or None to write everything.
        folder: The new arm.
        ids: All passages of the new version, in an order in which those that change together stand together.
        stale: Passages of the last version that are gone or read differently now.
        passages: Gives their text.

    Raises what tantivy raises where files are damaged or the disk is full.
    """
    kept = _kept(old, set(stale)) if old is not None else []
    known = {key for part in kept for key in part.ids}
    missing = [key for key in ids if key not in known]
    size = max(_LEAST, -(-len(ids) // _LARGE))
    while kept and missing and len(kept) + -(-len(missing) // size) > _MOST:
        small = min(kept, key=lambda part: len(part.ids))
        kept.remove(small)
        known -= set(small.ids)
        missing = [key for key in ids if key not in known]
    folder.mkdir(parents=True)
    metas = []
    for number, at in enumerate(range(0, max(len(missing), 1), size)):
        some, made = missing[at : at + size], folder / f".part-{number}"
        write(made, passages(some))
        meta = json.loads((made / _META).read_text(encoding="utf-8"))
        metas.append(meta)
        kept.append(Part(segments=tuple(_name(one) for one in meta["segments"]), ids=tuple(some)))
        _link(made, folder, meta["segments"])
        shutil.rmtree(made)
    _finish(old, folder, [part for part in kept if part.ids], metas)


def _finish(old: Path | None, folder: Path, parts: Sequence[Part], metas: list[dict[str, object]]) -> None:
    """Bring the kept segments over and write what names all of them."""
    here = {path.name.partition(".")[0] for path in folder.iterdir()}
    wanted = {name for part in parts for name in part.segments}
    every = [one for meta in metas for one in _segments(meta)]
    if old is not None and (missing := wanted - here):
        before = [one for one in _segments(_read(old / _META)) if _name(one) in missing]
        _link(old, folder, before)
        every = [*before, *every]
    segments = [one for one in every if _name(one) in wanted]
    meta = {**metas[-1], "segments": segments}
    files = sorted(path.name for path in folder.iterdir())
    (folder / _META).write_text(json.dumps(meta), encoding="utf-8")
    (folder / _MANAGED).write_text(json.dumps([*files, _META]), encoding="utf-8")
    (folder / FILE).write_text(_PARTS.dump_json(list(parts)).decode(), encoding="utf-8")


_PARTS = TypeAdapter(list[Part])


def _kept(old: Path, stale: set[str]) -> list[Part]:
    """Return the parts of an arm that hold nothing stale."""
    if not (old / FILE).is_file():
        return []
    parts = _PARTS.validate_json((old / FILE).read_bytes())
    return [part for part in parts if stale.isdisjoint(part.ids)]


def _link(source: Path, target: Path, segments: Sequence[dict[str, object]]) -> None:
    names = {_name(segment) for segment in segments}
    for path in source.iterdir():
        if path.name.partition(".")[0] in names:
            try:
                os.link(path, target / path.name)
            except OSError:
                shutil.copyfile(path, target / path.name)


def _read(path: Path) -> dict[str, object]:
    value = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return value


def _segments(meta: dict[str, object]) -> list[dict[str, object]]:
    found = meta["segments"]
    assert isinstance(found, list)
    return found


def _name(segment: dict[str, object]) -> str:
    """Return the name of a segment's files."""
    return str(segment["segment_id"]).replace("-", "")
