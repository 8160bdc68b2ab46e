"""The candidates: what passed every check so far, what did not and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from doceo.core.config import GateConfig
from doceo.core.records import Chunk, Draft, Evidence, Kind, Order, Pair, Rejected, Verdict
from doceo.text.passages import REFUSAL
from doceo.text.surrogates import without_surrogates
from generator.asking import Reply
from generator.carried import Carried
from generator.corpus import Corpus, Crew
from generator.dedupe import Repeats, asked
from generator.grounding import supported_share, verify
from generator.ledger import Tally
from generator.lines import fallen
from generator.quality import form_verdict
from generator.searched import SEARCHED, answered_in
from generator.teachers.llm import PROMPTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 64
"""Questions that are embedded together."""


class Pool:
    """Takes drafts through the checks that need no model, in the order in which they are offered.

    Args:
        corpus: What they are made from.
        crew: Who made them.
        gates: Names of the checks that run; evidence that cannot be located is always refused.
        config: Where the checks draw the line.
        repeats: The questions that exist already.
        tally: Counts what becomes of every draft.
        passed: Called with every pair that passed.
    """

    def __init__(
        self,
        corpus: Corpus,
        crew: Crew,
        gates: frozenset[str],
        config: GateConfig,
        repeats: Repeats,
        tally: Tally,
        passed: Callable[[Pair], None],
    ) -> None:
        self.pairs: dict[str, Pair] = {}
        self.vectors: dict[str, NDArray[np.float32]] = {}
        self.rejected: list[Rejected] = []
        self.known: dict[str, list[str]] = {}
        self._corpus, self._crew, self._gates, self._config = corpus, crew, gates, config
        self._repeats, self._tally, self._passed = repeats, tally, passed
        self._waiting: list[tuple[Pair, Verdict | None, Order]] = []

    def offer(self, reply: Reply) -> None:
        """Take in a reply's drafts. What becomes of them is known after `settle`."""
        for draft in reply.drafts:
            pair, verdict = self._pair(draft, reply)
            self.know(pair.question, [chunk.id for chunk in reply.order.chunks])
            if "form" in self._gates and (found := form_verdict(pair, reply.order.chunk.text)):
                self.reject(pair, found)
            else:
                self._waiting.append((pair, verdict, reply.order))
        if len(self._waiting) >= (BLOCK if self._crew.embed else 1):
            self.settle()

    def settle(self) -> None:
        """Decide on what waits: repeats and contradictions, then evidence."""
        waiting, self._waiting = self._waiting, []
        vectors = self._embedded([pair for pair, _, _ in waiting])
        for i, (pair, ungrounded, order) in enumerate(waiting):
            vector = None if vectors is None else vectors[i]
            if pair.id in self.pairs:
                self.reject(pair, Verdict(accepted=False, reason="exact", detail=f"the same pair as {pair.id}"))
            elif found := self._repeats.verdict(pair, vector, grounded=ungrounded is None):
                self._repeated(pair, found)
            elif ungrounded is not None:
                self.reject(pair, ungrounded)
            else:
                self._accept(self._measured(pair, order), vector)

    def reworded(self, pair: Pair, original: Pair) -> bool:
        """Take in a rewording of an accepted pair; return whether it passed."""
        chunk = self._corpus.chunk[pair.chunk_ids[0]]
        found = form_verdict(pair, chunk.text) if "form" in self._gates else None
        vectors = self._embedded([pair])
        vector = None if vectors is None else vectors[0]
        found = found or self._repeats.verdict(pair, vector, rewording_of=original)
        if found is not None:
            self.reject(pair, found)
            return False
        self._repeats.add(pair, vector)
        return True

    def reject(self, pair: Pair, verdict: Verdict) -> None:
        """Count a pair as rejected."""
        self.rejected.append(Rejected(pair=pair, verdict=verdict))
        self._tally.reject(verdict.reason)

    def know(self, question: str, chunk_ids: Sequence[str]) -> None:
        """Remember a question of chunks: the teacher is told not to ask it again."""
        for chunk_id in chunk_ids:
            self.known.setdefault(chunk_id, []).append(question)

    def withdraw(self, pair: Pair, verdict: Verdict) -> None:
        """Count a candidate as rejected after all; what it asked may be asked again."""
        if self.pairs.pop(pair.id, None) is not None:
            self._repeats.forget(pair.id)
            self.reject(pair, verdict)

    def fail(self, pair: Pair, reason: str) -> None:
        """Count a candidate as failed through no fault of its own."""
        if self.pairs.pop(pair.id, None) is not None:
            self._repeats.forget(pair.id)
            self._tally.fail(reason, 1)

    def improve(self, pair: Pair) -> None:
        """Put a candidate's scores and difficulty in, as a model's check found them."""
        if pair.id in self.pairs:
            self.pairs[pair.id] = pair

    def carry(self, before: Carried) -> list[Pair]:
        """Take in pairs that were accepted before, and return those rewordings that stand: they are no candidates.

        Of those in doubt, what its scores or an earlier pair speak against is rejected.
        """
        pairs = sorted(before.pairs, key=lambda pair: pair.id in before.doubted)
        vectors = self._embedded(pairs)
        for i, pair in enumerate(pairs):
            vector = None if vectors is None else vectors[i]
            self.know(pair.question, pair.chunk_ids)
            if pair.id in before.doubted and (found := self._fallen(pair, vector)):
                self.reject(pair, found)
                continue
            self._repeats.add(pair, vector)
            self._keep(pair, vector)
        kept: list[Pair] = []
        for pair in before.rewordings:
            if pair.id in before.doubted and (found := fallen(pair, self._config)):
                self.reject(pair, found)
            else:
                kept.append(pair)
        again = self._embedded(kept)
        for i, pair in enumerate(kept):
            self._repeats.add(pair, None if again is None else again[i])
        return kept

    def _fallen(self, pair: Pair, vector: NDArray[np.float32] | None) -> Verdict | None:
        """Return why a pair of an earlier generation does not stand; it is no ground for refusing another one."""
        return fallen(pair, self._config) or self._repeats.verdict(pair, vector, grounded=False)

    def _accept(self, pair: Pair, vector: NDArray[np.float32] | None) -> None:
        self._repeats.add(pair, vector)
        self._keep(pair, vector)
        self._passed(pair)

    def _measured(self, pair: Pair, order: Order) -> Pair:
        """Return an accepted pair with how much of its answer its passages hold, where that was checked."""
        if "grounding" not in self._gates or not pair.answerable:
            return pair
        share = round(supported_share(pair, order.chunks, self._corpus.document), 4)
        return pair.model_copy(update={"scores": {**pair.scores, "support": share}})

    def _keep(self, pair: Pair, vector: NDArray[np.float32] | None) -> None:
        self.pairs[pair.id] = pair
        if vector is not None:
            self.vectors[pair.id] = vector

    def _repeated(self, pair: Pair, verdict: Verdict) -> None:
        self.reject(pair, verdict)
        for other in self._repeats.retracted():
            if (earlier := self.pairs.pop(other, None)) is not None:
                detail = f"another answer to the same question: {pair.id}"
                self.reject(earlier, Verdict(accepted=False, reason="contradiction", detail=detail))

    def _embedded(self, pairs: Sequence[Pair]) -> NDArray[np.float32] | None:
        return self._crew.embed([asked(pair) for pair in pairs]) if self._crew.embed is not None and pairs else None

    def _pair(self, draft: Draft, reply: Reply) -> tuple[Pair, Verdict | None]:
        """Return a draft as a pair, with why its evidence is refused, if it is."""
        order, corpus = reply.order, self._corpus
        support = self._config.support if "grounding" in self._gates else None
        found = verify(draft, order.chunks, corpus.document, support)
        verdict = found if isinstance(found, Verdict) else None
        evidence: tuple[Evidence, ...] = () if isinstance(found, Verdict) else found
        # A model's JSON may hold half characters (\\ud800), which no file of ours can.
        question = without_surrogates(draft.question)
        answer = without_surrogates(draft.answer) if draft.answerable else REFUSAL
        chunks = _holding(evidence, order.chunks)
        if not draft.answerable and self._crew.search is not None:
            chunks = (*order.chunks, *self._crew.search.like(question, SEARCHED, without=order.chunks))
            if where := answered_in(question, chunks):
                detail = f"{where} seems to answer it"
                verdict = Verdict(accepted=False, reason="answerable_after_all", detail=detail)
        pair = Pair(
            id=Pair.identify(question, answer, evidence),
            question=question,
            answer=answer,
            answerable=draft.answerable,
            history=draft.history,
            rationale=without_surrogates(draft.rationale),
            evidence=evidence,
            chunk_ids=tuple(chunk.id for chunk in chunks),
            kind=_kind(draft, order),
            topic=corpus.topic_of(order.chunk),
            language=corpus.language[order.chunk.document_id] or "en",
            scores={"teacher": draft.score} if draft.score else {},
            teacher=reply.teacher.name,
            prompt_hash=_prompt_hash(reply),
        )
        return pair.model_copy(update={"difficulty": self._crew.difficulty(pair, chunks)}), verdict


def _prompt_hash(reply: Reply) -> str:
    """Return the hash of the prompt that an order was asked with; of a teacher with other prompts, its first."""
    prompts = reply.teacher.prompts
    return prompts.get(PROMPTS[reply.order.form]) or next(iter(prompts.values()), "")


def _kind(draft: Draft, order: Order) -> Kind:
    if not draft.answerable:
        return "unanswerable"
    if draft.history:
        return "multi-turn"
    return "multi-hop" if order.form == "multi-hop" else draft.kind


def _holding(evidence: Sequence[Evidence], chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """Return the chunks that hold the evidence; without evidence the first one."""
    held = [
        chunk
        for chunk in chunks
        if any(
            e.span.document_id == chunk.document_id and chunk.span.start <= e.span.start < chunk.span.end
            for e in evidence
        )
    ]
    return tuple(held or chunks[:1])
