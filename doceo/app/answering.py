"""Held-out questions to answers: in batches where the model is here, in threads where it is not, never twice.

Answers are kept as they are made: a process that is killed loses what was in flight, and of a model here the batch that
was being generated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, runtime_checkable

from data.growing import grow, read_grown
from data.jsonl import write_jsonl
from doceo.core.errors import RequestRejected
from doceo.core.protocols import Answerer, Progress
from doceo.core.records import Answer, Answered, ChatReply, ChatRequest, ProfileEntry, Question, Usage
from doceo.providers.chat import is_remote
from rag.answerer import NOT_ASKED, ModelAnswerer, timed
from rag.asking import Asked

BATCH = 64


@runtime_checkable
class Batching(Protocol):
    """A provider that answers many requests at once."""

    def complete_many(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Answer requests, in order."""
        ...


def answer_all(
    answerer: Answerer,
    questions: Sequence[Question],
    concurrency: int,
    progress: Progress,
    profile: Sequence[ProfileEntry] = (),
    *,
    kept: Path | None = None,
) -> list[Answered]:
    """Return a system's answers in the order of the questions, for a user of a profile.

    Args:
        answerer: The system.
        questions: What it is asked.
        concurrency: Questions that a model on a server is asked at once; others are asked one by one, or in batches.
        progress: Where it is shown.
        profile: What is known of the user.
        kept: A file where answers are kept as they are made; those that are in it are not asked for again.

    Raises ProviderError, StorageError.
    """
    batching = in_batches(answerer)
    done = _done(kept, questions, BATCH if batching else 1) if kept else []
    make = _batches(answerer, profile) if batching else _singly(answerer, profile, concurrency)
    with progress.task("answer", total=len(questions), unit="questions") as task:
        task.advance(len(done), answerer.name)
        left = questions[len(done) :]
        for answers in make(left):
            at = len(done)
            some = [answered(q, a) for q, a in zip(questions[at : at + len(answers)], answers, strict=True)]
            if kept:
                grow(kept, some)
            done += some
            task.advance(len(some), answerer.name)
    return done


def in_batches(answerer: Answerer) -> bool:
    """Return whether a system is asked in batches, so that the seconds of an answer are a share of its batch's."""
    return isinstance(answerer, ModelAnswerer) and isinstance(answerer.provider, Batching)


def _done(kept: Path, questions: Sequence[Question], step: int) -> list[Answered]:
    """Return the answers that were kept, in whole steps: a batch of other questions could round otherwise."""
    done = read_grown(kept, Answered)
    fits = [
        (line.pair_id, line.set, line.question) == (q.pair_id, q.set, q.question)
        for line, q in zip(done, questions, strict=False)
    ]
    same = fits.index(False) if False in fits else len(fits)
    done = done[: same if same == len(questions) else same // step * step]
    write_jsonl(kept, done)
    return done


def answered(question: Question, answer: Answer) -> Answered:
    """Return the line of an answer."""
    q = question
    return Answered(pair_id=q.pair_id, set=q.set, question=q.question, references=q.references, answer=answer)


Making = Callable[[Sequence[Question]], Iterator[Sequence[Answer]]]


def _batches(answerer: Answerer, profile: Sequence[ProfileEntry]) -> Making:
    def make(questions: Sequence[Question]) -> Iterator[Sequence[Answer]]:
        for at in range(0, len(questions), BATCH):
            yield _batch(answerer, questions[at : at + BATCH], profile)

    return make


def _singly(answerer: Answerer, profile: Sequence[ProfileEntry], concurrency: int) -> Making:
    def make(questions: Sequence[Question]) -> Iterator[Sequence[Answer]]:
        remote = isinstance(answerer, ModelAnswerer) and is_remote(answerer.provider.name)
        # What works on this machine would only wait for itself, and the waiting would count as its seconds.
        pool = ThreadPoolExecutor(concurrency if remote else 1)
        try:
            for answer in pool.map(lambda q: _one(answerer, q, profile), questions):
                yield [answer]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    return make


def _batch(answerer: Answerer, questions: Sequence[Question], profile: Sequence[ProfileEntry]) -> list[Answer]:
    assert isinstance(answerer, ModelAnswerer)
    assert isinstance(answerer.provider, Batching)
    prepared = [_prepared(answerer, q, profile) for q in questions]
    try:
        made = answerer.provider.complete_many([asked.request for asked, _ in prepared if asked.request is not None])
    except RequestRejected:  # by one of them: each by itself
        return [_one(answerer, q, profile) for q in questions]
    replies = iter(made)
    return [_finished(answerer, asked, next(replies) if asked.request else NOT_ASKED, s) for asked, s in prepared]


def _one(answerer: Answerer, question: Question, profile: Sequence[ProfileEntry]) -> Answer:
    try:
        if not isinstance(answerer, ModelAnswerer):
            return answerer.answer(question.question, question.history, profile)
        asked, seconds = _prepared(answerer, question, profile)
        if asked.request is None:
            return _finished(answerer, asked, NOT_ASKED, seconds)
        began = time.perf_counter()
        reply = answerer.provider.complete(asked.request)
        if not reply.usage.seconds:
            took = time.perf_counter() - began
            reply = reply.model_copy(update={"usage": reply.usage.model_copy(update={"seconds": took})})
        return _finished(answerer, asked, reply, seconds)
    except RequestRejected as error:
        # One question that a server will not take must not end an evaluation of hundreds.
        return Answer(text="", refused=True, failed=True, reason=error.message, usage=Usage(cost=0.0))


def _prepared(answerer: ModelAnswerer, question: Question, profile: Sequence[ProfileEntry]) -> tuple[Asked, float]:
    """Return a question made ready, and the seconds that took."""
    began = time.perf_counter()
    return answerer.prepare(question.question, question.history, profile), time.perf_counter() - began


def _finished(answerer: ModelAnswerer, asked: Asked, reply: ChatReply, preparing: float) -> Answer:
    """Return the answer for a reply, with the seconds of all steps.

    Those of the reply are the model's own, whether it was waited for, batched with others, or comes from a journal.
    """
    began = time.perf_counter()
    answer = answerer.finish(asked, reply)
    finishing = time.perf_counter() - began
    return timed(answer, preparing + reply.usage.seconds + finishing, reply.usage.seconds)
