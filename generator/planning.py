"""What is asked next: how many pairs are missing, of which sorts and topics, and of which chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from doceo.core.config import GenerateConfig
from doceo.core.records import Chunk, Order, Pair, Rejected
from generator.balance import Quotas, quota_counts
from generator.change import Change
from generator.corpus import Corpus, Crew
from generator.plan import Slot, Wish, by_topic, evenly, orders, ready_chunks, slots
from generator.shares import learned_shares, own_prompts, proposals, share_changes

LLM_KINDS: dict[str, float] = {"multi-hop": 10, "multi-turn": 10, "unanswerable": 8, "summary": 5}
"""Percent of the pairs that a chat model is asked for in these kinds, where the config names none."""
SURPLUS = 3
"""Chunks that the built-in teacher reads for every pair that is wanted, so that the better ones can be taken."""
_FORMS = ("multi-hop", "multi-turn", "unanswerable")


@dataclass
class Planner:
    """Plans every round from what the rounds before came to.

    Attributes:
        asked: Pairs asked of every chunk so far, by id.
        tired: Chunks that gave nothing that lasted.
        barren: Sorts of pairs that did not come when asked for.
        shares: The mix of kinds that is asked for, in percent: the wanted one as its acceptance has changed it.
        changes: Where it is another one, and what a kind that was named costs.
        news: What of this is new with the last round.
        begun: Whether a round has been planned.
    """

    corpus: Corpus
    crew: Crew
    config: GenerateConfig
    asked: Counter[str] = field(default_factory=Counter)
    tired: set[str] = field(default_factory=set)
    barren: set[str] = field(default_factory=set)
    shares: dict[str, float] = field(init=False)
    changes: tuple[Change, ...] = ()
    news: tuple[Change, ...] = ()
    begun: bool = False

    def __post_init__(self) -> None:
        self.shares = dict(self.kinds)

    @property
    def kinds(self) -> dict[str, float]:
        """The wanted mix of kinds in percent."""
        named: dict[str, float] = {str(kind): share for kind, share in self.config.kinds.items()}
        return named or ({} if self.crew.teacher.exhaustive else LLM_KINDS)

    @property
    def quotas(self) -> Quotas:
        """The wanted mix in percent, by kind, difficulty and topic."""
        return Quotas(kinds=self.kinds, difficulties=self.config.difficulties, topics=self.config.topic_shares)

    def round(
        self,
        wanted: int,
        have: Collection[Pair],
        known: Mapping[str, Sequence[str]],
        refused: Sequence[Rejected] = (),
    ) -> list[Order]:
        """Return the orders of the next round, in corpus order; none where nothing is missing or left to ask.

        Args:
            wanted: How many pairs there are to be.
            have: Those there are.
            known: Questions that exist already, by chunk id.
            refused: Pairs that were rejected so far.
        """
        missing, topics = wanted - len(have), Counter(pair.topic for pair in have)
        if self.crew.teacher.exhaustive:
            # What it proposes costs nothing: a topic that is short is read on, though others gave enough.
            missing = max(missing, sum(self._topic_needs(self.config.pairs, topics).values()))
        ready = ready_chunks(self.corpus.chunks, self.corpus.weight, self.tired)
        if self.crew.stand_in is None and not self.crew.teacher.exhaustive:
            ready = [chunk for chunk in ready if chunk.document_id not in self.corpus.local]
        if missing <= 0 or not ready:
            return []
        if self.crew.teacher.exhaustive:
            return self._read(ready, missing, topics)
        self._weigh(have, refused)
        wishes = self._wishes(missing, Counter(pair.kind for pair in have))
        self.begun = True
        # A wish for more than one pair takes one chunk: with one pair a chunk, as many chunks fewer are needed.
        extra = sum(wish.n - 1 for wish in wishes) if missing <= len(ready) else 0
        planned: list[Slot] = []
        needs = self._topic_needs(missing, topics)
        for chunks, n in by_topic(ready, max(1, missing - extra), needs, self.corpus.topics):
            planned += slots(chunks, n, self.config.per_request, self.corpus.weight, self.asked)
        planned.sort(key=lambda slot: self.corpus.position[slot.chunk.id])
        return orders(planned, wishes, self._related, known, self.corpus.language)

    def learn(self, plan: Sequence[Order], gave: Mapping[str, int], have: Collection[Pair]) -> None:
        """Note what came of a round: what gave nothing is left alone.

        Args:
            plan: The round's orders.
            gave: Drafts that came, by form.
            have: The pairs there are now.
        """
        alive = {chunk_id for pair in have for chunk_id in pair.chunk_ids[:1]}
        for order in plan:
            self.asked[order.chunk.id] += order.n
            if self.crew.teacher.exhaustive or order.chunk.id not in alive:
                self.tired.add(order.chunk.id)
        self.barren |= {order.form for order in plan if order.form != "pairs" and not gave.get(order.form)}

    def _read(self, ready: Sequence[Chunk], missing: int, have: Counter[str]) -> list[Order]:
        """Return orders for the built-in teacher: more chunks than pairs are missing, of every topic with a share."""
        needs = self._topic_needs(missing, have)
        some = [
            chunk
            for chunks, n in by_topic(ready, missing, needs, self.corpus.topics)
            for chunk in evenly(chunks, min(len(chunks), SURPLUS * n + 50))
        ]
        some.sort(key=lambda chunk: self.corpus.position[chunk.id])
        language = self.corpus.language
        return [Order(chunks=(chunk,), n=0, language=language[chunk.document_id]) for chunk in some]

    def _wishes(self, missing: int, have: Counter[str]) -> list[Wish]:
        """Return the sorts of pairs that are still short of their share."""
        wishes: list[Wish] = []
        for kind, count in sorted(self._counts().items()):
            short = max(0, min(missing, count - have[kind], self._most(kind, missing)))
            if kind not in _FORMS:
                wishes += [Wish("pairs", (kind,), 1)] * short  # type: ignore[arg-type]
            elif kind not in self.barren and (kind == "multi-turn" or self.crew.search is not None):
                # A conversation of two turns gives one follow-up.
                wishes += [Wish(kind, (), 2 if kind == "multi-turn" else 1)] * short  # type: ignore[arg-type]
        return wishes

    def _weigh(self, have: Collection[Pair], refused: Sequence[Rejected]) -> None:
        """Fit the mix of kinds to what became of the proposals so far; kinds that the config names keep their share."""
        named = bool(self.config.kinds)
        found = proposals(have, refused, self.kinds, own_prompts(self.crew.teacher.prompts))
        before, counts = {change.what: change for change in self.changes}, self._counts()
        self.shares = dict(self.kinds) if named else learned_shares(self.kinds, found)
        self.changes = share_changes(self.kinds, self.shares, found, named=named)
        moved = {f"kinds {kind}" for kind, count in self._counts().items() if count != counts[kind]}
        news = [change for change in self.changes if change.what in moved or change.what not in before]
        again = before.keys() - {change.what for change in self.changes}
        self.news = (*news, *(before[what].taken_back() for what in sorted(again)))

    def _counts(self) -> dict[str, int]:
        """Return how many pairs of each kind there are to be: one at least where the wanted mix has one."""
        wanted = quota_counts(self.config.pairs, self.kinds)
        asked = quota_counts(self.config.pairs, self.shares)
        return {kind: max(asked[kind], min(1, count)) for kind, count in wanted.items()}

    def _most(self, kind: str, missing: int) -> int:
        """Return how many pairs of a kind a round may ask for: one that lost share must not take what ends it."""
        share = self.shares[kind]
        least = 0 if self.begun else 1
        return missing if share >= self.kinds[kind] else max(least, round(missing * share / 100))

    def _topic_needs(self, missing: int, have: Counter[str]) -> dict[str, int]:
        wanted = quota_counts(self.config.pairs, self.config.topic_shares)
        return {label: min(missing, count - have[label]) for label, count in wanted.items() if count > have[label]}

    def _related(self, chunk: Chunk) -> Chunk | None:
        """Return a chunk that shares something rare, on the same side of the split, and as free to be sent.

        Not a neighbour: two pieces of one paragraph make questions that either of them answers.
        """
        corpus = self.corpus
        position = corpus.position
        found = self.crew.search.related(chunk, 5) if self.crew.search is not None else []
        for other in (one.chunk for one in found):
            same_side = (other.id in corpus.unseen) == (chunk.id in corpus.unseen)
            as_free = (other.document_id in corpus.local) == (chunk.document_id in corpus.local)
            near = other.document_id == chunk.document_id and abs(position[other.id] - position[chunk.id]) < 2
            if same_side and as_free and not near and corpus.weight[other.id] > 0:
                return other
        return None
