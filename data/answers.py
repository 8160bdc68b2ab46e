"""The folder of answers: which file holds which system's, and what each system takes.

`systems.json` maps every system to its file and its size: a system's name may hold a path or an address, which no file
can be called. A folder without it is one of an older program, where the file's name is the system's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data.jsonl import read_json, write_json
from doceo.core.errors import InputError
from doceo.core.fingerprint import sha256
from doceo.core.records import SystemFacts

SYSTEMS = "systems.json"
ORDER = ("base", "tuned", "base+rag", "tuned+rag", "quote+rag")
"""Systems in the order of the tables; others follow by name."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=-]{0,99}")
_ODD = re.compile(r"[^A-Za-z0-9._+@=-]+")
_FACTS = TypeAdapter(dict[str, SystemFacts])


def file_of(system: str) -> str:
    """Return the name of a system's file: its own where a file can be called so, else like it, with a hash of it."""
    if _PLAIN.fullmatch(system):
        return f"{system}.jsonl"
    return f"{_ODD.sub('-', system).strip('-.')[:60]}-{sha256(system)[:8]}.jsonl"


def answer_files(folder: Path) -> dict[str, Path]:
    """Return {system: file} of the answers in a folder, in the order of the tables. Raises InputError."""
    named = {name: folder / facts.file for name, facts in read_facts(folder).items()}
    known = set(named.values())
    named |= {file.stem: file for file in folder.glob("*.jsonl") if file not in known}
    return {name: named[name] for name in sorted(named, key=_place)}


def read_facts(folder: Path) -> dict[str, SystemFacts]:
    """Return what is known of the systems in a folder of answers. Raises InputError where the file is damaged."""
    path = folder / SYSTEMS
    if not path.is_file():
        return {}
    try:
        return _FACTS.validate_python(read_json(path))
    except ValidationError as error:
        raise InputError(
            f"{path}: {error.errors()[0]['msg']}.", hint="The file was changed; answer again with doceo evaluate."
        ) from error


def write_facts(folder: Path, facts: Mapping[str, SystemFacts]) -> None:
    """Write what is known of systems, in the order of the tables. Raises StorageError."""
    write_json(folder / SYSTEMS, {name: facts[name].model_dump() for name in sorted(facts, key=_place)})


def _place(system: str) -> tuple[int, str]:
    return ORDER.index(system) if system in ORDER else len(ORDER), system
