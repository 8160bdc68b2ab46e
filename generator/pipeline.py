"""Chunks to pairs: plan, ask, check, select, reword; and a ledger that adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from data.splits import taught_facts
from doceo.core.config import GenerateConfig
from doceo.core.errors import ProviderError, ReplyInvalid, RequestRejected
from doceo.core.protocols import Progress, Teacher
from doceo.core.records import Chunk, Document, Draft, Ledger, Pair, Rejected, Verdict
from doceo.text.surrogates import without_surrogates
from generator.balance import select
from generator.dedupe import Repeats
from generator.grounding import verify
from generator.ledger import Tally
from generator.plan import Order, informative, orders
from generator.quality import form_verdict


@dataclass(frozen=True)
class Corpus:
    """What pairs are made from. `unseen` are the ids of chunks kept out of training."""

    documents: Sequence[Document]
    chunks: Sequence[Chunk]
    unseen: frozenset[str]


@dataclass(frozen=True)
class Generated:
    """Accepted pairs in corpus order, rewordings of trained facts after them; all rejected ones; the ledger."""

    pairs: list[Pair]
    rejected: list[Rejected]
    ledger: Ledger


@dataclass
class _Making:
    """State of one generation."""

    corpus: Corpus
    teacher: Teacher
    config: GenerateConfig
    tally: Tally
    repeats: Repeats
    documents: dict[str, Document]
    order: dict[str, int]
    pool: list[Pair] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    tired: set[str] = field(default_factory=set)


def generate(corpus: Corpus, teacher: Teacher, config: GenerateConfig, progress: Progress) -> Generated:
    """Make `config.pairs` pairs, or as many as the corpus and the teacher give.

    Raises ProviderError where the teacher cannot be used at all; replies that were paid for are in its journal.
    """
    making = _Making(
        corpus=corpus,
        teacher=teacher,
        config=config,
        tally=Tally(config.pairs),
        repeats=Repeats(near="near" in config.gates),
        documents={document.id: document for document in corpus.documents},
        order={chunk.id: i for i, chunk in enumerate(corpus.chunks)},
    )
    reworded_wanted = round(config.pairs * config.taught_share)
    _fill_pool(making, config.pairs - reworded_wanted, progress)
    chosen = select(making.pool, config.pairs - reworded_wanted, making.order)
    reworded = _reword(making, chosen, reworded_wanted, progress)
    missing = config.pairs - len(chosen) - len(reworded)
    if missing > 0:
        _fill_pool(making, config.pairs - len(reworded), progress)
        have = {pair.id for pair in chosen}
        chosen += select([pair for pair in making.pool if pair.id not in have], missing, making.order, kept=chosen)
    kept = {pair.id for pair in chosen}
    for pair in making.pool:
        if pair.id not in kept:
            verdict = Verdict(accepted=False, reason="not_selected", detail="good, but others spread better")
            making.rejected.append(Rejected(pair=pair, verdict=verdict))
            making.tally.reject("not_selected")
    making.tally.accept(len(chosen) + len(reworded))
    chosen.sort(
        key=lambda pair: (making.order[pair.chunk_ids[0]], pair.evidence[0].span.start if pair.evidence else 0, pair.id)
    )
    return Generated([*chosen, *reworded], making.rejected, making.tally.ledger())


def _fill_pool(making: _Making, wanted: int, progress: Progress) -> None:
    """Ask until the pool holds `wanted` pairs, the rounds are spent, or no chunk gives anything new."""
    for _ in range(making.config.rounds):
        missing = wanted - len(making.pool)
        plan = _plan(making, missing)
        if not plan:
            return
        with progress.task("generate", total=len(plan), unit="chunks") as task:
            for order, drafts in _proposals(making, plan):
                before = len(making.pool)
                for draft in drafts:
                    _check(making, draft, order.chunk)
                if len(making.pool) == before or making.teacher.exhaustive:
                    making.tired.add(order.chunk.id)
                task.advance(1, f"{len(making.pool)} good pairs")


def _plan(making: _Making, missing: int) -> list[Order]:
    if missing <= 0:
        return []
    if making.teacher.exhaustive:
        return [
            Order(chunk, 0) for chunk in making.corpus.chunks if informative(chunk) and chunk.id not in making.tired
        ]
    return orders(making.corpus.chunks, missing, making.config.per_request, making.tired, making.asked)


def _proposals(making: _Making, plan: Sequence[Order]) -> Iterator[tuple[Order, list[Draft]]]:
    """Yield the drafts of every order, in order, and count what did not come."""

    def ask(order: Order) -> list[Draft] | ProviderError:
        try:
            document = making.documents[order.chunk.document_id]
            return making.teacher.propose(order.chunk, document, order.n)
        except (ReplyInvalid, RequestRejected) as error:
            return error

    if making.teacher.exhaustive:
        replies: Iterator[list[Draft] | ProviderError] = map(ask, plan)
        pool = None
    else:
        pool = ThreadPoolExecutor(making.config.concurrency)
        replies = pool.map(ask, plan)
    try:
        for order, reply in zip(plan, replies, strict=True):
            making.asked[order.chunk.id] += order.n
            if isinstance(reply, ProviderError):
                making.tally.ask(order.n)
                making.tally.fail(reply.code, order.n)
                yield order, []
                continue
            making.tally.ask(max(order.n, len(reply)))
            making.tally.fail("not_returned", max(0, order.n - len(reply)))
            yield order, reply
    finally:
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def _check(making: _Making, draft: Draft, chunk: Chunk) -> None:
    """Put a draft into the pool, or among the rejected with the first reason found."""
    found = verify(draft, chunk, making.documents[chunk.document_id])
    evidence = () if isinstance(found, Verdict) else found
    # A model's JSON may hold half characters (\\ud800), which no file of ours can.
    question, answer = without_surrogates(draft.question), without_surrogates(draft.answer)
    pair = Pair(
        id=Pair.identify(question, answer, evidence),
        question=question,
        answer=answer,
        answerable=draft.answerable,
        rationale=without_surrogates(draft.rationale),
        evidence=evidence,
        chunk_ids=(chunk.id,),
        kind=draft.kind,
        difficulty=draft.difficulty,
        topic=chunk.heading_path[-1] if chunk.heading_path else making.documents[chunk.document_id].title,
        scores={"teacher": draft.score} if draft.score else {},
        teacher=making.teacher.name,
        prompt_hash=next(iter(making.teacher.prompts.values()), ""),
    )
    verdict = found if isinstance(found, Verdict) else _gates(making, pair)
    if verdict is None:
        making.repeats.add(pair)
        making.pool.append(pair)
    else:
        making.rejected.append(Rejected(pair=pair, verdict=verdict))
        making.tally.reject(verdict.reason)


def _gates(making: _Making, pair: Pair, rewording_of: Pair | None = None) -> Verdict | None:
    if "form" in making.config.gates and (verdict := form_verdict(pair)):
        return verdict
    return making.repeats.verdict(pair, rewording_of=rewording_of)


def _reword(making: _Making, chosen: Sequence[Pair], wanted: int, progress: Progress) -> list[Pair]:
    """Return up to `wanted` rewordings of trained facts, each a pair of its own with the same answer and evidence."""
    trained = [pair for pair in chosen if not making.corpus.unseen.intersection(pair.chunk_ids)]
    # At least half of the facts keep a single wording, so that small sets still have training rows of their own.
    waiting = taught_facts(trained, len(trained), making.config.seed)
    made: list[Pair] = []
    with (
        progress.task("reword", total=wanted, unit="questions") as task,
        ThreadPoolExecutor(1 if making.teacher.exhaustive else making.config.concurrency) as threads,
    ):
        while waiting and len(made) < wanted:
            batch, waiting = waiting[: wanted - len(made)], waiting[wanted - len(made) :]
            for pair, question in zip(batch, threads.map(lambda p: _asked_again(making, p), batch), strict=True):
                making.tally.ask(1)
                if question is None:
                    making.tally.fail("not_reworded")
                    continue
                again = pair.model_copy(
                    update={"id": Pair.identify(question, pair.answer, pair.evidence), "question": question}
                )
                if verdict := _gates(making, again, rewording_of=pair):
                    making.rejected.append(Rejected(pair=again, verdict=verdict))
                    making.tally.reject(verdict.reason)
                    continue
                making.repeats.add(again)
                made.append(again)
                task.advance(1)
    return made


def _asked_again(making: _Making, pair: Pair) -> str | None:
    try:
        return making.teacher.reword(pair)
    except (ReplyInvalid, RequestRejected):
        return None
