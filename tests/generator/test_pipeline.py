"""Generation as a whole: N exactly, spread over the corpus, a ledger that adds up, nothing asked for nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.config import GenerateConfig
from doceo.core.errors import ReplyInvalid, Unreachable
from doceo.core.fingerprint import sha256
from doceo.core.progress import Silent
from doceo.core.records import Chunk, Document, Draft, Pair, Span
from generator.pipeline import Corpus, Generated, generate
from generator.plan import orders

FACTS = 6
WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "islet",
    "jetty",
    "knoll",
    "ledge",
    "marsh",
    "north",
    "ocean",
    "pines",
    "quarry",
    "ridge",
]


def corpus(n: int, unseen: int = 0) -> Corpus:
    """n chunks of one document, each with facts of its own."""
    parts = [
        " ".join(
            f"The {WORDS[c % 18]}{c} station number {f} measures {100 * c + f} litres of {WORDS[f]} water."
            for f in range(FACTS)
        )
        for c in range(n)
    ]
    text = "\n\n".join(parts)
    document = Document(id="d_1", source="a.md", media_type="text/markdown", title="A", text=text, sha256=sha256(text))
    chunks, start = [], 0
    for part in parts:
        span = Span(document_id="d_1", start=start, end=start + len(part))
        chunks.append(
            Chunk(id=Chunk.identify(span), document_id="d_1", span=span, text=part, tokens=60, text_sha256=sha256(part))
        )
        start += len(part) + 2
    return Corpus([document], chunks, frozenset(chunk.id for chunk in chunks[:unseen]))


class Teacher:
    """Gives the facts of a chunk one after the other; `spoil` decides what goes wrong with a call."""

    name = "openai:test"
    prompts = {"p": "h"}

    def __init__(self, *, exhaustive: bool = False, spoil: Callable[[int], str] = lambda n: "") -> None:
        self.exhaustive = exhaustive
        self.calls: list[tuple[str, int]] = []
        self._given: Counter[str] = Counter()
        self._spoil, self._lock = spoil, threading.Lock()

    def propose(self, chunk: Chunk, document: Document, n: int) -> list[Draft]:
        with self._lock:
            self.calls.append((chunk.id, n))
            fault = self._spoil(len(self.calls))
        if fault == "invalid":
            raise ReplyInvalid("nonsense", hint="none")
        if fault == "dead":
            raise Unreachable("nobody there", hint="none")
        sentences = [s.strip() + "." for s in chunk.text.split(".") if s.strip()]
        start = self._given[chunk.id]
        wanted = sentences if self.exhaustive else sentences[start : start + n]
        self._given[chunk.id] += len(wanted)
        drafts = [self._draft(sentence) for sentence in wanted]
        if fault == "ungrounded":
            return [d.model_copy(update={"quote": "Words that stand nowhere in this document at all."}) for d in drafts]
        if fault == "fewer":
            return drafts[:-1]
        if fault == "more":
            return [*drafts, *drafts]
        return drafts

    def _draft(self, sentence: str) -> Draft:
        words = sentence.split()
        question = f"How much {words[-2]} water does the {words[1]} station number {words[4]} measure?"
        return Draft(question=question, answer=" ".join(words[6:8]), quote=sentence, kind="quantity", score=0.5)

    def reword(self, pair: Pair) -> str | None:
        return (
            pair.question.replace("How much", "What amount of")
            .replace("does", "is it that")
            .replace("measure?", "measures?")
        )


def make(c: Corpus, teacher: Teacher, pairs: int, **config: float) -> Generated:
    return generate(c, teacher, GenerateConfig(pairs=pairs, concurrency=1, **config), Silent())  # type: ignore[arg-type]


def check(made: Generated, c: Corpus) -> None:
    text = c.documents[0].text
    assert made.ledger.accepted == len(made.pairs)
    assert sum(made.ledger.rejected.values()) == len(made.rejected)
    assert len({pair.id for pair in made.pairs}) == len(made.pairs)
    for pair in made.pairs:
        assert all(text[e.span.start : e.span.end] == e.quote for e in pair.evidence)
        assert pair.evidence


@pytest.mark.parametrize("exhaustive", [True, False])
def test_exactly_n_with_rewordings_of_trained_facts(exhaustive: bool) -> None:
    c = corpus(12, unseen=3)
    made = make(c, Teacher(exhaustive=exhaustive), 30, taught_share=0.2)
    check(made, c)
    assert len(made.pairs) == made.ledger.requested == 30
    again = [pair for pair in made.pairs if pair.question.startswith("What amount")]
    assert len(again) == 6
    assert not any(c.unseen.intersection(pair.chunk_ids) for pair in again)
    facts = {pair.evidence for pair in made.pairs if pair not in again}
    assert all(pair.evidence in facts for pair in again)


def test_few_pairs_are_spread_over_the_whole_corpus() -> None:
    c = corpus(40)
    teacher = Teacher()
    made = make(c, teacher, 8, taught_share=0)
    places = sorted(c.chunks.index(next(x for x in c.chunks if x.id == pair.chunk_ids[0])) for pair in made.pairs)
    assert len(places) == 8
    assert max(b - a for a, b in zip([0, *places], [*places, 39], strict=True)) <= 6
    assert sum(n for _, n in teacher.calls) == 8


def test_every_chunk_is_asked_once_before_any_is_asked_twice() -> None:
    c = corpus(10)
    teacher = Teacher()
    made = make(c, teacher, 10, taught_share=0)
    assert Counter(chunk for chunk, _ in teacher.calls) == Counter(chunk.id for chunk in c.chunks)
    assert made.ledger.asked == 10


def test_rejected_pairs_are_replaced_until_n_is_reached() -> None:
    c = corpus(10)
    made = make(c, Teacher(spoil=lambda n: "ungrounded" if n % 3 == 0 else ""), 12, taught_share=0)
    check(made, c)
    assert len(made.pairs) == 12
    assert made.ledger.rejected["quote_not_found"] >= 3


def test_a_corpus_that_is_too_small_says_so_in_the_ledger() -> None:
    c = corpus(2)
    made = make(c, Teacher(), 100, taught_share=0, rounds=6)
    check(made, c)
    assert len(made.pairs) == 2 * FACTS
    assert made.ledger.failed["not_returned"] > 0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["", "invalid", "ungrounded", "fewer", "more"]), min_size=1, max_size=7),
    st.integers(1, 40),
)
def test_the_ledger_adds_up_whatever_goes_wrong(faults: list[str], n: int) -> None:
    c = corpus(6, unseen=1)
    made = make(c, Teacher(spoil=lambda call: faults[call % len(faults)]), n)
    check(made, c)
    assert len(made.pairs) <= n


def test_an_unusable_teacher_stops_everything() -> None:
    with pytest.raises(Unreachable):
        make(corpus(5), Teacher(spoil=lambda n: "dead" if n == 2 else ""), 5)


def test_the_same_seed_gives_the_same_pairs() -> None:
    first, second = (make(corpus(9, unseen=2), Teacher(exhaustive=True), 20) for _ in range(2))
    assert [p.model_dump() for p in first.pairs] == [p.model_dump() for p in second.pairs]


def test_duplicates_are_counted_not_kept() -> None:
    c = corpus(4)
    made = make(c, Teacher(spoil=lambda n: "more"), 8, taught_share=0)
    check(made, c)
    questions = [" ".join(pair.question.lower().split()) for pair in made.pairs]
    assert len(set(questions)) == len(questions)
    assert made.ledger.rejected["exact"] > 0


@pytest.mark.parametrize("gates", [(), ("form",), ("near",), ("form", "near"), ("exact",)])
def test_every_choice_of_gates_keeps_the_ledger(gates: tuple[str, ...]) -> None:
    c = corpus(4)
    made = make(c, Teacher(spoil=lambda n: "more"), 8, gates=gates)  # type: ignore[arg-type]
    check(made, c)
    assert len({" ".join(pair.question.lower().split()) for pair in made.pairs}) == len(made.pairs) == 8


def test_orders_share_by_size_and_stop_at_the_limit() -> None:
    chunks = corpus(3).chunks
    assert [o.n for o in orders(chunks, 100, 4, set(), {})] == [4, 4, 4]
    assert orders(chunks, 5, 4, {chunk.id for chunk in chunks}, {}) == []
    assert [o.chunk for o in orders(chunks, 1, 4, set(), {chunks[0].id: 1, chunks[1].id: 1})] == [chunks[2]]
