"""Chunks to pairs: plan, ask, check, select, reword; and a ledger that adds up.

What is asked depends on the corpus, the config and earlier replies alone, and replies are taken in the order of the
plan, so that the order of their arrival never changes the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from doceo.core.config import Gate, GateConfig, GenerateConfig
from doceo.core.errors import CostCapReached
from doceo.core.protocols import Progress
from doceo.core.records import Ledger, Pair, Rejected, Verdict
from generator.asking import Asker, Patience, Reply
from generator.carried import Carried
from generator.change import Change
from generator.corpus import Corpus, Crew
from generator.dedupe import Repeats
from generator.deep import DeepChecks
from generator.diversity import diversity
from generator.ledger import Tally
from generator.planning import Planner
from generator.pool import Pool
from generator.rewordings import Rewordings
from generator.topic_choice import select_by_topic


@dataclass(frozen=True)
class Generated:
    """What came of it.

    Attributes:
        pairs: Accepted pairs in corpus order, rewordings of trained facts after them.
        rejected: All rejected ones, each with its reason.
        ledger: What became of every pair asked for.
        asked: Pairs asked of every chunk, by id.
        diversity: Of the questions, before and after selection.
        learned: What the rejections changed in the mix of kinds that was asked for.
        capped: The cost cap, where it ended the asking.
    """

    pairs: list[Pair]
    rejected: list[Rejected]
    ledger: Ledger
    asked: dict[str, int]
    diversity: dict[str, dict[str, object]]
    learned: tuple[Change, ...] = ()
    capped: CostCapReached | None = None


@dataclass(frozen=True)
class _Making:
    """What one generation works with."""

    corpus: Corpus
    config: GenerateConfig
    planner: Planner
    tally: Tally
    asker: Asker
    deep: DeepChecks
    pool: Pool
    patience: Patience
    rewordings: Rewordings


async def generate(
    corpus: Corpus,
    crew: Crew,
    config: GenerateConfig,
    gate: GateConfig,
    progress: Progress,
    *,
    gates: Sequence[Gate],
    at_once: int = 8,
    against: Sequence[str] = (),
    words_only: bool = False,
    before: Carried | None = None,
) -> Generated:
    """Make `config.pairs` pairs, or as many as the corpus and the teacher give.

    Args:
        corpus: What they are made from.
        crew: Who makes and checks them.
        config: How many, and which.
        gate: Where the checks draw the line.
        progress: Where work is shown.
        gates: The checks that run.
        at_once: Most orders under way.
        against: Questions that no pair may ask again.
        words_only: Whether to compare with those by their words alone: a fact may be asked in words of its own.
        before: Pairs of an earlier generation that are kept.

    Raises:
        ProviderError: The teacher cannot be used at all; replies that were paid for are in its journal.
        ConfigError: Shares in percent are negative or sum up to more than 100.
    """
    carried = len(before.rewordings) if before is not None else 0
    reworded_wanted = max(round(config.pairs * config.taught_share), carried)
    vectors = crew.embed(against) if crew.embed is not None and against and not words_only else None
    known = Repeats(gate, frozenset(gates), against=against, against_vectors=vectors)
    making = _start(corpus, crew, config, gate, frozenset(gates), known, at_once, reworded_wanted - carried)
    kept = _take_in(making, before) if before is not None else []
    try:
        await _fill(making, config.pairs - reworded_wanted, progress)
        chosen = _held(making, before)
        chosen += _chosen(making, config.pairs - reworded_wanted - len(chosen), chosen)
        reworded = [*kept, *await _reword(making, chosen, reworded_wanted, kept, progress)]
        if len(chosen) + len(reworded) < config.pairs:
            await _fill(making, config.pairs - len(reworded), progress)
            chosen = [making.pool.pairs[pair.id] for pair in chosen if pair.id in making.pool.pairs]
            chosen += _chosen(making, config.pairs - len(reworded) - len(chosen), chosen)
    finally:
        await making.rewordings.cancel()
        await making.deep.cancel()
    return _closed(making, chosen, reworded)


def _start(
    corpus: Corpus,
    crew: Crew,
    config: GenerateConfig,
    gate: GateConfig,
    gates: frozenset[str],
    repeats: Repeats,
    at_once: int,
    again: int,
) -> _Making:
    planner = Planner(corpus, crew, config)
    planner.quotas.targets(config.pairs)  # shares that cannot be are told before anything is asked
    tally, patience = Tally(config.pairs), Patience()
    deep = DeepChecks(crew.checks, at_once, patience)
    asker = Asker(corpus, crew, at_once, patience)
    rewordings = Rewordings(asker, corpus.unseen, again, config.seed, early=not crew.teacher.exhaustive)
    pool = Pool(corpus, crew, gates, gate, repeats, tally, lambda pair: rewordings.begin(pair, deep.start(pair)))
    return _Making(corpus, config, planner, tally, asker, deep, pool, patience, rewordings)


def _take_in(making: _Making, before: Carried) -> list[Pair]:
    """Take in what an earlier generation left, and return its rewordings."""
    making.tally.ask(len(before.pairs) + len(before.rewordings) + len(before.rejected))
    kept = making.pool.carry(before)
    making.planner.asked.update(before.asked)
    for old in before.rejected:
        making.pool.reject(old.pair, old.verdict)
        making.pool.know(old.pair.question, old.pair.chunk_ids)
    for pair in before.elsewhere:
        making.pool.know(pair.question, pair.chunk_ids)
    return kept


async def _fill(making: _Making, wanted: int, progress: Progress) -> None:
    """Ask until the pool holds `wanted` pairs, the rounds are spent, or no chunk gives anything new."""
    pool = making.pool
    for _ in range(making.config.rounds):
        plan = making.rewordings.first(making.planner.round(wanted, pool.pairs.values(), pool.known, pool.rejected))
        if not plan or making.patience.capped is not None:
            return
        for change in making.planner.news:
            progress.say(str(change))
        gave: Counter[str] = Counter()
        with progress.task("generate", total=len(plan), unit="requests") as task:
            async for reply in making.asker.replies(plan):
                _count(making.tally, reply)
                pool.offer(reply)
                gave[reply.order.form] += len(reply.drafts)
                task.advance(1, f"{len(pool.pairs)} good pairs")
            pool.settle()
            await making.deep.settle(pool)
        making.planner.learn(plan, gave, pool.pairs.values())


def _count(tally: Tally, reply: Reply) -> None:
    """Count what an order asked for and what did not come; a teacher that gives more than asked is asked for more."""
    asked = max(reply.order.n, len(reply.drafts))
    tally.ask(asked)
    if reply.failure is not None:
        tally.fail(reply.failure.code, asked)
    else:
        tally.fail("not_returned", asked - len(reply.drafts))


def _held(making: _Making, before: Carried | None) -> list[Pair]:
    """Return the pairs of an earlier generation that still stand: they stay in the dataset."""
    return [making.pool.pairs[pair.id] for pair in before.pairs if pair.id in making.pool.pairs] if before else []


def _chosen(making: _Making, n: int, kept: Sequence[Pair]) -> list[Pair]:
    quotas, vectors, have = making.planner.quotas, making.pool.vectors or None, {pair.id for pair in kept}
    pool = [pair for pair in making.pool.pairs.values() if pair.id not in have]
    return select_by_topic(pool, n, making.corpus.position, kept, quotas, vectors)


async def _reword(
    making: _Making, chosen: Sequence[Pair], wanted: int, kept: Sequence[Pair], progress: Progress
) -> list[Pair]:
    """Return rewordings of trained facts, each a pair of its own with the same answer and evidence.

    As many as are missing of `wanted` beside those that are kept.
    """
    wanted -= len(kept)
    asked_twice = {tuple(pair.evidence) for pair in kept}
    fit = making.rewordings.fit
    waiting = making.rewordings.in_turn(
        [pair for pair in chosen if fit(pair) and tuple(pair.evidence) not in asked_twice]
    )
    made: list[Pair] = []
    with progress.task("reword", total=max(0, wanted), unit="questions") as task:
        while waiting and len(made) < wanted:
            batch, waiting = waiting[: wanted - len(made)], waiting[wanted - len(made) :]
            async for pair, question in making.rewordings.of(batch):
                making.tally.ask(1)
                if question is None:
                    capped = making.patience.capped
                    making.tally.fail(capped.code if capped else "not_reworded", 1)
                    continue
                identity = Pair.identify(question, pair.answer, pair.evidence)
                again = pair.model_copy(update={"id": identity, "question": question})
                if making.pool.reworded(again, pair):
                    made.append(again)
                    task.advance(1)
    return made


def _closed(making: _Making, chosen: list[Pair], reworded: list[Pair]) -> Generated:
    """Count what good pairs were left over, and close the ledger."""
    pool, position = making.pool, making.corpus.position
    kept = {pair.id for pair in chosen}
    before = diversity(list(pool.pairs.values()), pool.vectors or None)
    left = [pair for pair in pool.pairs.values() if pair.id not in kept]
    for pair in left:
        pool.withdraw(pair, Verdict(accepted=False, reason="not_selected", detail="good, but others spread better"))
    after = diversity(chosen, pool.vectors or None) if left else before
    making.tally.accept(len(chosen) + len(reworded))
    chosen.sort(
        key=lambda pair: (position[pair.chunk_ids[0]], pair.evidence[0].span.start if pair.evidence else 0, pair.id)
    )
    return Generated(
        pairs=[*chosen, *reworded],
        rejected=pool.rejected,
        ledger=making.tally.ledger(),
        asked=dict(making.planner.asked),
        diversity={"before": before, "after": after},
        learned=making.planner.changes,
        capped=making.patience.capped,
    )
