"""A few invented towns, and a student who knows what it was taught and no more: a loop without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.jsonl import read_jsonl, read_rows, write_jsonl
from data.manifest import file_sha256
from data.store import ANSWERS, CHUNKS, DATASET, PAIRS, Run
from doceo.app.loop.rounds import Steps
from doceo.app.settings import Settings
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.documents import load_ingested
from doceo.core.config import FinetuneConfig
from doceo.core.protocols import Progress
from doceo.core.records import Answer, Answered, Pair, Question

TOWNS = ("Bryne", "Farrow", "Calder", "Wexham", "Ostrel", "Tolland", "Ravik", "Sennet")
WEAK = ("Ravik", "Sennet")
_BUILDERS = ("Anna", "Jon", "Mara", "Tolo", "Ines", "Sven")


def write_towns(folder: Path) -> Path:
    """Write a document for every town: six buildings with three facts each."""
    folder.mkdir(parents=True)
    for k, town in enumerate(TOWNS):
        lines = [f"# {town}"]
        for i, what in enumerate(("bridge", "mill", "chapel", "ferry", "lighthouse", "harbour")):
            name, builder = f"{town} {what}", f"{_BUILDERS[i]} {TOWNS[(k + i + 1) % len(TOWNS)]}son"
            lines.append(
                f"The {name} was built in {1600 + k * 37 + i * 11}. The {name} is {20 + k * 3 + i} metres long. "
                f"The {name} was designed by {builder}."
            )
        (folder / f"{town.lower()}.md").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return folder


class Student:
    """Knows all towns but the weak ones, and every fact that it was trained on; forgets what it is told to.

    Args:
        forgets: Rounds after which a question of a known town is answered wrongly.
    """

    def __init__(self, forgets: int = 0) -> None:
        self.trained: list[str] = []
        self.asked: list[str] = []
        self._forgets = forgets

    @property
    def steps(self) -> Steps:
        """Its training and its answers as a loop takes them."""
        return Steps(self._train, self._answer)

    def _train(self, run: Run, base: str, config: FinetuneConfig, progress: Progress) -> None:
        self.trained.append(run.path.as_posix())

    def _answer(self, run: Run, base: str, systems: Sequence[str], settings: Settings, progress: Progress) -> None:
        inputs = {"rows": file_sha256(run.file(DATASET, "train.jsonl"))}
        stage = run.stage(ANSWERS, config=[settings.answer], inputs=inputs)
        if stage.finished:
            return
        self.asked.append(run.path.as_posix())
        known = _taught(run)
        source = {document.id: document.source for document in load_ingested(run).documents}
        with stage.making() as work:
            for name in systems:
                write_jsonl(work / f"{name}.jsonl", (self._answered(q, known, source) for q in load_held_out(run)))

    def _answered(self, question: Question, known: set[tuple[object, str]], source: dict[str, str]) -> Answered:
        town = Path(source[question.evidence[0].span.document_id]).stem.title()
        right = town not in WEAK or (question.evidence[0].span, question.references[0]) in known
        return Answered(
            pair_id=question.pair_id,
            set=question.set,
            question=question.question,
            references=question.references,
            answer=Answer(text=question.references[0] if right else "nobody knows"),
        )


def _taught(run: Run) -> set[tuple[object, str]]:
    """Return the facts that a run's rows train: where they stand, and their answers."""
    rows = {row["metadata"]["pair_id"] for _, row in read_rows(run.file(DATASET, "train.jsonl"))}  # type: ignore[index]
    pairs = read_jsonl(run.file(PAIRS, "pairs.jsonl"), Pair) if run.has(PAIRS) else []
    assert run.has(CHUNKS)
    return {(pair.evidence[0].span, pair.answer) for pair in pairs if pair.id in rows}
