"""Systems that answer as another one does, such as an adapter under a second name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.fingerprint import canonical
from doceo.core.records import Answered
from evaluation.amounts import listed
from evaluation.traits import RECORDED, tuned, with_documents


def copies(answered: Mapping[str, Sequence[Answered]]) -> dict[str, str]:
    """Return system -> the first one of its kind that gives the same answer, citations included, to every question.

    Of one kind are systems that both have an adapter or not, and documents or not. Answers that were recorded are no
    copy of what gave them.
    """
    found: dict[str, str] = {}
    first: dict[tuple[bool, bool, str], str] = {}
    for system, lines in answered.items():
        if system != RECORDED and lines:
            given = sorted(lines, key=lambda line: (line.set, line.pair_id))
            said = [[line.set, line.pair_id, line.answer.model_dump(mode="json", exclude={"usage"})] for line in given]
            other = first.setdefault((tuned(system), with_documents(system), canonical(said)), system)
            if other != system:
                found[system] = other
    return found


def left_out(copy_of: Mapping[str, str]) -> str:
    """Return a sentence that says which systems are left out as copies; nothing where none is."""
    groups: dict[str, list[str]] = {}
    for copy, system in copy_of.items():
        groups.setdefault(system, []).append(copy)
    parts = [f"{listed(names)}, with the same answers as {system}" for system, names in groups.items()]
    return f"Left out: {'; '.join(parts)}." if parts else ""
