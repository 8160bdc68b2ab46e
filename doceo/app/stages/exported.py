"""A run's pairs in the form that another tool reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.formats import NAMING, writer_of
from data.store import CHUNKS, Run
from doceo.app.stages.documents import load_ingested
from doceo.app.stages.sets import pairs_by_set
from doceo.core.errors import UsageError

_LEFT_OUT = {
    "beir": "Questions and passages only: pairs without an answer and follow-up questions are left out.",
    "quiz": "For people: spans and scores are left out, and it cannot be imported again.",
    "anki": "For people: spans and scores are left out, and it cannot be imported again.",
}


@dataclass(frozen=True)
class Exported:
    """How many rows were written, of how many pairs the run has; `note` says what else there is to know."""

    rows: int
    pairs: int
    note: str


def export_pairs(run: Run, form: str, chosen: str, out: Path, seed: int) -> Exported:
    """Write a set of a run's pairs.

    Args:
        run: The run; one of imported pairs may have no documents.
        form: One of `data.formats.FORMATS`.
        chosen: train, taught, unseen, or all.
        out: The file, or for `beir` the folder.
        seed: Decides the order of a quiz.

    Raises:
        UsageError: There is no such format or set.
        StageMissing: The run has no dataset.
        StorageError: The file cannot be written.
    """
    write = writer_of(form)
    pairs = pairs_by_set(run)
    if chosen not in (*pairs, "all"):
        raise UsageError(f"There is no set {chosen!r}.", hint=f"Sets: {', '.join(pairs)}, all.")
    wanted = [pair for name, group in pairs.items() if chosen in (name, "all") for pair in group]
    ingested = load_ingested(run) if run.has(CHUNKS) else None
    chunks = {chunk.id: chunk for chunk in ingested.chunks} if ingested else {}
    more: dict[str, object] = {}
    if form in NAMING:
        more["sources"] = {document.id: document.source for document in ingested.documents} if ingested else {}
    if form == "quiz":
        more |= {"seed": seed, "title": run.name}
    rows = write(wanted, chunks, out, **more)
    return Exported(rows, sum(map(len, pairs.values())), _note(form, out))


def _note(form: str, out: Path) -> str:
    if form == "openai":
        from data.formats.chat import evidence_file

        return f"Their evidence is in {evidence_file(out)}: OpenAI takes no other field in a row than messages."
    return _LEFT_OUT.get(form, "")
