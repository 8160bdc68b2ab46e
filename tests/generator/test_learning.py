"""What a run teaches: lines from keeps and drops, the mix from rejections, each with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from data.review import Decision
from doceo.core.config import GateConfig
from doceo.core.records import Document, Draft, Evidence, Message, Order, Pair, Rejected, Span, Verdict
from generator.carried import Asked, carried
from generator.learning import Learned, learned
from generator.lines import as_strict, fallen
from generator.planning import LLM_KINDS
from tests.generator.test_pipeline import WORDS as NAMES
from tests.generator.test_pipeline import Neighbours, Teacher, check, corpus, make

MIX = ("pairs", "multi-hop", "multi-turn", "unanswerable")


def pair(number: int, question: str = "", answer: str = "", **scores: float) -> Pair:
    evidence = (Evidence(span=Span(document_id="d", start=number, end=number + 1), quote="x"),)
    question = question or f"Who keeps the {NAMES[number % 17]} gate of house {number}?"
    return Pair(id=f"p_{number}", question=question, answer=answer or f"Ada {number}", evidence=evidence,
                scores=scores, teacher="t", prompt_hash="h")  # fmt: skip


def reviewed(pairs: list[Pair], dropped: set[str], gate: GateConfig | None = None, **more: object) -> Learned:
    """What a review teaches, once it has been applied."""
    decisions = [Decision(pair_id=one.id, decision="drop" if one.id in dropped else "keep") for one in pairs]
    out = [Rejected(pair=one, verdict=Verdict(accepted=False, reason="review")) for one in pairs if one.id in dropped]
    left = [one for one in pairs if one.id not in dropped]
    return learned(left, out, decisions, gate or GateConfig(), {}, **more)  # type: ignore[arg-type]


def said(found: Learned, line: str) -> str:
    (change,) = (change for change in found.changes if change.what == f"gate {line}")
    return str(change)


@pytest.mark.parametrize("name", ["support", "agreement"])
def test_drops_below_a_score_raise_its_line(name: str) -> None:
    pairs = [pair(i, **{name: 0.6 if i < 8 else 0.9}) for i in range(40)]
    found = reviewed(pairs, {f"p_{i}" for i in range(7)})
    assert getattr(found.gate, name) == 0.8
    assert found.gate.model_copy(update={name: 0.5}) == GateConfig()
    assert "0.8 refuses 7 of 7 dropped and 1 of 33 kept (p = 0.0005" in said(found, name)
    assert reviewed(pairs[::-1], {f"p_{i}" for i in range(7)}) == found


def test_the_judges_line_is_a_whole_mark() -> None:
    def marks(low: int) -> dict[str, float]:
        return {f"judge_{point}": 2.0 for point in ("clarity", "correctness", "completeness")} | {"judge_worth": low}

    pairs = [pair(i, **marks(1 if i < 8 else 2)) for i in range(40)]
    found = reviewed(pairs, {f"p_{i}" for i in range(8)})
    assert (found.gate.judge, type(found.gate.judge)) == (2, int)


def test_a_line_stays_and_says_why() -> None:
    pairs = [pair(i, support=0.6 + (i % 5) / 10) for i in range(40)]
    few = reviewed(pairs[:19], {f"p_{i}" for i in range(6)})
    assert "6 drops and 13 keeps have a say in it; it takes 20 decisions, 5 of either" in said(few, "support")
    assert "4 drops" in said(reviewed(pairs, {f"p_{i}" for i in range(4)}), "support")
    luck = reviewed(pairs, {f"p_{i}" for i in (0, 6, 10, 12, 18, 29, 35)})
    assert "that can be chance" in said(luck, "support")
    same = reviewed([pair(i, support=1.0) for i in range(40)], {f"p_{i}" for i in range(9)})
    assert "no line would refuse more of the dropped than of the kept" in said(same, "support")
    for found in (few, luck, same):
        assert found.gate == GateConfig()
        assert not any(change.changed for change in found.changes)
    assert learned(pairs, [], [], GateConfig(), {}).changes == ()


def twins(n: int, end: str) -> list[Pair]:
    """n couples of questions with one answer, at two places: the same words but for an end."""
    pairs = []
    for i in range(n):
        asked = f"When does the {NAMES[i % 17]} museum of house {i} open its large wooden doors"
        answer = f"at {i + 1} o'clock"
        pairs += [pair(2 * i, f"{asked}?", answer), pair(2 * i + 1, f"{asked} {end if i > 7 else 'today'}?", answer)]
    return pairs


def test_one_of_two_alike_dropped_lowers_the_line_of_repeats() -> None:
    pairs, gate = twins(24, "of a weekday"), GateConfig(near=0.95)
    dropped = {f"p_{2 * i}" for i in range(8)}
    found = reviewed(pairs, dropped, gate)
    assert found.gate.near == 0.9
    assert "0.9 refuses 8 of 8 dropped and 0 of 16 kept" in said(found, "near")
    # Two that are both dropped tell nothing of each other.
    assert "(n = 16)" in said(reviewed(pairs, dropped | {f"p_{2 * i + 1}" for i in range(8)}, gate), "near")


def test_vectors_move_the_line_that_compares_them() -> None:
    luck, vectors = np.random.default_rng(0), {}
    pairs = twins(24, "of a weekday, a Sunday or a holiday of the town council")
    for i in range(24):
        first, other = np.linalg.qr(luck.normal(size=(400, 2)))[0].T
        cosine = 0.85 if i < 8 else 0.65
        vectors[f"p_{2 * i}"] = first.astype(np.float32)
        vectors[f"p_{2 * i + 1}"] = (cosine * first + (1 - cosine**2) ** 0.5 * other).astype(np.float32)
    found = reviewed(pairs, {f"p_{2 * i}" for i in range(8)}, vectors=vectors)
    assert found.gate.semantic == pytest.approx(0.75, abs=0.06)
    assert "refuses 8 of 8 dropped and 0 of 16 kept" in said(found, "semantic")
    assert "0 drops and 0 keeps" in said(found, "contradiction")


def test_a_kind_that_fails_is_asked_for_less_from_round_to_round() -> None:
    class Failing(Teacher):
        prompts = dict(zip(("generate_pairs", "multi_hop", "multi_turn", "unanswerable"), MIX, strict=True))

        async def propose(self, order: Order, documents: Mapping[str, Document]) -> list[Draft]:
            drafts = await super().propose(order, documents)
            return [d.model_copy(update={"quotes": d.quotes[:1]}) if d.kind == "multi-hop" else d for d in drafts]

    c = corpus(60)
    asked = {}
    for kinds in ({}, LLM_KINDS):
        teacher = Failing()
        made = make(c, teacher, 120, crew={"search": Neighbours(c.chunks)}, kinds=kinds, taught_share=0)
        check(made, c)
        assert len(made.pairs) == 120 or kinds
        asked[bool(kinds)] = Counter(order.form for order in teacher.calls)["multi-hop"]
        change = next(change for change in made.learned if change.what == "kinds multi-hop")
        assert (change.was, change.to == 10) == (10, bool(kinds))
        # The files of the run teach the same as its rounds did.
        after = learned(made.pairs, made.rejected, [], GateConfig(), LLM_KINDS, named=bool(kinds))
        assert (after.kinds["multi-hop"] == 10) == bool(kinds)
    assert 12 <= asked[False] < asked[True]


def test_carried_pairs_meet_the_new_lines_unless_a_person_kept_them() -> None:
    c = corpus(12)
    first = make(c, Teacher(), 20, taught_share=0)
    assert {one.scores["support"] for one in first.pairs} == {1.0}
    luck = Random(2)
    low = {one.id for one in luck.sample(first.pairs, 6)}
    pairs = [one.model_copy(update={"scores": {"support": 0.4}}) if one.id in low else one for one in first.pairs]
    places = [Asked(chunk_id=x.id, span=x.span, text_sha256=x.text_sha256, asked=2) for x in c.chunks]
    kept = sorted(low)[:2]
    before = carried(pairs, first.rejected, places, c.chunks)
    doubted = frozenset(one.id for one in pairs) - {*kept}
    again = make(c, Teacher(), 20, before=replace(before, doubted=doubted), taught_share=0)
    check(again, c)
    ids = {one.id for one in again.pairs}
    assert low & ids == {*kept}
    assert {one.id for one in pairs} - low <= ids
    fell = [line for line in again.rejected if line.pair.id in low]
    assert {line.verdict.reason for line in fell} == {"answer_not_supported"}
    assert len(fell) == 4
    assert len(again.pairs) == 20


def test_lines_and_scores() -> None:
    gate, strict = GateConfig(), GateConfig(near=0.7, support=0.6, judge=2)
    assert as_strict(strict.model_dump(), gate.model_dump()) and as_strict(gate.model_dump(), gate.model_dump())
    assert not as_strict(gate.model_dump(), strict.model_dump())
    assert not as_strict(strict.model_dump(), {"near": 1.0})
    assert fallen(pair(1, support=0.55, agreement=0.1), gate) is None
    for scores, reason in (({"support": 0.55}, "answer_not_supported"), ({"judge_worth": 1.0}, "judge_worth")):
        verdict = fallen(pair(1, **scores), strict)
        assert verdict is not None and verdict.reason == reason
    turns = pair(1).model_copy(update={"history": (Message(role="user", content="?"),)})
    assert fallen(turns, strict) is None
