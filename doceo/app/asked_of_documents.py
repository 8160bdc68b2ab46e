"""Questions made from an index's own documents: each asked as it is, and again with its document out of reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from doceo.app.event_loop import run_to_end
from doceo.app.settings import Settings
from doceo.core.errors import InputError
from doceo.core.protocols import Progress
from doceo.core.records import Chunk, Document, Draft, Order, Pair, Passage
from doceo.text.terms import terms

if TYPE_CHECKING:
    from generator.teachers.extractive import ExtractiveTeacher
    from rag.index import Index
    from rag.retriever import HybridRetriever

_FEW_DOCUMENTS = 3
"""With fewer documents than this, the section of a question is kept out in place of its document."""
_PASSAGES_READ = 4000
"""Passages that the teacher may be asked about."""
_FIRST_WIDTH = 50
_SAME = 0.7
"""Share of the terms of a quote from which a passage says the same."""


@dataclass(frozen=True)
class Probe:
    """A question, what was found for it, and whether that holds its answer."""

    question: str
    passages: list[Passage]
    answerable: bool


def made_questions(retriever: HybridRetriever, settings: Settings, progress: Progress) -> list[Probe]:
    """Return questions of the built-in teacher, in other words where it knows some, with and without their documents.

    A question whose passages were not found counts as one that cannot be answered from what was found. Other documents
    may say the same, such as another form of the same manual: what does is kept out with the question's own, and where
    the answer still stands there the question is not asked without. Raises InputError where the teacher makes none.
    """
    index = retriever.index
    documents, chunks = _corpus(index)
    drafts = _drafts(documents, chunks, settings.calibrate.made, settings.calibrate.seed, progress)
    if not drafts:
        raise InputError(
            "The built-in teacher can ask nothing about these documents; it reads English only.",
            hint="Give questions of your own: doceo calibrate --questions FILE.",
        )
    probes: list[Probe] = []
    with progress.task("search", len(drafts), "questions") as task:
        for question, draft, chunk in drafts:
            passages = retriever.search(question, settings.retrieve.k)
            probes.append(Probe(question, passages, any(_holds(passage, draft) for passage in passages)))
            others = _without(
                retriever, question, draft, chunk, settings.retrieve.k, whole=len(documents) >= _FEW_DOCUMENTS
            )
            stands = any(draft.answer.casefold() in passage.text.casefold() for passage in others)
            if others and others != passages and not stands:
                probes.append(Probe(question, others, answerable=False))
            task.advance()
    return probes


def _corpus(index: Index) -> tuple[list[Document], list[Chunk]]:
    ids = sorted(set(index.texts.sources().values()))
    documents = [document for key in ids if (document := index.document(key)) is not None]
    stored = index.texts.chunks(index.texts.chunk_ids())
    return documents, [stored[key].chunk for key in sorted(stored, key=lambda k: _place(stored[k].chunk))]


def _place(chunk: Chunk) -> tuple[str, int]:
    return chunk.document_id, chunk.span.start


def _drafts(
    documents: Sequence[Document], chunks: Sequence[Chunk], number: int, seed: int, progress: Progress
) -> list[tuple[str, Draft, Chunk]]:
    """Return (question, draft, chunk): one a passage, and where there are too few passages further ones."""
    from generator.teachers.extractive import ExtractiveTeacher

    by_document = {
        document.id: [chunk for chunk in chunks if chunk.document_id == document.id] for document in documents
    }
    teacher = ExtractiveTeacher([(document, by_document[document.id]) for document in documents])
    by_id = {document.id: document for document in documents}
    asked = list(chunks)
    Random(seed).shuffle(asked)
    waiting: list[tuple[Chunk, list[Draft]]] = []
    found: list[tuple[str, Draft, Chunk]] = []
    kinds: Counter[str] = Counter()

    def take(chunk: Chunk, drafts: list[Draft]) -> None:
        # some patterns fit far more passages than others: the kind that was asked least comes next
        draft = min(drafts, key=lambda draft: kinds[draft.kind])
        drafts.remove(draft)
        kinds[draft.kind] += 1
        found.append((_reworded(teacher, draft), draft, chunk))
        if drafts:
            waiting.append((chunk, drafts))
        task.advance()

    with progress.task("ask", number, "questions") as task:
        for chunk in asked[:_PASSAGES_READ]:
            if len(found) < number and (drafts := run_to_end(teacher.propose(Order(chunks=(chunk,), n=1), by_id))):
                take(chunk, drafts)
        while waiting and len(found) < number:
            take(*waiting.pop(0))
    return found


def _reworded(teacher: ExtractiveTeacher, draft: Draft) -> str:
    """Return a question in other words where the teacher has some: people do not know the document's."""
    pair = Pair(id="p_", question=draft.question, answer=draft.answer, kind=draft.kind, teacher=teacher.name)
    return run_to_end(teacher.reword(pair)) or draft.question


def _holds(passage: Passage, draft: Draft) -> bool:
    """Say whether a passage is where an answer stands, or says the same."""
    span, place = passage.hit.span, draft.span
    assert place is not None
    overlaps = span.document_id == place.document_id and span.start < place.end and place.start < span.end
    wanted = {term for quote in draft.quotes for term in terms(quote)}
    return overlaps or len(wanted.intersection(terms(passage.text))) >= _SAME * len(wanted)


def _without(
    retriever: HybridRetriever, question: str, draft: Draft, chunk: Chunk, k: int, *, whole: bool
) -> list[Passage]:
    """Return the best passages outside a chunk's document, or with few documents outside its section."""

    def outside(passage: Passage) -> bool:
        if _holds(passage, draft):
            return False
        if passage.hit.span.document_id != chunk.document_id:
            return True
        return not whole and passage.hit.heading_path[:2] != chunk.heading_path[:2]

    width, most = _FIRST_WIDTH, retriever.index.manifest.chunks
    while True:
        passages = [passage for passage in retriever.search(question, width) if outside(passage)][:k]
        if len(passages) == k or width >= most:
            return passages
        width *= 4
