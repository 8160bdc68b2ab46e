"""Texts as one stream: pieces that join to the whole, any encoding, rows, and messages that name file and line."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import text_file
from data.text_file import TextFile
from data.texts import find_texts, read_texts
from doceo.core.errors import InputError, NothingReadable, UsageError

LINES = st.text(st.sampled_from("ab \n\té漢😀"), max_size=200)


def texts_of(*sources: Path | str, **options: object) -> list[str]:
    return [text.text for text in read_texts(sources, **options)]  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(LINES, st.integers(1, 60), st.integers(1, 9))
def test_pieces_join_to_the_whole(tmp_path_factory: pytest.TempPathFactory, text: str, most: int, block: int) -> None:
    path = tmp_path_factory.mktemp("t") / "a.txt"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "_BLOCK", block)
        # a block of one byte would be too little to tell the encoding from
        patch.setattr(text_file.TextFile, "_detected", lambda self, block: "utf-8")
        pieces = list(TextFile(path).pieces(most))
    assert "".join(piece for _, piece in pieces) == text
    assert all(0 < len(piece) <= most for _, piece in pieces)
    line = 1
    for number, piece in pieces:
        assert number == line
        line += piece.count("\n")


def test_a_long_text_is_cut_at_paragraphs_then_lines_then_blanks(tmp_path: Path) -> None:
    paragraph = "word " * 30 + "\nend of the paragraph.\n\n"
    (tmp_path / "a.txt").write_text(paragraph * 40)
    pieces = [text.text for text in read_texts([tmp_path / "a.txt"], piece=1000)]
    assert len(pieces) > 5
    assert all(piece.endswith("paragraph.\n\n") for piece in pieces)
    (tmp_path / "a.txt").write_text("one line of verse\n" * 200)
    assert all(piece.endswith("verse\n") for piece in texts_of(tmp_path / "a.txt", piece=1000))
    (tmp_path / "a.txt").write_text("word " * 1000)
    assert all(piece.endswith("word ") for piece in texts_of(tmp_path / "a.txt", piece=1001))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp1251", "cp932"]
)
def test_any_encoding_and_every_line_end(tmp_path: Path, encoding: str) -> None:
    sample = {
        "cp1251": "Все люди рождаются свободными и равными. ",
        "cp932": "すべての人間は、生まれながらにして自由である。",
    }
    text = sample.get(encoding, "Der Große Café-Besitzer aß Müsli. ") * 5
    (tmp_path / "a.txt").write_bytes(f"{text}\r\nb\rc\n{text}".encode(encoding))
    file = TextFile(tmp_path / "a.txt")
    assert "".join(piece for _, piece in file.pieces()) == f"{text}\nb\nc\n{text}"
    assert file.encoding == encoding


def test_an_encoding_that_shows_late_and_characters_across_blocks(tmp_path: Path) -> None:
    ascii_part = "The harbour was quiet that night.\r\n" * 60_000
    assert len(ascii_part) > 2 * (1 << 20) - 100_000
    late = "Les êtres humains naissent libres et égaux en dignité et en droits.\r\n" * 20
    (tmp_path / "a.txt").write_bytes(ascii_part.encode() + late.encode("cp1252"))
    file = TextFile(tmp_path / "a.txt")
    text = "".join(piece for _, piece in file.pieces())
    assert file.encoding == "cp1252"
    assert text == (ascii_part + late).replace("\r\n", "\n")
    every_block_cuts = "漢字かな" * 200_000
    (tmp_path / "b.txt").write_text(every_block_cuts, encoding="utf-8")
    assert "".join(texts_of(tmp_path / "b.txt")) == every_block_cuts


def test_damaged_utf8_is_named_and_binary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Grüße aus Köln, schöne Straßen. ".encode() * 9 + b"\xff end")
    file = TextFile(tmp_path / "a.txt")
    assert "\ufffd end" in "".join(piece for _, piece in file.pieces())
    assert file.encoding == "utf-8, damaged"
    for content in (bytes(range(256)) * 99, b"\x01\x02 words" * 99):
        (tmp_path / "b.txt").write_bytes(content)
        with pytest.raises(InputError, match=r"b\.txt is not text"):
            texts_of(tmp_path / "b.txt")


def test_rows_give_their_text_their_fields_or_their_messages(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": "one line\u2028and its second"},
        {"text": "two\r\nlines"},
        {"text": " "},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n", encoding="utf-8")
    assert [(text.text, text.line) for text in read_texts([path])] == [
        ("one line\u2028and its second", 1),
        ("two\nlines", 2),
    ]
    turns = [
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": None},
        {"role": "assistant", "content": "Ada."},
    ]
    path.write_text(json.dumps({"messages": turns}) + "\n" + json.dumps({"question": "Q", "answer": "A"}))
    assert texts_of(path, fields=["question", "answer"]) == ["Who?\n\nAda.", "Q\n\nA"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"text": ', "not JSON"),
        ('["text"]', "not a JSON object"),
        ('{"body": "x", "id": 3}', "no field text (there are: body, id)"),
        ('{"text": 3}', "the field text holds no string"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_wrong_row_names_file_line_and_cure(tmp_path: Path, row: str, words: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "fine"}\n\n' + row)
    with pytest.raises(InputError) as caught:
        texts_of(path)
    assert f"{path}, line 3: " in caught.value.message
    assert words in caught.value.message
    assert "--fields" in caught.value.hint


def test_gzip_folders_globs_and_order(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "b.txt.gz").write_bytes(gzip.compress(b"second"))
    (tmp_path / "deep" / "a.md").write_text("first")
    (tmp_path / "deep" / "er" / "c.JSONL.gz").write_bytes(gzip.compress(b'{"text": "third"}'))
    (tmp_path / "deep" / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "deep" / ".hidden.txt").write_text("no")
    assert [text.source for text in read_texts([tmp_path / "deep"])] == [
        "deep/a.md",
        "deep/b.txt.gz",
        "deep/er/c.JSONL.gz",
    ]
    assert texts_of(tmp_path / "deep") == ["first", "second", "third"]
    assert texts_of(f"{tmp_path}/deep/*") == ["first", "second", "third"]
    (tmp_path / "notes").write_text("a named file needs no ending")
    assert texts_of(tmp_path / "notes") == ["a named file needs no ending"]


def test_what_a_tokenizer_and_a_model_write_is_no_text_unless_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "all" / "tok").mkdir(parents=True)
    (tmp_path / "all" / "train.txt").write_text("a text")
    (tmp_path / "all" / "tok" / "tokenizer_config.json").write_text("{}")
    (tmp_path / "all" / "tok" / "merges.txt").write_text("t h")
    assert texts_of(tmp_path / "all") == ["a text"]
    assert texts_of(tmp_path / "all" / "tok" / "merges.txt") == ["t h"]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere") as caught:
        texts_of(tmp_path / "nowhere")
    assert caught.value.exit_code == 1
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(NothingReadable, match="no text file"):
        texts_of(tmp_path / "only")
    (tmp_path / "only" / "cut.txt.gz").write_bytes(gzip.compress(b"a long text " * 999)[:-20])
    with pytest.raises(InputError, match="not a whole gzip file"):
        texts_of(tmp_path / "only")
    (tmp_path / "only" / "cut.txt.gz").write_bytes(b"no gzip at all")
    with pytest.raises(InputError, match="not a whole gzip file"):
        texts_of(tmp_path / "only")
    (tmp_path / "x").mkdir()
    for place in ("a.txt", "x/a.txt"):
        (tmp_path / place).write_text("text")
    with pytest.raises(UsageError, match="both end in"):
        find_texts([tmp_path / "a.txt", tmp_path / "x" / "a.txt"])


def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.txt.gz", "wt", compresslevel=1) as out:
        for n in range(24):
            out.write(f"Paragraph {n} of a long text.\n\n" * 40_000)
    tracemalloc.start()
    size = sum(len(text.text) for text in read_texts([tmp_path / "a.txt.gz"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 25e6
    assert peak < 10e6
