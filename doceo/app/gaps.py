"""Where the system of an evaluated run is weak, along every axis that its questions have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from data.jsonl import read_json, read_jsonl, write_json
from data.store import CHUNKS, SCORES, Run
from doceo.app.metrics import check_weakness
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.documents import Ingested, load_ingested
from doceo.app.stages.scores import load_scores
from doceo.app.stages.sets import pairs_by_set
from doceo.core.errors import UsageError
from doceo.core.loop import FILE as LOOP
from doceo.core.loop import LoopRecord
from doceo.core.records import Document, Gap, Item, Pair
from evaluation.covered import covered
from evaluation.gaps import gaps
from evaluation.slices import keys

FILE = "gaps.json"
ROUNDS = "rounds"
AXES = ("topic", "kind", "document")


def find_gaps(run: Run, system: str, set_name: str, metric: str) -> list[Gap]:
    """Rank topics, kinds and documents by weakness, write them to `gaps.json`, and return them, axis by axis.

    Args:
        run: A run that was evaluated.
        system: One of its systems.
        set_name: The held-out set.
        metric: A metric with a value for every answer.

    Raises:
        StageMissing: The run was not evaluated.
        UsageError: It has no such system, set or metric, and the hint lists those there are; or the metric says nothing
            of how well a question was answered.
    """
    values = _values(run, system, set_name, metric)
    every = load_held_out(run)
    questions = [question for question in every if question.set == set_name]
    ingested = load_ingested(run) if run.has(CHUNKS) else Ingested([], [], [])
    # What another set asks about, kept-out text above all, is no gap of this one.
    elsewhere = {e.span.document_id for q in every if q.set != set_name for e in q.evidence}
    named = {document.id: document for document in ingested.documents}
    trained = pairs_by_set(run)["train"]
    found: list[Gap] = []
    for axis, of in keys(questions, named).items():
        if axis in AXES:
            key_of = {question.pair_id: key for question, key in zip(questions, of, strict=True)}
            counts = _counts(axis, trained, named, elsewhere)
            touched = _covered(ingested, trained) if axis == "document" else None
            found += gaps(values, key_of, axis, pairs=counts, covered=touched)
    asked = {"system": system, "set": set_name, "metric": metric}
    write_json(run.path / FILE, {**asked, "gaps": [gap.model_dump() for gap in found]})
    return found


def loop_of(run: Run) -> LoopRecord | None:
    """Return the loop that a run is a round of, or None. Raises InputError where its file is damaged."""
    above = run.path.resolve().parents
    if len(above) < 3 or above[1].name != ROUNDS or not (above[2] / LOOP).is_file():
        return None
    return LoopRecord.model_validate(read_json(above[2] / LOOP))


def _values(run: Run, system: str, set_name: str, metric: str) -> dict[str, float]:
    items = read_jsonl(run.file(SCORES, "items.jsonl"), Item)
    for field, wanted in (("system", system), ("set", set_name), ("metric", metric)):
        there = dict.fromkeys(str(getattr(item, field)) for item in items)
        if wanted not in there:
            raise UsageError(
                f"{run.path} has no answers of the {field} {wanted!r}.",
                hint=f"There are: {', '.join(there) or 'none'}.",
            )
    for score in load_scores(run):
        if score.metric == metric:
            check_weakness(metric, score.better, score.unit)
    mine = [item for item in items if (item.system, item.set, item.metric) == (system, set_name, metric)]
    found = {item.pair_id: item.value for item in mine if item.value is not None}
    if not found:
        raise UsageError(
            f"No answer of {system} to {set_name} questions has a value of {metric}.",
            hint=f"Ask them with: doceo evaluate {run.path} --systems {system}",
        )
    return found


def _counts(
    axis: str, trained: Sequence[Pair], documents: Mapping[str, Document], elsewhere: Collection[str]
) -> dict[str, int]:
    """Return the trained pairs of every key, documents that nobody asks about included."""
    if axis != "document":
        return dict(Counter(pair.topic if axis == "topic" else str(pair.kind) for pair in trained))
    sources = [documents[e.span.document_id].source for pair in trained for e in pair.evidence[:1]]
    untouched = {document.source: 0 for document in documents.values() if document.id not in elsewhere}
    return {**untouched, **Counter(sources)}


def _covered(ingested: Ingested, trained: Sequence[Pair]) -> dict[str, float]:
    """Return the share of the text of every document that was asked about.

    Topics are known of the passages alone that pairs were proposed from, so that of their text nothing can be said.
    """
    sources = {document.id: document.source for document in ingested.documents}
    return covered(ingested.chunks, {chunk.id: sources[chunk.document_id] for chunk in ingested.chunks}, trained)
