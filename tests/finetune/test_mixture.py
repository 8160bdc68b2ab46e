"""Several sources become one file of rows: shares, copies, places and weights are kept, and the seed decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.errors import InputError, UsageError
from finetune.checks import load_rows
from finetune.mixture import Source, is_plain, mix, source_of


def _questions(path: Path, count: int, word: str) -> Path:
    rows = [{"instruction": f"{word} {n}?", "output": f"{n}."} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    chat = tmp_path / "chat.jsonl"
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "Who?"), ("assistant", "Ada.")]
    messages: list[dict[str, object]] = [{"role": role, "content": content} for role, content in turns]
    messages[1]["weight"] = 0
    chat.write_text(json.dumps({"messages": messages}) + "\n")
    return _questions(tmp_path / "many.jsonl", 20, "What is"), chat


def test_an_argument_is_a_file_and_perhaps_a_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a=2").touch()
    assert source_of("rows.jsonl") == Source("rows.jsonl", 1)
    assert source_of("rows.jsonl=0.3") == Source("rows.jsonl", 0.3)
    assert source_of("hf:tatsu-lab/alpaca=2") == Source("hf:tatsu-lab/alpaca", 2)
    assert source_of("a=2") == Source("a=2", 1)
    for wrong in ("rows.jsonl=", "rows.jsonl=x", "rows.jsonl=0", "rows.jsonl=-1", "rows.jsonl=nan", "rows.jsonl=1e9"):
        with pytest.raises(UsageError, match="no share of rows"):
            source_of(wrong)


@given(st.text(max_size=12))
def test_no_argument_whatsoever_is_a_crash(text: str) -> None:
    try:
        assert 0 < source_of(text).times <= 100
    except UsageError:
        assert "=" in text


def test_shares_and_copies(tmp_path: Path, files: tuple[Path, Path]) -> None:
    many, chat = files
    to = tmp_path / "mixed.jsonl"
    first, second = mix([Source(str(many), 0.3), Source(str(chat), 3)], to, seed=1)
    assert (first.rows, first.taken, first.forms) == (20, 6, {"alpaca": 20})
    assert (second.rows, second.taken) == (1, 3)
    checked = load_rows(to)
    assert len(checked.rows) == 9
    assert not checked.repeated
    assert all(row.unit == "many.jsonl, line" for row in checked.rows[:6])
    assert checked.rows[6].place == "chat.jsonl, line 1"
    assert checked.rows[6].taught == (3,)


def test_the_seed_decides_and_nothing_else(tmp_path: Path, files: tuple[Path, Path]) -> None:
    many, chat = files

    def mixed(*sources: Source, seed: int = 0) -> list[str]:
        mix(list(sources), tmp_path / "mixed.jsonl", seed)
        return (tmp_path / "mixed.jsonl").read_text().splitlines()

    half = Source(str(many), 0.5)
    assert mixed(half) == mixed(half)
    assert mixed(half) != mixed(half, seed=1)
    assert mixed(Source(str(chat)), half)[1:] == mixed(half)
    assert len(set(mixed(Source(str(many), 2.5)))) == 50


def test_rows_of_two_sources_that_say_the_same_are_taken_once(tmp_path: Path) -> None:
    one, other = _questions(tmp_path / "a.jsonl", 3, "What is"), _questions(tmp_path / "b.jsonl", 4, "What is")
    mix([Source(str(one)), Source(str(other))], tmp_path / "mixed.jsonl", 0)
    checked = load_rows(tmp_path / "mixed.jsonl")
    assert len(checked.rows) == 4
    assert checked.repeated == ["b.jsonl, line 1", "b.jsonl, line 2", "b.jsonl, line 3"]


def test_plain_text_keeps_its_ends(tmp_path: Path) -> None:
    text = tmp_path / "book.txt"
    text.write_text("\n\n".join(f"Line {n} of the book. " * 60 for n in range(9)))
    mix([Source(str(text))], tmp_path / "mixed.jsonl", 0)
    rows = load_rows(tmp_path / "mixed.jsonl").rows
    assert "".join(row.text for row in rows) == text.read_text()
    assert [row.ends for row in rows] == [False] * (len(rows) - 1) + [True]


def test_faulty_rows_are_refused_or_left_out(tmp_path: Path, files: tuple[Path, Path]) -> None:
    many, _ = files
    many.write_text(many.read_text() + "{}\n")
    with pytest.raises(InputError, match="line 21, instruction"):
        mix([Source(str(many))], tmp_path / "mixed.jsonl", 0)
    (taken,) = mix([Source(str(many))], tmp_path / "mixed.jsonl", 0, skip_faulty=True)
    assert (taken.taken, taken.faulty) == (20, 1)
    assert "1 faulty and left out" in taken.said()
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    with pytest.raises(InputError, match="cannot be trained on"):
        mix([Source(str(bad))], tmp_path / "mixed.jsonl", 0, skip_faulty=True)


def test_a_source_named_twice_is_refused(tmp_path: Path, files: tuple[Path, Path]) -> None:
    again = files[0].parent / "." / ".." / files[0].parent.name / files[0].name
    for name in (files[0], again):
        with pytest.raises(UsageError, match="named twice"):
            mix([Source(str(files[0])), Source(str(name), 2)], tmp_path / "mixed.jsonl", 0)


def test_only_one_whole_file_is_used_as_it_is() -> None:
    assert is_plain([Source("a.jsonl")])
    assert not is_plain([Source("a.jsonl", 2)])
    assert not is_plain([Source("a.jsonl")], skip_faulty=True)
    assert not is_plain([Source("hf:a/b")])
    assert not is_plain([Source("a.jsonl"), Source("b.jsonl")])
