"""Faulty rows are named by line and field; good ones come through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doceo.core.errors import InputError
from finetune.checks import check_rows, load_rows

GOOD = {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada."}]}


def _user(content: object = "Who?") -> dict[str, object]:
    return {"role": "user", "content": content}


def _assistant(content: object = "Ada.") -> dict[str, object]:
    return {"role": "assistant", "content": content}


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ({"prompt": "x"}, "messages", "missing (found prompt)"),
        ({"messages": []}, "messages", "not a list"),
        ({"messages": "hello"}, "messages", "not a list"),
        ({"messages": ["hello"]}, "messages[0]", "not an object"),
        ({"messages": [_user(), _assistant(None)]}, "messages[1].content", "NoneType"),
        ({"messages": [_user(), _assistant("  ")]}, "messages[1].content", "empty"),
        ({"messages": [{"role": "human", "content": "x"}, _assistant()]}, "messages[0].role", "'human'"),
        ({"messages": [_user()]}, "messages[0].role", "end with the assistant"),
        ({"messages": [_assistant()]}, "messages[0].role", "user comes here"),
        ({"messages": [_user(), _user(), _assistant()]}, "messages[1].role", "assistant comes here"),
        ({"messages": [_user(), {**_assistant(), "weight": 0}]}, "messages[1]", "weight"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, row: dict[str, object], field: str, words: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n" + json.dumps(row) + "\n")
    checked = check_rows(path)
    assert len(checked.rows) == 1
    (problem,) = checked.problems
    assert (problem.line, problem.field) == (3, field)
    assert words in str(problem)
    with pytest.raises(InputError, match="line 3"):
        load_rows(path)


def test_repeated_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text((json.dumps(GOOD) + "\n") * 3)
    checked = load_rows(path)
    assert [row.line for row in checked.rows] == [1]
    assert checked.repeated == [2, 3]


def test_a_long_list_of_faults_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"messages": []}\n' * 20)
    with pytest.raises(InputError, match="and 12 more"):
        load_rows(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "holds no rows"), (b"{not json}\n", "line 1: not JSON"), (b'{"messages": "\xff\xfe"}\n', "not JSON")],
)
def test_files_that_are_no_rows(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        load_rows(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_rows(tmp_path / "none.jsonl")
