"""Pairs to rows: what is trained, what validates, and the held-out questions.

A fact is one piece of evidence with its answer. Its first wording is trained, every further wording is *taught*;
facts of kept-out text are *unseen*. Rows come in two styles: `closed` (the question alone) and `open` (the question
with passages, the right one among wrong ones; or, for some, only wrong ones and a refusal).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from data.distractors import Distractors
from doceo.core.config import DatasetConfig
from doceo.core.fingerprint import identify, sha256
from doceo.core.records import Chunk, Document, Example, Message, Pair, Question
from doceo.text.passages import REFUSAL, ask_with_passages, cite, heading_line


@dataclass(frozen=True)
class Dataset:
    """Rows to train and to validate on, and the held-out questions of both kinds."""

    train: list[Example]
    validation: list[Example]
    taught: list[Question]
    unseen: list[Question]


def build_dataset(
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    pairs: Sequence[Pair],
    unseen: frozenset[str],
    written: Sequence[Question],
    config: DatasetConfig,
) -> Dataset:
    """Return the dataset of a run. No held-out question stands among the training rows, word for word.

    Args:
        documents: All documents.
        chunks: All chunks, in order.
        pairs: Accepted pairs; of two with the same evidence and answer, the later one is a rewording.
        unseen: Ids of the chunks that are kept out of training.
        written: Held-out questions that the generator did not make.
        config: Shares and seed.
    """
    facts: dict[str, list[Pair]] = {}
    for pair in pairs:
        facts.setdefault(_fact(pair), []).append(pair)
    hidden = [pair for group in facts.values() for pair in group if unseen.intersection(pair.chunk_ids)]
    seen = [group for group in facts.values() if not unseen.intersection(group[0].chunk_ids)]
    single = [group[0] for group in seen if len(group) == 1]
    order = sorted(single, key=lambda pair: sha256(f"validation {config.seed} {pair.id}"))
    validating = {pair.id for pair in order[: round(config.validation_share * len(single))]}
    trained = [group[0] for group in seen if group[0].id not in validating]
    mixer = _Mixer(documents, [chunk for chunk in chunks if chunk.id not in unseen], config)
    held_out = {_words(question.question) for question in written}
    return Dataset(
        train=[row for pair in trained if _words(pair.question) not in held_out for row in mixer.rows(pair)],
        validation=[row for group in seen if group[0].id in validating for row in mixer.rows(group[0])],
        taught=[_question(pair, "taught") for group in seen for pair in group[1:]]
        + [question for question in written if question.set == "taught-written"],
        unseen=[_question(pair, "unseen") for pair in hidden]
        + [question for question in written if question.set == "unseen-written"],
    )


class _Mixer:
    """Makes the rows of one fact."""

    def __init__(self, documents: Sequence[Document], chunks: Sequence[Chunk], config: DatasetConfig) -> None:
        self._titles = {document.id: document.title for document in documents}
        self._chunks = {chunk.id: chunk for chunk in chunks}
        self._distractors = Distractors(chunks)
        self._config = config

    def rows(self, pair: Pair) -> list[Example]:
        """Return a fact's rows: one closed, perhaps one open."""
        closed = (Message(role="user", content=pair.question), Message(role="assistant", content=pair.answer))
        rows = [_example("closed", closed, pair, ())]
        luck = random.Random(f"{self._config.seed} {pair.id}")
        if luck.random() < self._config.open_share and pair.chunk_ids[0] in self._chunks:
            rows.append(self._open(pair, luck))
        return rows

    def _open(self, pair: Pair, luck: random.Random) -> Example:
        right = self._chunks[pair.chunk_ids[0]]
        refusing = luck.random() < self._config.refusal_share
        wrong = self._distractors.like(pair.question, right, self._config.distractors + refusing)
        passages = list(wrong)
        answer = REFUSAL
        if not refusing or not wrong:
            place = luck.randint(0, len(passages))
            passages.insert(place, right)
            answer = cite(pair.answer, place + 1)
        asked = ask_with_passages(pair.question, [(self._heading(chunk), chunk.text) for chunk in passages])
        messages = (*asked, Message(role="assistant", content=answer))
        return _example("open", messages, pair, tuple(chunk.id for chunk in passages))

    def _heading(self, chunk: Chunk) -> str:
        return heading_line(self._titles[chunk.document_id], chunk.heading_path)


def _example(style: str, messages: tuple[Message, ...], pair: Pair, chunk_ids: tuple[str, ...]) -> Example:
    return Example.model_validate(
        {
            "id": identify("e_", style, [m.model_dump() for m in messages]),
            "style": style,
            "messages": messages,
            "pair_id": pair.id,
            "chunk_ids": chunk_ids,
        }
    )


def _question(pair: Pair, name: str) -> Question:
    return Question.model_validate(
        {
            "pair_id": pair.id,
            "set": name,
            "question": pair.question,
            "references": (pair.answer,),
            "evidence": pair.evidence,
            "history": pair.history,
            "answerable": pair.answerable,
            "kind": pair.kind,
            "topic": pair.topic,
        }
    )


def _fact(pair: Pair) -> str:
    return identify("f_", [e.model_dump() for e in pair.evidence] or pair.id, _words(pair.answer))


def _words(text: str) -> str:
    return " ".join(text.casefold().split())
