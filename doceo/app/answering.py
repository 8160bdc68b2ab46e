"""Held-out questions to answers: one file a system, in batches where the model is here, in threads where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, runtime_checkable

from doceo.core.errors import RequestRejected
from doceo.core.protocols import Answerer, Progress
from doceo.core.records import Answer, Answered, ChatReply, ChatRequest, ProfileEntry, Question
from rag.answerer import ModelAnswerer

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
) -> list[Answered]:
    """Return a system's answers in the order of the questions, for a user of a profile. Raises ProviderError."""
    with progress.task("answer", total=len(questions), unit="questions") as task:
        if isinstance(answerer, ModelAnswerer) and isinstance(answerer.provider, Batching):
            answers: list[Answer] = []
            for at in range(0, len(questions), BATCH):
                some = questions[at : at + BATCH]
                answers += _batch(answerer, answerer.provider, some, profile)
                task.advance(len(some), answerer.name)
        else:
            answers = []
            with ThreadPoolExecutor(concurrency) as pool:
                for answer in pool.map(lambda q: _one(answerer, q, profile), questions):
                    answers.append(answer)
                    task.advance(1, answerer.name)
    return [
        Answered(pair_id=q.pair_id, set=q.set, question=q.question, references=q.references, answer=answer)
        for q, answer in zip(questions, answers, strict=True)
    ]


def _batch(
    answerer: ModelAnswerer, provider: Batching, questions: Sequence[Question], profile: Sequence[ProfileEntry]
) -> list[Answer]:
    prepared = [answerer.prepare(q.question, q.history, profile) for q in questions]
    replies = iter(provider.complete_many([asked.request for asked in prepared if asked.request is not None]))
    return [answerer.finish(asked, next(replies) if asked.request else ChatReply(text="")) for asked in prepared]


def _one(answerer: Answerer, question: Question, profile: Sequence[ProfileEntry]) -> Answer:
    try:
        return answerer.answer(question.question, question.history, profile)
    except RequestRejected as error:
        # One question that a server will not take must not end an evaluation of hundreds.
        return Answer(text="", refused=True, reason=error.message)
