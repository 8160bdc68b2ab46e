"""Generation as a whole: N exactly, spread over the corpus, a ledger that adds up, nothing asked for nothing."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.search import PassageSearch, Related
from doceo.core.config import GateConfig, GenerateConfig
from doceo.core.errors import CostCapReached, ProviderError, ReplyInvalid, ServerFailed, Unreachable
from doceo.core.fingerprint import sha256
from doceo.core.progress import Silent
from doceo.core.records import Chunk, Document, Draft, Message, Order, Pair, Span, Verdict
from doceo.text.passages import REFUSAL
from generator.carried import Asked, Carried, carried
from generator.corpus import Checked, Corpus, Crew
from generator.pipeline import Generated, generate

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


ERRORS: dict[str, type[ProviderError]] = {
    "invalid": ReplyInvalid,
    "dead": Unreachable,
    "passing": ServerFailed,
    "capped": CostCapReached,
}


class Teacher:
    """Gives the facts of a chunk that no known question is about; `spoil` decides what goes wrong with a call."""

    name = "openai:test"
    prompts = {"p": "h"}

    def __init__(
        self, *, exhaustive: bool = False, spoil: Callable[[int], str] = lambda n: "", shuffle: int | None = None
    ) -> None:
        self.exhaustive = exhaustive
        self.calls: list[Order] = []
        self._spoil = spoil
        self._luck = random.Random(shuffle) if shuffle is not None else None

    async def propose(self, order: Order, documents: Mapping[str, Document]) -> list[Draft]:
        self.calls.append(order)
        fault = self._spoil(len(self.calls))
        if self._luck is not None:
            await asyncio.sleep(self._luck.random() / 200)
        if fault in ERRORS:
            raise ERRORS[fault](fault, hint="none")
        if order.form != "pairs":
            return self._special(order)
        drafts = [draft for chunk in order.chunks for draft in self._of(chunk) if draft.question not in order.known]
        drafts = drafts if self.exhaustive else drafts[: order.n]
        if order.kinds:
            drafts = [draft.model_copy(update={"kind": order.kinds[0]}) for draft in drafts]
        if fault == "ungrounded":
            return [d.model_copy(update={"quotes": ("Words that stand nowhere at all in here.",)}) for d in drafts]
        if fault == "fewer":
            return drafts[:-1]
        if fault == "more":
            return [*drafts, *drafts]
        return drafts

    def _special(self, order: Order) -> list[Draft]:
        if order.form == "multi-turn":
            return self._turns(order)
        return [self._joined(order) if order.form == "multi-hop" else self._unanswerable(order)]

    def _of(self, chunk: Chunk) -> list[Draft]:
        return [self._draft(s.strip() + ".") for s in chunk.text.split(".") if s.strip()]

    def _draft(self, sentence: str) -> Draft:
        words = sentence.split()
        question = f"How much {words[-2]} water does the {words[1]} station number {words[4]} measure?"
        answer = " ".join(words[6:8])
        return Draft(question=question, answer=answer, quotes=(sentence,), kind="quantity", score=0.5)

    def _joined(self, order: Order) -> Draft:
        first, second = self._of(order.chunks[0])[0], self._of(order.chunks[1])[1]
        question = f"{first.question[:-1]} and {second.question[0].lower()}{second.question[1:]}"
        answer = f"{first.answer} and {second.answer}"
        return Draft(question=question, answer=answer, quotes=(*first.quotes, *second.quotes), kind="multi-hop")

    def _turns(self, order: Order) -> list[Draft]:
        first, second = self._of(order.chunk)[4:6]
        history = (Message(role="user", content=first.question), Message(role="assistant", content=first.answer))
        return [first, second.model_copy(update={"history": history, "question": f"And then, {second.question}"})]

    def _unanswerable(self, order: Order) -> Draft:
        name = order.chunk.text.split()[1]
        question = f"Which gardener planted the cherry hedge behind the {name} station?"
        return Draft(question=question, answer="", answerable=False, kind="unanswerable")

    async def reword(self, pair: Pair) -> str | None:
        number = pair.question.split("number ")[1].split()[0]
        named = " ".join(pair.question.split("does the ")[1].split()[:2])
        return f"What amount, in litres, is gauged at post {number} of {named}?"


class Neighbours(PassageSearch):
    """A search that takes the next passages for related ones: those of these corpora share no rare names."""

    def related(self, chunk: Chunk, n: int) -> list[Related]:
        at = self._chunks.index(chunk)
        return [Related(other, ()) for other in self._chunks[at + 1 : at + 2 + n]]


def make(
    c: Corpus,
    teacher: Teacher,
    pairs: int,
    *,
    crew: dict[str, Any] | None = None,
    before: Carried | None = None,
    gates: Sequence[Any] = ("form", "exact", "near", "grounding"),
    at_once: int = 1,
    **config: Any,
) -> Generated:
    config.setdefault("kinds", {"fact": 0})
    team = Crew(teacher=teacher, difficulty=lambda pair, chunks: "medium", **(crew or {}))
    wanted = GenerateConfig(pairs=pairs, **config)
    return asyncio.run(
        generate(c, team, wanted, GateConfig(), Silent(), gates=gates, at_once=at_once, before=before)
    )  # fmt: skip


def check(made: Generated, c: Corpus) -> None:
    text = c.documents[0].text
    assert made.ledger.accepted == len(made.pairs)
    assert sum(made.ledger.rejected.values()) == len(made.rejected)
    assert len({pair.id for pair in made.pairs}) == len(made.pairs)
    for pair in made.pairs:
        assert all(text[e.span.start : e.span.end] == e.quote for e in pair.evidence)
        assert bool(pair.evidence) == pair.answerable


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
    assert sum(order.n for order in teacher.calls) == 8


def test_every_chunk_is_asked_once_before_any_is_asked_twice() -> None:
    c = corpus(10)
    teacher = Teacher()
    made = make(c, teacher, 10, taught_share=0)
    assert Counter(order.chunk.id for order in teacher.calls) == Counter(chunk.id for chunk in c.chunks)
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
        make(corpus(40), Teacher(spoil=lambda n: "dead" if n >= 2 else ""), 40)


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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_never_changes_the_result(seed: int) -> None:
    faults = ["", "ungrounded", "", "fewer", "more"]

    def spoil_by_chunk(teacher: Teacher) -> Callable[[int], str]:
        return lambda n: faults[int(sha256(teacher.calls[-1].chunk.id), 16) % 5]

    def made(shuffle: int | None, at_once: int) -> Generated:
        teacher = Teacher(shuffle=shuffle)
        teacher._spoil = spoil_by_chunk(teacher)
        return make(corpus(14, unseen=3), teacher, 24, at_once=at_once)

    one, many = made(None, 1), made(seed, 7)
    assert [p.model_dump() for p in one.pairs] == [p.model_dump() for p in many.pairs]
    assert one.rejected == many.rejected
    assert one.ledger == many.ledger


def test_every_sort_of_pair_gets_its_share() -> None:
    c = corpus(30)
    mix = {"multi-hop": 10, "multi-turn": 10, "unanswerable": 10, "summary": 10}
    made = make(c, Teacher(), 40, crew={"search": Neighbours(c.chunks)}, kinds=mix, taught_share=0)
    check(made, c)
    kinds = Counter(pair.kind for pair in made.pairs)
    assert len(made.pairs) == 40
    assert kinds["multi-turn"] == kinds["unanswerable"] == 4
    assert 3 <= kinds["multi-hop"] <= 4 and 3 <= kinds["summary"] <= 4
    for pair in made.pairs:
        assert len(set(pair.chunk_ids)) == (2 if pair.kind == "multi-hop" else 1) or pair.kind == "unanswerable"
        assert bool(pair.history) == (pair.kind == "multi-turn")
        if pair.kind == "unanswerable":
            assert (pair.answer, len(pair.chunk_ids) > 1) == (REFUSAL, True)


def test_a_pair_never_joins_trained_and_kept_out_text() -> None:
    c = corpus(30, unseen=10)
    search = Neighbours(c.chunks)
    made = make(c, Teacher(), 30, crew={"search": search}, kinds={"multi-hop": 50}, taught_share=0)
    joined = [pair for pair in made.pairs if pair.kind == "multi-hop"]
    assert len(joined) > 5
    assert {len(c.unseen.intersection(pair.chunk_ids)) for pair in joined} <= {0, 2}


def test_a_failure_that_passes_costs_its_order_alone_once_the_server_has_answered() -> None:
    made = make(corpus(10), Teacher(spoil=lambda n: "passing" if n in (3, 5) else ""), 10, taught_share=0)
    assert len(made.pairs) == 10
    assert made.ledger.failed["server_failed"] == 2
    with pytest.raises(ServerFailed):
        make(corpus(10), Teacher(spoil=lambda n: "passing"), 10)
    with pytest.raises(ServerFailed):
        make(corpus(40), Teacher(spoil=lambda n: "passing" if n > 4 else ""), 40)


def test_the_cost_cap_ends_the_asking_and_keeps_what_came() -> None:
    made = make(corpus(20), Teacher(spoil=lambda n: "capped" if n > 6 else ""), 20, taught_share=0)
    assert len(made.pairs) == 6
    assert made.ledger.failed == {"cost_cap": 14}
    assert made.capped is not None


class Refusing:
    """A check by a model that refuses, fails or marks pairs, by the number of their question."""

    async def check(self, pair: Pair) -> Checked:
        number = int(re.sub(r"\D", "", pair.question)[-1])
        if number == 1:
            return Checked(Verdict(accepted=False, reason="roundtrip_open_book"), {"open_book": 0.0})
        if number == 2:
            raise ReplyInvalid("nonsense", hint="none")
        return Checked(None, {"open_book": 1.0}, "hard")


def test_checks_by_a_model_refuse_mark_and_measure() -> None:
    c = corpus(12)
    made = make(c, Teacher(), 30, crew={"checks": [Refusing()]}, at_once=5, taught_share=0, rounds=8)
    check(made, c)
    assert len(made.pairs) == 30
    assert made.ledger.rejected["roundtrip_open_book"] > 0 < made.ledger.rejected["unchecked"]
    assert {pair.difficulty for pair in made.pairs} == {"hard"}
    assert all(pair.scores["open_book"] == 1.0 for pair in made.pairs)


def test_local_documents_go_to_the_stand_in_alone() -> None:
    c = replace(corpus(6), local=frozenset({"d_1"}))
    asked, stand_in = Teacher(), Teacher()
    stand_in.name = "extractive"
    made = make(c, asked, 6, crew={"stand_in": stand_in}, taught_share=0)
    assert asked.calls == []
    assert {pair.teacher for pair in made.pairs} == {"extractive"}
    assert make(c, asked, 6, taught_share=0).pairs == asked.calls == []


def test_the_stand_in_fills_in_where_allowed() -> None:
    stand_in = Teacher()
    stand_in.name = "extractive"
    made = make(corpus(6), Teacher(spoil=lambda n: "invalid" if n % 2 else ""), 6,
                crew={"stand_in": stand_in, "fill_in": True}, taught_share=0)  # fmt: skip
    assert Counter(pair.teacher for pair in made.pairs) == {"extractive": 3, "openai:test": 3}
    assert made.ledger.failed == {}


def test_more_pairs_keep_those_that_were_made() -> None:
    c = corpus(12, unseen=2)
    first = make(c, Teacher(), 20)
    places = [
        Asked(chunk_id=x.id, span=x.span, text_sha256=x.text_sha256, asked=first.asked.get(x.id, 0)) for x in c.chunks
    ]
    kept = carried(first.pairs, first.rejected, places, c.chunks)
    teacher = Teacher()
    more = make(c, teacher, 30, before=kept)
    check(more, c)
    assert len(more.pairs) == 30
    assert {pair.id for pair in first.pairs} <= {pair.id for pair in more.pairs}
    assert sum(order.n for order in teacher.calls) <= 12


def test_an_edited_document_is_asked_about_only_where_it_changed() -> None:
    c = corpus(12)
    first = make(c, Teacher(), 12, taught_share=0)
    changed = c.chunks[5].text.replace("litres", "gallons")
    text = c.documents[0].text.replace(c.chunks[5].text, changed)
    now = rebuilt(c, text)
    places = [Asked(chunk_id=x.id, span=x.span, text_sha256=x.text_sha256, asked=1) for x in c.chunks]
    kept = carried(first.pairs, first.rejected, places, now.chunks)
    teacher = Teacher()
    made = make(now, teacher, 12, before=kept, taught_share=0)
    check(made, now)
    assert (kept.retired, len(made.pairs)) == (1, 12)
    assert [order.chunk.text for order in teacher.calls] == [changed]


def rebuilt(c: Corpus, text: str) -> Corpus:
    """The same passages in a document of another text and id."""
    document = c.documents[0].model_copy(update={"text": text, "id": "d_2"})
    chunks, start = [], 0
    for part in text.split("\n\n"):
        span = Span(document_id="d_2", start=start, end=start + len(part))
        chunks.append(
            Chunk(id=Chunk.identify(span), document_id="d_2", span=span, text=part, tokens=60, text_sha256=sha256(part))
        )
        start += len(part) + 2
    return Corpus([document], chunks, frozenset())


class Logged(Teacher):
    """A teacher that notes what it is asked, and answers later ones sooner, by their hash."""

    def __init__(self, luck: int) -> None:
        super().__init__()
        self.log: list[str] = []
        self._delay = luck

    async def propose(self, order: Order, documents: Mapping[str, Document]) -> list[Draft]:
        self.log.append("propose")
        await asyncio.sleep(int(sha256(f"{self._delay} {order.chunk.id}")[:2], 16) / 50_000)
        return await super().propose(order, documents)

    async def reword(self, pair: Pair) -> str | None:
        self.log.append("reword")
        await asyncio.sleep(int(sha256(f"{self._delay} {pair.id}")[:2], 16) / 50_000)
        return await super().reword(pair)


def test_rewordings_are_asked_for_while_pairs_are_still_written() -> None:
    c, teacher = corpus(40, unseen=4), Logged(1)
    made = make(c, teacher, 40, at_once=4, taught_share=0.25)
    check(made, c)
    assert Counter(teacher.log) == {"propose": 30, "reword": 10}
    last = len(teacher.log) - 1 - teacher.log[::-1].index("propose")
    assert "reword" not in teacher.log[last:]
    again = make(corpus(40, unseen=4), Logged(2), 40, at_once=9, taught_share=0.25)
    assert [pair.model_dump() for pair in made.pairs] == [pair.model_dump() for pair in again.pairs]


def test_a_pair_that_its_check_refuses_is_not_asked_about_again() -> None:
    c, teacher = corpus(12), Logged(1)
    made = make(c, teacher, 30, at_once=4, taught_share=0.2, crew={"checks": [Refusing()]}, rounds=8)
    check(made, c)
    assert len(made.pairs) == 30
    assert made.ledger.rejected["roundtrip_open_book"] > 0
    # A rewording that is begun waits for the check of its pair: none is paid for in vain.
    assert teacher.log.count("reword") == 6
