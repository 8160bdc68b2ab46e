"""Pairs to rows: what is trained, what validates, and the held-out questions.

A fact is one piece of evidence with its answer. Its first wording is trained, every further wording is *taught*;
facts of kept-out text are *unseen*. What the leak check finds is taken out of the rows before anybody sees them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data.alike import alike
from data.leaks import LeakCheck, asked, leaks
from data.splits import is_unseen
from data.styles import Mixer
from doceo.core.config import DatasetConfig
from doceo.core.fingerprint import identify, sha256
from doceo.core.records import Chunk, Document, Example, Pair, Question, SetName
from doceo.text.passages import REFUSAL


@dataclass(frozen=True)
class Dataset:
    """Rows to train and to validate on, the held-out questions of both kinds, and what the leak check did."""

    train: list[Example]
    validation: list[Example]
    taught: list[Question]
    unseen: list[Question]
    check: LeakCheck


def build_dataset(
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    pairs: Sequence[Pair],
    unseen: frozenset[str],
    written: Sequence[Question],
    config: DatasetConfig,
) -> Dataset:
    """Return the dataset of a run. No held-out question and no kept-out text stands among the rows.

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
    hidden = [pair for group in facts.values() for pair in group if is_unseen(pair, unseen)]
    allowed = [[pair for pair in group if not is_unseen(pair, unseen)] for group in facts.values()]
    seen = [group for group in allowed if group]
    validating = _validating([group[0] for group in seen if len(group) == 1], config)
    again = [(group[0], pair) for group in seen for pair in group[1:]]
    distinct = _in_other_words(again)
    held_out = [_question(pair, "taught") for _, pair in distinct] + [_question(pair, "unseen") for pair in hidden]
    held_out += written
    given = [chunk for chunk in chunks if chunk.id not in unseen]
    mixer = Mixer(documents, given, config)
    train = mixer.rows([group[0] for group in seen if group[0].id not in validating])
    validation = mixer.rows([group[0] for group in seen if group[0].id in validating])
    found = leaks([*train, *validation], held_out, [chunk for chunk in chunks if chunk.id in unseen], given)
    train = [row for row in train if row.id not in found]
    validation = [row for row in validation if row.id not in found]
    trained = {row.pair_id for row in train}
    lost = {pair.id for first, pair in distinct if first.id not in trained}
    held_out = [question for question in held_out if question.pair_id not in lost]
    return Dataset(
        train=train,
        validation=validation,
        taught=[question for question in held_out if question.set.startswith("taught")],
        unseen=[question for question in held_out if question.set.startswith("unseen")],
        check=LeakCheck(
            questions=len(held_out),
            rows=len(train) + len(validation),
            removed=dict(Counter(found.values())),
            same_words=len(again) - len(distinct),
            untrained=len(lost),
        ),
    )


def _validating(single: Sequence[Pair], config: DatasetConfig) -> frozenset[str]:
    """Return the ids of the pairs that are kept for validation: none whose fact is asked again."""
    order = sorted(single, key=lambda pair: sha256(f"validation {config.seed} {pair.id}"))
    return frozenset(pair.id for pair in order[: round(config.validation_share * len(single))])


def _in_other_words(again: Sequence[tuple[Pair, Pair]]) -> list[tuple[Pair, Pair]]:
    """Return the rewordings, each after what is trained, without those that say nearly the same."""
    trained = [asked(first.history, first.question) for first, _ in again]
    found = alike(trained, [asked(later.history, later.question) for _, later in again])
    return [both for both, same in zip(again, found, strict=True) if not same]


def _question(pair: Pair, name: SetName) -> Question:
    right = (pair.answer,) if pair.answerable else tuple(dict.fromkeys((REFUSAL, pair.answer or REFUSAL)))
    return Question(
        pair_id=pair.id,
        set=name,
        question=pair.question,
        references=right,
        evidence=pair.evidence,
        history=pair.history,
        answerable=pair.answerable,
        kind=pair.kind,
        difficulty=pair.difficulty,
        topic=pair.topic,
    )


def _fact(pair: Pair) -> str:
    words = " ".join(pair.answer.casefold().split())
    return identify("f_", [proof.model_dump() for proof in pair.evidence] or pair.id, words)
