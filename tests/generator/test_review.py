"""A review moves pairs, never counts: the ledger adds up whatever was decided."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.review import Decision, Review
from doceo.core.errors import InputError
from doceo.core.records import Ledger, Pair, Rejected, Verdict
from generator.review import apply_review, read_decisions

IDS = [f"p_{n}" for n in range(8)]
decisions = st.lists(
    st.builds(Decision, pair_id=st.sampled_from([*IDS, "p_x"]), decision=st.sampled_from(["keep", "drop"])),
    unique_by=lambda decision: decision.pair_id,
)  # fmt: skip


def pair(pair_id: str) -> Pair:
    return Pair(id=pair_id, question=f"{pair_id}?", answer="a", teacher="t")


def start() -> tuple[list[Pair], list[Rejected], Ledger]:
    rejected = [Rejected(pair=pair(i), verdict=Verdict(accepted=False, reason="form")) for i in IDS[5:]]
    ledger = Ledger(requested=9, asked=9, accepted=5, rejected={"form": 3}, failed={"odd": 1})
    return [pair(i) for i in IDS[:5]], rejected, ledger


@given(st.lists(decisions, max_size=4))
def test_the_ledger_adds_up_after_any_reviews(reviews: list[list[Decision]]) -> None:
    pairs, rejected, ledger = start()
    for review in reviews:
        done = apply_review(pairs, rejected, ledger, review)
        pairs, rejected, ledger = done.pairs, done.rejected, done.ledger
        assert sorted([p.id for p in pairs] + [line.pair.id for line in rejected]) == IDS
        assert ledger.accepted == len(pairs)
        assert ledger.rejected == Counter(line.verdict.reason for line in rejected)
        assert (ledger.requested, ledger.asked, ledger.failed) == (9, 9, {"odd": 1})
        wanted = {decision.pair_id: decision.decision for decision in review}
        assert not {p.id for p in pairs} & {i for i, what in wanted.items() if what == "drop"}
        again = apply_review(pairs, rejected, ledger, review)
        assert (again.pairs, again.rejected, again.ledger) == (pairs, rejected, ledger)


def test_what_a_review_did_is_said() -> None:
    first = [Decision(pair_id="p_0", decision="drop", note="wrong year"), Decision(pair_id="p_1", decision="keep")]
    done = apply_review(*start(), first)
    assert (done.kept, done.dropped, done.restored, done.unknown) == (1, 1, 0, ())
    assert done.rejected[-1].verdict == Verdict(accepted=False, reason="review", detail="wrong year")
    back = [Decision(pair_id="p_0", decision="keep"), Decision(pair_id="p_6", decision="keep")]
    undone = apply_review(done.pairs, done.rejected, done.ledger, back)
    assert (undone.dropped, undone.restored, undone.unknown) == (0, 1, ("p_6",))
    assert [p.id for p in undone.pairs] == ["p_1", "p_2", "p_3", "p_4", "p_0"]
    assert "review" not in undone.ledger.rejected


def test_a_review_is_read_or_named(tmp_path: Path) -> None:
    path = tmp_path / "review.json"
    one = {"pair_id": "p_0", "decision": "drop", "note": "x"}
    path.write_text(json.dumps({"run": "r", "decisions": [one]}))
    assert read_decisions(path) == (Decision(pair_id="p_0", decision="drop", note="x"),)
    for bad, words in (
        ({"run": "r", "decisions": [one, {**one, "decision": "maybe"}]}, r"decisions\.1\.decision"),
        ({"run": "r", "decisions": [one, one]}, "p_0 is decided on twice"),
        ({"run": "r"}, "decisions: Field required"),
        ([], "review.json: Input should be"),
    ):
        path.write_text(json.dumps(bad))
        with pytest.raises(InputError, match=words):
            read_decisions(path)
    path.write_text("{")
    with pytest.raises(InputError, match="Invalid JSON"):
        read_decisions(path)
    with pytest.raises(InputError, match="no file"):
        read_decisions(tmp_path / "other.json")


def test_later_decisions_win() -> None:
    early = Review(run="r", decisions=(Decision(pair_id="a", decision="drop"), Decision(pair_id="b", decision="drop")))
    late = Review(run="r", decisions=(Decision(pair_id="a", decision="keep"),))
    assert {d.pair_id: d.decision for d in late.over(early).decisions} == {"a": "keep", "b": "drop"}
