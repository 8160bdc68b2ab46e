"""What a command says of what it replaces, and of how runs and files are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.store import Run
from doceo.app.evaluated import _names
from doceo.app.runs import existing_run
from doceo.app.stages.replaced import pairs_replaced, questions_replaced, shares_reached
from doceo.core.errors import RunError
from doceo.core.records import Pair


def test_pairs_and_test_questions_that_stand_no_longer_are_counted() -> None:
    assert pairs_replaced("abcd", "abxyz") == "2 of the 4 pairs that stood here are replaced by others."
    assert pairs_replaced("ab", "abc") == pairs_replaced("", "abc") == ""
    assert questions_replaced("abcd", "abxyz").startswith(
        "The test questions change: 2 of 4 are asked no more, 3 are new."
    )
    assert questions_replaced("ab", "ba") == questions_replaced("", "ab") == ""


def test_what_was_reached_of_the_shares_that_were_wanted_is_said() -> None:
    pairs = [Pair.model_construct(topic="boats" if n < 3 else "birds") for n in range(5)]
    assert shares_reached(pairs, {"boats": 90.0, "bells": 2.5}) == (
        "Topics: \u201cboats\u201d 60% (3 of 5 pairs; 90% were wanted); "
        "\u201cbells\u201d 0% (0 of 5 pairs; 2.5% were wanted)."
    )
    assert shares_reached(pairs, {}) == ""


def test_a_round_of_a_loop_is_never_called_by_its_number_alone() -> None:
    home = Path("/runs")
    assert _names([home / "a", home / "loop" / "rounds" / "gap-0" / "2"]) == ["a", "gap-0/2"]
    rounds = [home / "loop" / "rounds" / arm / "2" for arm in ("gap-0", "even-0")]
    assert _names(rounds) == ["gap-0/2", "even-0/2"]
    assert _names([home / "a", home / "b"]) == ["a", "b"]


def test_a_file_that_is_named_as_a_run_says_how_it_becomes_one(tmp_path: Path) -> None:
    chats = tmp_path / "chats.jsonl"
    chats.write_text("{}\n")
    with pytest.raises(RunError, match="is a file, not a run") as caught:
        existing_run(str(chats))
    assert f"doceo import --traces {chats}" in caught.value.hint
    (tmp_path / "run").mkdir()
    assert isinstance(existing_run(str(tmp_path / "run")), Run)
