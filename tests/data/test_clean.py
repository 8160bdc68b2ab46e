"""Cleaning whole folders: what is kept, counted and said, and that the result is whole or absent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from data.corpus.folder import clean_texts
from data.corpus.tally import CleanReport
from data.texts import read_texts
from doceo.core.config import CleanConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.progress import Silent, SilentTask

LONG = "The keeper of the lighthouse climbed the stairs each evening to light the lamp before the boats came home."
OTHER = "Nobody in the village could remember a winter in which the harbour had been frozen for so many weeks."


def clean(out: Path, *sources: Path, fields: tuple[str, ...] = ("text",), **config: Any) -> CleanReport:
    return clean_texts(sources, out, CleanConfig.model_validate(config), fields, Silent())


def rows_of(path: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.name.endswith("gz") else path.read_bytes()
    return [json.loads(line) for line in content.decode().split("\n") if line]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(f"Title\r\n\r\n{LONG}\r\n\r\n12\r\n\r\nCafÃ© “Mole” \r\n".encode())
    (folder / "b.txt").write_bytes(
        f"{LONG}\n\nÄpfel und Öl für Günther, dazu schöne Grüße aus Köln und von der Küste.\n".encode("cp1252")
    )
    (folder / "c.txt.gz").write_bytes(gzip.compress(f"{OTHER}\n".encode()))
    (folder / "deep" / "copy.txt.gz").write_bytes((folder / "c.txt.gz").read_bytes())
    (folder / "deep" / "bad.txt").write_bytes(bytes(range(256)) * 50)
    (folder / "tiny.txt").write_text("Too short.")
    rows = [
        {"id": 1, "text": f"{OTHER}\r\n\r\nBut this is new to everybody, since nobody ever wrote it down before."},
        {"id": 2, "text": "Short answer, kept by length."},
    ]
    lines = [*map(json.dumps, rows), '{"text": ', json.dumps(rows[1]), '{"body": 3}']
    (folder / "rows.jsonl").write_text("\n".join(lines))
    return folder


def test_what_is_kept_and_why_the_rest_is_not(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = clean(out, corpus)
    made = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    texts = {"corpus/a.txt", "corpus/b.txt", "corpus/c.txt.gz", "corpus/rows.jsonl"}
    assert made == {"report.json", "dropped.jsonl", *texts}
    assert (out / "corpus/a.txt").read_bytes().decode() == f"Title\n\n{LONG}\n\nCafé “Mole”\n"
    assert (
        out / "corpus/b.txt"
    ).read_bytes().decode() == "Äpfel und Öl für Günther, dazu schöne Grüße aus Köln und von der Küste.\n"
    assert gzip.decompress((out / "corpus/c.txt.gz").read_bytes()).decode() == f"{OTHER}\n"
    assert rows_of(out / "corpus/rows.jsonl") == [
        {"id": 1, "text": "But this is new to everybody, since nobody ever wrote it down before."},
        {"id": 2, "text": "Short answer, kept by length."},
    ]
    assert report.paragraphs.dropped == {
        "unreadable row": 2, "duplicate": 3, "no letters": 1, "too short": 1
    }  # fmt: skip
    assert report.encodings == {"utf-8": 5, "cp1252": 1}
    assert report.mended == 1
    left_out = {file.source: file.why for file in report.files if file.why}
    assert left_out["corpus/deep/copy.txt.gz"] == "the same bytes as corpus/c.txt.gz"
    assert "is not text" in left_out["corpus/deep/bad.txt"]
    dropped = rows_of(out / "dropped.jsonl")
    where = [(row["source"].removeprefix("corpus/"), row["line"], row["reason"], row["text"][:6]) for row in dropped]
    assert where == [
        ("a.txt", 5, "no letters", "12"),
        ("b.txt", 1, "duplicate", "The ke"),
        ("deep/bad.txt", 1, "unreadable", ""),
        ("deep/copy.txt.gz", 1, "equal file", ""),
        ("rows.jsonl", 3, "unreadable row", '{"text'),
        ("rows.jsonl", 5, "unreadable row", '{"body'),
        ("rows.jsonl", 1, "duplicate", "Nobody"),
        ("rows.jsonl", 4, "duplicate", "Short "),
        ("tiny.txt", 1, "too short", "all 1 "),
    ]
    assert "no field text (there are: body)" in dropped[5]["detail"]
    assert json.loads((out / "report.json").read_text()) == report.model_dump(mode="json")
    assert len(list(read_texts([out]))) == 5


def test_a_row_without_words_and_a_blank_file_are_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"text": "  "}}\n{{"text": "{LONG}"}}\n')
    (tmp_path / "blank.txt").write_text("\n \n")
    report = clean(tmp_path / "out", tmp_path / "rows.jsonl", tmp_path / "blank.txt")
    assert (report.paragraphs.read, report.paragraphs.kept) == (2, 1)
    assert [(row["line"], row["reason"]) for row in rows_of(tmp_path / "out" / "dropped.jsonl")] == [(1, "no letters")]
    assert [file.why for file in report.files] == ["there is no text in it", ""]


def test_counts_add_up(corpus: Path, tmp_path: Path) -> None:
    report = clean(tmp_path / "out", corpus)
    for counted in (report.paragraphs, report.characters):
        assert counted.read == counted.kept + sum(counted.dropped.values())
    assert sum(report.histogram_words.values()) == sum(report.histogram_characters.values()) == report.paragraphs.kept
    assert sum(file.kept for file in report.files) == report.paragraphs.kept
    written = [path for path in (tmp_path / "out/corpus").rglob("*") if path.is_file()]
    size = sum(len(gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes()) for p in written)
    assert size == report.bytes_out


def test_equal_input_equal_bytes_and_a_second_cleaning_changes_nothing(corpus: Path, tmp_path: Path) -> None:
    clean(tmp_path / "one", corpus)
    clean(tmp_path / "two", corpus)
    clean(tmp_path / "two", corpus)
    contents = [
        {path.relative_to(tmp_path / n): path.read_bytes() for path in (tmp_path / n).rglob("*") if path.is_file()}
        for n in ("one", "two")
    ]
    assert contents[0] == contents[1]
    again = clean(tmp_path / "again", tmp_path / "one" / "corpus")
    assert again.paragraphs.read == again.paragraphs.kept


def test_rows_of_messages_and_of_several_fields_are_kept_or_dropped_whole(tmp_path: Path) -> None:
    def chat(question: str) -> dict[str, Any]:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": "Itâ€™s a town.", "n": 1}]
        return {"messages": turns, "id": 7}

    rows = [
        chat("What is Rye?"),
        chat("What is Rye?"),
        chat("What is Bryne?"),
        {"q": "Who?", "a": f"{LONG}\n\nHome", "x": [1]},
    ]
    (tmp_path / "sft.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = clean(tmp_path / "out", tmp_path / "sft.jsonl", fields=("q", "a"))
    found = rows_of(tmp_path / "out" / "sft.jsonl")
    assert [row.get("id") for row in found] == [7, 7, None]
    assert found[0]["messages"][1] == {"role": "assistant", "content": "It’s a town.", "n": 1}
    assert found[2] == rows[3]
    assert report.paragraphs.dropped == {"duplicate": 1}


def test_rows_over_one_long_text_are_no_near_duplicates(tmp_path: Path) -> None:
    rows = [{"q": f"What about {name}?", "context": f"{LONG} {OTHER} " * 4} for name in ("Ada", "Bo", "Cy")]
    (tmp_path / "sft.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert clean(tmp_path / "out", tmp_path / "sft.jsonl", fields=("q", "context")).paragraphs.kept == 3
    assert clean(tmp_path / "out", tmp_path / "sft.jsonl", fields=("context",)).paragraphs.kept == 1


def test_a_damaged_file_gives_what_can_be_read(tmp_path: Path) -> None:
    parts = [
        f"Paragraph {n} tells of the {n * n}th of all the many days at sea, and of the night." for n in range(60_000)
    ]
    content = gzip.compress("\n\n".join(parts).encode())
    (tmp_path / "a.txt.gz").write_bytes(content[: len(content) * 3 // 4])
    (tmp_path / "b.txt").write_text("\n\n".join(parts))
    report = clean(tmp_path / "out", tmp_path / "a.txt.gz", tmp_path / "b.txt", drop=["exact"])
    assert "not a whole gzip file" in report.files[0].why
    assert 0 < report.files[0].kept < 60_000
    written = gzip.decompress((tmp_path / "out" / "a.txt.gz").read_bytes()).decode().strip().split("\n\n")
    written += (tmp_path / "out" / "b.txt").read_text().strip().split("\n\n")
    # every paragraph once, but for the one that the damage cuts
    assert set(parts) <= set(written)
    assert len(written) <= 60_001


def test_what_a_copy_leaves_is_dropped_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{LONG}\n\n“Yes.”\n\n{OTHER}\n\n“No.”")
    (tmp_path / "b.txt").write_text(f"{LONG}\n\n“Yes.”\n\n{OTHER}\n\n“No.” said he, and left.")
    report = clean(tmp_path / "out", tmp_path / "a.txt", tmp_path / "b.txt")
    assert not (tmp_path / "out" / "b.txt").exists()
    assert report.paragraphs.kept == 4
    assert report.paragraphs.dropped == {"duplicate": 4}


def test_a_long_file_is_cleaned_in_pieces_as_a_whole(tmp_path: Path) -> None:
    parts = [f"Paragraph {n} tells of the {n}th of many days at sea." for n in range(60_000)]
    (tmp_path / "a.txt").write_text("\n\n".join(parts), encoding="utf-8")
    assert (tmp_path / "a.txt").stat().st_size > 3 << 20
    report = clean(tmp_path / "out", tmp_path / "a.txt")
    assert (tmp_path / "out" / "a.txt").read_text() == "\n\n".join(parts) + "\n"
    assert report.paragraphs.kept == 60_000


def test_a_file_without_an_ending_gets_one(tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text(LONG)
    clean(tmp_path / "out", tmp_path / "corpus")
    assert [text.text for text in read_texts([tmp_path / "out"])] == [LONG + "\n"]


def test_a_folder_that_is_not_ours_and_sources_inside_are_refused(corpus: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    clean(mine, corpus)  # an empty folder is taken
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("years of work")
    (tmp_path / "a file").write_text("mine")
    for out in (tmp_path / "theirs", tmp_path / "a file"):
        with pytest.raises(UsageError, match="did not make it"):
            clean(out, corpus)
    for source in (mine / "corpus", mine / "corpus" / "*.txt", mine):
        with pytest.raises(UsageError, match="would be replaced"):
            clean(mine, source)
    assert (tmp_path / "theirs" / "thesis.txt").read_text() == "years of work"
    assert (mine / "corpus" / "a.txt").exists()


def test_an_out_inside_the_source_is_not_read_again(corpus: Path) -> None:
    first = clean(corpus / "cleaned", corpus)
    assert clean(corpus / "cleaned", corpus) == first


class Stopping(Silent):
    """A progress at which somebody presses Ctrl-C after so many files."""

    def __init__(self, files: int) -> None:
        self._left = files

    @contextmanager
    def task(self, name: str, total: int | None = None, unit: str = "") -> Iterator[SilentTask]:
        stopping = self

        class Task(SilentTask):
            def advance(self, n: int = 1, note: str = "") -> None:
                stopping._left -= n
                if stopping._left < 0:
                    raise KeyboardInterrupt

        yield Task()


def test_an_interrupted_cleaning_leaves_what_stood_there(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    clean(out, corpus)
    before = (out / "report.json").read_bytes()
    (corpus / "a.txt").write_text(OTHER)
    with pytest.raises(KeyboardInterrupt):
        clean_texts([corpus], out, CleanConfig(), ["text"], Stopping(3))
    assert (out / "report.json").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"corpus", "out"}


def test_sources_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        clean(tmp_path / "out", tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


def test_real_texts_lose_little(shared_data: Path, tmp_path: Path) -> None:
    report = clean(tmp_path / "out", shared_data / "lm" / "gutenberg", shared_data / "lm" / "tinyshakespeare.txt.gz")
    assert report.characters.kept > 0.995 * report.characters.read
    assert report.paragraphs.kept > 0.99 * report.paragraphs.read
