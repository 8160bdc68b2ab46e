"""Faulty rows are named by line and field, with the cure; good ones of every format come through."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.errors import InputError
from finetune.checks import check_rows, load_rows

from .broken_files import BROKEN, GOOD, Broken, assistant, chat, user


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_each_fault_is_named_with_line_field_and_cure(tmp_path: Path, broken: Broken) -> None:
    path = tmp_path / broken.name
    path.write_bytes(broken.content)
    problem = check_rows(path).problems[0]
    assert (problem.line, problem.field) == (broken.line, broken.field)
    assert broken.what in problem.what
    assert broken.cure in problem.fix
    with pytest.raises(InputError) as caught:
        load_rows(path)
    assert f"{problem.unit} {broken.line}, {broken.field}: " in str(caught.value)
    assert broken.cure in str(caught.value)


def test_the_rows_around_a_fault_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([GOOD, b"{", chat(user("And?"), assistant())]))
    checked = check_rows(path)
    assert [row.line for row in checked.rows] == [1, 3]
    assert len(checked.problems) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD + b"\n",
        GOOD + b"\r\n",
        b"\r\n" + GOOD,
        b"[" + GOOD + b"]",
        b" [\n" + GOOD + b"\n]\n",
        GOOD,
    ],
    ids=["BOM", "CRLF", "blank lines", "array", "array over lines", "no line end"],
)
def test_files_that_only_look_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    (row,) = load_rows(path).rows
    assert [m.content for m in row.messages] == ["Who?", "Ada."]


def test_repeated_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes((GOOD + b"\n") * 3)
    checked = load_rows(path)
    assert [row.line for row in checked.rows] == [1]
    assert checked.repeated == ["line 2", "line 3"]


def test_a_long_list_of_faults_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(b'{"a%d": 1}\n' % n for n in range(20)) + GOOD)
    with pytest.raises(InputError, match="and 12 other faults") as caught:
        load_rows(path)
    assert "1 rows are good" in caught.value.hint


def test_a_fault_that_many_rows_have_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"messages": []}\n' * 20 + chat(user(), user()))
    with pytest.raises(InputError, match=r"\(also line 2, line 3 and 17 more\)\n  line 21") as caught:
        load_rows(path)
    assert "--skip-faulty" not in caught.value.hint  # no row would be left


def test_faulty_rows_to_validate_on_are_not_skipped(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}\n" + GOOD)
    for to_train in (True, False):
        with pytest.raises(InputError) as caught:
            load_rows(path, to_train=to_train)
        assert ("--skip-faulty" in caught.value.hint) == to_train


def test_a_text_that_no_tokenizer_should_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.contents.LONGEST", 100)
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"text": "x" * 100}, {"text": "x" * 101}]))
    (problem,) = check_rows(path).problems
    assert str(problem) == "row 2, text: has 101 characters; split it into rows of at most 100"


def test_a_row_with_an_open_quote_takes_no_other_along(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text('question,answer\nWho?,Ada\n"What,1843\nWhere,There\n\n"Why"?,So\n"a\nb",c\n')
    checked = check_rows(path)
    assert [row.line for row in checked.rows] == [2, 4, 7]
    assert [problem.line for problem in checked.problems] == [3, 6]


def test_columns_that_another_format_leaves_empty(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"messages": null, "prompt": "Who?", "completion": "Ada."}\n')
    assert load_rows(path).forms == {"completion": 1}
    path.write_text('{"prompt": "Who?", "completion": null, "text": "Who?"}\n')
    assert check_rows(path).problems[0].field == "completion"


def test_a_system_message_in_a_field_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"system": "Be brief.", "messages": [user(), assistant()]}))
    assert [m.role for m in load_rows(path).rows[0].messages] == ["system", "user", "assistant"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]", b"\xef\xbb\xbf"])
def test_an_empty_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match="holds no rows"):
        load_rows(path)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_rows(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="is a folder"):
        load_rows(tmp_path)
    cut = tmp_path / "rows.jsonl.gz"
    cut.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01")
    with pytest.raises(InputError, match="damaged"):
        load_rows(cut)


def test_every_answer_is_learned_but_those_of_weight_0(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    turns = [user("a"), assistant("b", weight=0), user("c"), assistant("d", weight=1), user("e"), assistant("f")]
    path.write_bytes(chat(*turns) + b"\n" + chat(*[{**turn, "weight": None} for turn in turns]))
    first, second = load_rows(path).rows
    assert first.taught == (3, 5)
    assert second.taught == (1, 3, 5)
    assert first.question == "e"


def test_of_a_row_made_by_doceo_the_last_answer_is_learned(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    row = {"messages": [user("a"), assistant("b"), user("c"), assistant("d")], "metadata": {"pair_id": "p_1"}}
    path.write_text(json.dumps(row))
    assert load_rows(path).rows[0].taught == (3,)


def test_text_parts_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    parts = [{"type": "text", "text": "Who"}, {"type": "text", "text": "wrote it?"}]
    path.write_bytes(chat(user(parts), assistant()))
    assert load_rows(path).rows[0].messages[0].content == "Who\nwrote it?"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["messages", "role", "content", "weight", "from", "value", "conversations", "text", "prompt",
                         "completion", "instruction", "output", "instances", "history", "system", "question", "answer",
                         "message_tree_id", "replies", "parent_id", "message_id", "input", "origin", "copy", "chosen",
                         "rejected", "preferred_output", "non_preferred_output"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rows=st.lists(_JSON, min_size=1, max_size=4))
def test_no_row_whatsoever_is_a_crash(rows: list[object], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    checked = check_rows(path)
    for row in checked.rows:
        assert row.text or row.messages[max(row.taught)].role == "assistant"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(content=st.binary(max_size=200))
def test_no_bytes_whatsoever_are_a_crash(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("rows.jsonl", "rows.csv", "rows.json"):
        path = tmp_path_factory.mktemp("any") / name
        path.write_bytes(content)
        with suppress(InputError):
            check_rows(path)
