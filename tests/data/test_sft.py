"""Rows of public formats, as their files have them."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from data.sft.detection import drafts, drafts_of
from data.sft.drafts import Draft, Problem
from data.sft.hub import hub_rows
from doceo.core.errors import InputError

Said = list[tuple[object, object]]


def _read(path: Path, *rows: object) -> list[Draft]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return _good(path)


def _good(path: Path) -> list[Draft]:
    found = list(drafts_of(path))
    assert not [row for row in found if isinstance(row, Problem)]
    return [row for row in found if isinstance(row, Draft)]


def _said(draft: Draft) -> Said:
    return [(turn.role, turn.content) for turn in draft.turns]


_ASKED = [("user", "Who?"), ("assistant", "Ada.")]


@pytest.mark.parametrize(
    ("row", "form", "said"),
    [
        (
            {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada."}]},
            "messages",
            _ASKED,
        ),
        ({"prompt": "Who?", "completion": "Ada."}, "completion", _ASKED),
        (
            {"prompt": [{"role": "user", "content": "Who?"}], "completion": [{"role": "assistant", "content": "Ada."}]},
            "completion",
            _ASKED,
        ),
        ({"conversations": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Ada."}]}, "sharegpt", _ASKED),
        (
            {"conversations": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada."}]},
            "sharegpt",
            _ASKED,
        ),
        (
            {
                "system": "Be brief.",
                "conversations": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Ada."}],
            },
            "sharegpt",
            [("system", "Be brief."), *_ASKED],
        ),
        ({"instruction": "Who?", "input": "", "output": "Ada."}, "alpaca", _ASKED),
        ({"instruction": "Who?", "input": None, "output": "Ada.", "system": ""}, "alpaca", _ASKED),
        (
            {"instruction": "Who?", "input": "1843", "output": "Ada.", "history": [["Hi", "Hello"]]},
            "alpaca",
            [("user", "Hi"), ("assistant", "Hello"), ("user", "Who?\n\n1843"), ("assistant", "Ada.")],
        ),
        ({"instruction": "Who?", "context": "", "response": "Ada.", "category": "qa"}, "dolly", _ASKED),
        ({"question": "Who?", "answer": "Ada."}, "question and answer", _ASKED),
        (
            {"question": "How many?", "answer": "He has 2*3=<<2*3=6>>6.\n#### 6"},
            "gsm8k",
            [("user", "How many?"), ("assistant", "He has 2*3=6.\n#### 6")],
        ),
    ],
)
def test_every_format(tmp_path: Path, row: object, form: str, said: Said) -> None:
    (draft,) = _read(tmp_path / "rows.jsonl", row)
    assert draft.form == form
    assert _said(draft) == said


def test_a_seed_gives_a_row_for_each_instance(tmp_path: Path) -> None:
    row = {"instruction": "Add.", "instances": [{"input": "1 1", "output": "2"}, {"input": "", "output": "3"}]}
    one, other = _read(tmp_path / "seeds.jsonl", row)
    assert _said(one) == [("user", "Add.\n\n1 1"), ("assistant", "2")]
    assert _said(other) == [("user", "Add."), ("assistant", "3")]


_TREE = {
    "message_tree_id": "a",
    "prompt": {
        "message_id": "a", "role": "prompter", "text": "Who?",
        "replies": [
            {"message_id": "b", "role": "assistant", "text": "Bob.", "rank": 1, "replies": []},
            {
                "message_id": "c", "role": "assistant", "text": "Ada.", "rank": 0,
                "replies": [
                    {
                        "message_id": "d", "role": "prompter", "text": "When?",
                        "replies": [
                            {"message_id": "e", "role": "assistant", "text": "In 1843.", "rank": 0},
                            {"message_id": "f", "role": "assistant", "text": "Long ago.", "rank": 1},
                        ],
                    },
                    {"message_id": "g", "role": "prompter", "text": "Thanks."},
                ],
            },
            {"message_id": "h", "role": "assistant", "text": "Spam.", "deleted": True},
        ],
    },
}  # fmt: skip


def _flat(message: dict[str, object], parent: str | None = None) -> list[dict[str, object]]:
    replies = message.get("replies", [])
    assert isinstance(replies, list)
    own = {**{key: value for key, value in message.items() if key != "replies"}, "parent_id": parent}
    return [own, *(found for reply in replies for found in _flat(reply, str(message["message_id"])))]


@pytest.mark.parametrize("flat", [False, True])
def test_a_tree_gives_every_branch_and_teaches_each_answer_once(tmp_path: Path, flat: bool) -> None:
    root = _TREE["prompt"]
    assert isinstance(root, dict)
    rows = _flat(root) if flat else [_TREE]
    found = _read(tmp_path / "trees.jsonl", *(reversed(rows) if flat else rows))
    branches = [[turn.content for turn in draft.turns] for draft in found]
    assert branches == [
        ["Who?", "Ada.", "When?", "In 1843."],
        ["Who?", "Ada.", "When?", "Long ago."],
        ["Who?", "Bob."],
    ]
    learned = [
        [turn.content for turn in draft.turns if turn.role == "assistant" and turn.weight != 0] for draft in found
    ]
    assert learned == [["Ada.", "In 1843."], ["Long ago."], ["Bob."]]


def test_two_messages_by_one_speaker_are_one_turn(tmp_path: Path) -> None:
    (draft,) = _read(
        tmp_path / "flat.json",
        {"message_id": "1", "parent_id": None, "role": "prompter", "text": "Who?"},
        {"message_id": "2", "parent_id": "1", "role": "assistant", "text": "Ada."},
        {"message_id": "3", "parent_id": "2", "role": "assistant", "text": "In 1843."},
    )
    assert _said(draft) == [("user", "Who?"), ("assistant", "Ada.\n\nIn 1843.")]


def test_a_ring_of_messages_ends(tmp_path: Path) -> None:
    ring = [{"message_id": a, "parent_id": b, "role": "prompter", "text": "x"} for a, b in ("12", "21")]
    assert _read(tmp_path / "ring.jsonl", *ring) == []


def test_a_chain_of_thousands_is_no_crash(tmp_path: Path) -> None:
    chain = [
        {"message_id": n + 1, "parent_id": n or None, "role": ("assistant", "prompter")[n % 2 == 0], "text": str(n)}
        for n in range(2000)
    ]
    (draft,) = _read(tmp_path / "chain.jsonl", *chain)
    assert len(draft.turns) == 2000


def test_tables_with_any_separator_and_capitals(tmp_path: Path) -> None:
    for name, separator in (("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t")):
        with (tmp_path / name).open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out, delimiter=separator)
            writer.writerows(
                [["Question", "Answer", "Link"], ["Who,\nreally?", "Ada; yes", ""], ["When?", "1843", "x"]]
            )
        first, second = _good(tmp_path / name)
        assert _said(first) == [("user", "Who,\nreally?"), ("assistant", "Ada; yes")]
        assert (first.place.number, second.place.number) == (2, 4)


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"instruction": ["Who?"], "output": ["Ada."]}), tmp_path / "rows.parquet")
    (draft,) = _good(tmp_path / "rows.parquet")
    assert (draft.form, str(draft.place)) == ("alpaca", "row 1")


def test_an_office_file_is_refused_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_bytes(b"PK\x03\x04" + bytes(60))
    with pytest.raises(InputError, match="office file") as caught:
        list(drafts_of(tmp_path / "faq.csv"))
    assert "CSV in UTF-8" in caught.value.hint


def test_plain_text_in_any_encoding_comes_in_pieces_that_join(tmp_path: Path) -> None:
    text = "\n\n".join(f"Absatz {n}: " + "Größe und Maß. " * 30 for n in range(30))
    (tmp_path / "text.txt").write_bytes(text.encode("cp1252"))
    (tmp_path / "wide.txt").write_bytes(text.encode("utf-16"))
    with gzip.open(tmp_path / "text.txt.gz", "wb") as out:
        out.write(text.encode())
    for name in ("text.txt", "wide.txt", "text.txt.gz"):
        found = _good(tmp_path / name)
        assert "".join(str(draft.text) for draft in found) == text
        assert [draft.ends for draft in found] == [False] * (len(found) - 1) + [True]
        assert len(found) > 2


def test_a_data_set_by_name_is_read_through_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"question": "Who?", "answer": "Ada."}\n')
    (draft,) = drafts(hub_rows(f"hf:{folder}"))
    assert isinstance(draft, Draft)
    assert (_said(draft), str(draft.place)) == (_ASKED, "row 1")
    (folder / "train.jsonl").write_text("{no json\n")
    with pytest.raises(InputError, match="cannot be read: JSON parse error"):
        next(hub_rows(f"hf:{folder}"))


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("sft/dolly15k_part.jsonl.gz", {"dolly": 3200}),
        ("sft/gsm8k_train.jsonl.gz", {"gsm8k": 7473}),
        ("sft/oasst_realistic_seed.json", {"oasst": 158}),
        ("sft/self_instruct_seed_tasks.jsonl", {"self-instruct": 175}),
        ("faq/covid_faq_2020.csv", {"question and answer": 213}),
        ("faq/medquad.5_NIDDK_QA.jsonl.gz", {"question and answer": 1192}),
    ],
)
def test_public_data_sets(shared_data: Path, name: str, forms: dict[str, int]) -> None:
    assert Counter(draft.form for draft in _good(shared_data / name)) == forms


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("handbook.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a PDF"),
        ("handbook.txt", b"\n%PDF-1.4\n", "a PDF"),
        ("handbook.docx", b"PK\x03\x04\x14\0\x06\0", "a zip archive or an office file"),
        ("rows.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an old office file"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_document_is_told_from_rows_once(tmp_path: Path, name: str, content: bytes, what: str, packed: bool) -> None:
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(InputError, match=f"is {what}, not a file of rows") as caught:
        list(drafts_of(path))
    assert "`doceo ingest` read documents" in caught.value.hint


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\xf4", bytes(range(1, 256)) * 2])
def test_what_is_not_text_is_said_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rows.jsonl").write_bytes(content)
    with pytest.raises(InputError, match="is not text"):
        list(drafts_of(tmp_path / "rows.jsonl"))
