"""Facts to training rows in three styles, mixed by their shares of the rows.

`closed`: the question alone. `open`: the question over passages, the right ones among wrong ones that look right
(RAFT, Zhang and others 2024), the answer citing them; for some only wrong ones, and a refusal. `conversation`: a
question after earlier turns. A pair without an answer has no closed row: it would teach refusing without documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from data.distracting import Distracting
from data.holders import Holders
from doceo.core.config import DatasetConfig
from doceo.core.fingerprint import identify, sha256
from doceo.core.records import Chunk, Document, Example, Message, Pair
from doceo.text.passages import REFUSAL, ask_with_passages, cite, heading_line

MOST_OPEN = 4
"""Most rows with passages that one fact gets, whatever the shares."""
_EARLIER = 2
"""Most earlier turns of a conversation that is joined from single questions."""


@dataclass(frozen=True)
class _Plan:
    """How many rows of each kind a set of facts gives, by pair id."""

    closed: frozenset[str]
    right: Mapping[str, int]
    """Rows with the right passages."""
    withheld: frozenset[str]
    """Facts with a row whose passages do not hold the answer."""
    joined: Mapping[str, tuple[Pair, ...]]
    """Earlier turns of the conversations that are joined from single questions, by their last pair."""


class Mixer:
    """Makes the rows of facts. The same facts, passages and config give the same rows."""

    def __init__(self, documents: Sequence[Document], chunks: Sequence[Chunk], config: DatasetConfig) -> None:
        self._titles = {document.id: document.title for document in documents}
        self._holders = Holders(chunks)
        self._distracting = Distracting(chunks)
        self._config = config

    def rows(self, pairs: Sequence[Pair]) -> list[Example]:
        """Return the rows of facts, in their order, in the configured shares as nearly as the facts allow."""
        plan = self._plan(pairs)
        self._distracting.expect(pairs)
        made: dict[str, Example] = {}
        for pair in pairs:
            for row in self._rows(pair, plan):
                made.setdefault(row.id, row)
        return list(made.values())

    def _plan(self, pairs: Sequence[Pair]) -> _Plan:
        """Decide which rows are made: every fact's closed row sets the number, the shares give the others."""
        config = self._config
        order = sorted(pairs, key=lambda pair: sha256(f"rows {config.seed} {pair.id}"))
        facts = [pair for pair in order if pair.answerable]
        single = [pair for pair in facts if not pair.history]
        total = self._total(len(facts))
        held = [pair for pair in facts if self._holders.of(pair)] if config.open_share else []
        refusing = len(order) - len(facts) if config.open_share and config.refusal_share else 0
        wanted = round(config.open_share * total)
        withheld = min(max(0, round(config.refusal_share * wanted) - refusing), len(held))
        right = max(0, wanted - refusing - withheld)
        each, more = divmod(right, len(held)) if held else (0, 0)
        turns = sum(bool(pair.history) for pair in facts)
        return _Plan(
            closed=frozenset(pair.id for pair in single[: round(config.closed_share * total)]),
            right={pair.id: min(each + (place < more), MOST_OPEN) for place, pair in enumerate(held)},
            withheld=frozenset(pair.id for pair in held[len(held) - withheld :]),
            joined=self._joined(single, max(0, round(config.conversation_share * total) - turns)),
        )

    def _total(self, facts: int) -> float:
        """Return the most rows for which no fact gives more of a style than it can: one closed, four open, one joined.

        By default that gives every fact its closed row. Without closed rows it is one row of the commonest style.
        """
        opened, closed, joined = (self._config.open_share, self._config.closed_share, self._config.conversation_share)
        if not closed:
            return facts / max(opened, joined)
        return facts * min(most / share for most, share in ((1, closed), (MOST_OPEN, opened), (1, joined)) if share)

    def _joined(self, facts: Sequence[Pair], count: int) -> dict[str, tuple[Pair, ...]]:
        """Return earlier turns for up to `count` facts: others of the same passage, or of the document's topic."""
        passages: dict[str, list[Pair]] = {}
        topics: dict[tuple[str, str], list[Pair]] = {}
        for pair in facts:
            if pair.chunk_ids and pair.evidence:
                passages.setdefault(pair.chunk_ids[0], []).append(pair)
                topics.setdefault((pair.evidence[0].span.document_id, pair.topic), []).append(pair)
        found: dict[str, tuple[Pair, ...]] = {}
        for pair in facts:
            if len(found) >= count:
                break
            if not pair.chunk_ids or not pair.evidence:
                continue
            near = [other for other in passages[pair.chunk_ids[0]] if other.id != pair.id]
            if not near and pair.topic:
                near = [o for o in topics[pair.evidence[0].span.document_id, pair.topic] if o.id != pair.id]
            if near:
                luck = Random(f"turns {self._config.seed} {pair.id}")
                found[pair.id] = tuple(luck.sample(near, min(len(near), luck.randint(1, _EARLIER))))
        return found

    def _rows(self, pair: Pair, plan: _Plan) -> Iterator[Example]:
        asked = Message(role="user", content=pair.question)
        answer = Message(role="assistant", content=pair.answer)
        if pair.id in plan.closed:
            yield _example("closed", (asked, answer), pair)
        if pair.answerable and pair.history and self._config.conversation_share:
            yield _example("conversation", (*pair.history, asked, answer), pair)
        if pair.id in plan.joined:
            yield _example("conversation", (*_turns(plan.joined[pair.id]), asked, answer), pair)
        if pair.answerable:
            yield from self._open(pair, plan.right.get(pair.id, 0), pair.id in plan.withheld)
        elif self._config.open_share and self._config.refusal_share:
            yield from self._refusing(pair, self._holders.named(pair), 0)

    def _open(self, pair: Pair, right: int, withheld: bool) -> Iterator[Example]:
        holding = self._holders.of(pair) if right or withheld else []
        for number in range(right):
            luck = Random(f"{self._config.seed} {pair.id} {number}")
            passages = holding + self._distracting.like(pair, holding, self._config.distractors, number)
            luck.shuffle(passages)
            answer = cite(pair.answer, *sorted(passages.index(chunk) + 1 for chunk in holding))
            if pair.rationale and luck.random() < self._config.reasoning_share:
                answer = f"<think>\n{pair.rationale}\n</think>\n\n{answer}"
            yield self._over(pair, passages, answer)
        if withheld:
            yield from self._refusing(pair, (), right)

    def _refusing(self, pair: Pair, searched: Sequence[Chunk], number: int) -> Iterator[Example]:
        """Yield a row whose passages do not answer, where there are any; those searched come before others."""
        count = self._config.distractors + 1
        passages = list(searched[:count])
        away = [*searched, *self._holders.of(pair)]
        passages += self._distracting.like(pair, away, count - len(passages), number) if count > len(passages) else []
        Random(f"{self._config.seed} {pair.id} {number}").shuffle(passages)
        if passages:
            yield self._over(pair, passages, REFUSAL)

    def _over(self, pair: Pair, passages: Sequence[Chunk], answer: str) -> Example:
        blocks = [(heading_line(self._titles[chunk.document_id], chunk.heading_path), chunk.text) for chunk in passages]
        system, asked = ask_with_passages(pair.question, blocks)
        messages = (system, *pair.history, asked, Message(role="assistant", content=answer))
        return _example("open", messages, pair, tuple(chunk.id for chunk in passages))


def _turns(pairs: Sequence[Pair]) -> Iterator[Message]:
    for pair in pairs:
        yield Message(role="user", content=pair.question)
        yield Message(role="assistant", content=pair.answer)


def _example(style: str, messages: tuple[Message, ...], pair: Pair, chunk_ids: tuple[str, ...] = ()) -> Example:
    fields = {
        "id": identify("e_", style, [message.model_dump() for message in messages]),
        "style": style,
        "messages": messages,
        "pair_id": pair.id,
        "chunk_ids": chunk_ids,
    }
    return Example.model_validate(fields)
