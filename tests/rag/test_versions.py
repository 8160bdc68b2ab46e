"""One writer, readers that finish what they began, and nothing that stays longer than it is read."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doceo.core.errors import IndexUnusable, RunLocked
from rag import readers, versions
from rag.index import Index, delete, summary
from rag.indexing import compact, update

if TYPE_CHECKING:
    from conftest import Corpus, WordVectors

REPO = Path(__file__).resolve().parents[2]
A, B = ("docs/a.txt", "Apples grow on trees."), ("docs/b.txt", "Boats float on water.")


def versions_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.isdigit())


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    start = f"import sys; sys.path[:0] = [{str(REPO)!r}, {str(Path(__file__).parent)!r}]\n"
    return subprocess.Popen([sys.executable, "-c", start + code, *arguments], stdout=subprocess.PIPE, text=True)


READS = """
import time
from pathlib import Path
from conftest import WordVectors
from rag.index import Index
index = Index.open(Path(sys.argv[1]), WordVectors())
print(index.version, flush=True)
time.sleep(300)
"""


def test_a_version_stays_as_long_as_it_is_read(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A), words)
    one, two = Index.open(folder, words), Index.open(folder, words)
    update(folder, *make_corpus(B), words, sync=True)
    update(folder, *make_corpus(A, B), words, sync=True)
    assert versions_of(folder) == ["000001", "000003"]
    one.close()
    assert versions_of(folder) == ["000001", "000003"]
    vector = words.embed(["apples"])[0]
    with ThreadPoolExecutor(16) as pool:  # each may open the files anew
        found = list(pool.map(lambda _: two.vectors.search(vector, 1), range(64)))
    assert len({pairs[0][0] for pairs in found}) == 1
    assert two.texts.chunks([found[0][0][0]])
    two.close()
    two.close()
    assert versions_of(folder) == ["000003"]


def test_passages_read_last_are_kept_and_no_more_of_them(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.index._KEPT", 3)
    update(tmp_path / "i", *make_corpus(*[(f"{n}.txt", f"Passage {n}.") for n in range(6)]), words)
    index = Index.open(tmp_path / "i", words)
    ids = index.texts.chunk_ids()
    whole = index.texts.chunks(ids)
    assert index.chunks([*ids[:2], "unknown"]) == {key: whole[key] for key in ids[:2]}
    reads: list[list[str]] = []
    chunks = index.texts.chunks
    monkeypatch.setattr(index.texts, "chunks", lambda keys: reads.append([*keys]) or chunks(keys))
    assert index.chunks(ids[:3]) == {key: whole[key] for key in ids[:3]}
    assert index.chunks(ids) == whole
    assert reads == [[ids[2]], ids[3:]], "what is kept is not read again"
    assert len(index._kept) == 3
    index.close()


def test_an_index_that_nobody_holds_any_more_is_let_go(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A), words)
    index = Index.open(folder, words)
    update(folder, *make_corpus(B), words, sync=True)
    assert readers.is_held(folder, "000001")
    del index
    gc.collect()
    assert versions_of(folder) == ["000002"]
    assert list((folder / readers.FOLDER).iterdir()) == []


def test_what_a_killed_reader_held_goes_with_the_next(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A), words)
    reader = child(READS, str(folder))
    assert reader.stdout is not None
    assert reader.stdout.readline() == "000001\n"
    update(folder, *make_corpus(B), words, sync=True)
    assert versions_of(folder) == ["000001", "000002"]
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    reader.stdout.close()
    assert versions_of(folder) == ["000001", "000002"]
    Index.open(folder, words).close()
    assert versions_of(folder) == ["000002"]


def test_two_writers(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A), words)
    with versions.writing(folder):
        for write in (
            lambda: update(folder, *make_corpus(B), words),
            lambda: compact(folder),
            lambda: delete(folder),
        ):
            with pytest.raises(RunLocked, match=f"process {os.getpid()}"):
                write()
    assert update(folder, *make_corpus(B), words).documents == 1


def test_leftovers_of_dead_writers_go(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A), words)
    for name in ("000002", versions.NEXT, f"{versions.DROPPED}000000"):
        (folder / name / "deep").mkdir(parents=True)
        (folder / name / "deep" / "file").write_text("of a version that was never finished")
    assert Index.open(folder, words).is_current()
    assert update(folder, *make_corpus(A), words).unchanged == 1
    gc.collect()
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"000001", readers.FOLDER}


def test_only_the_user_can_read_it(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "i"
        folder.mkdir(mode=0o777)
        update(folder, *make_corpus(A), words)
        index = Index.open(folder, words)
        update(folder, *make_corpus(A, B), words)
        index.close()
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}
    assert {path.name: oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    for name in ("letter.txt", "2024/photo.jpg"):
        folder = tmp_path / name[:3]
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")
        with pytest.raises(IndexUnusable, match="is not an index") as caught:
            update(folder, *make_corpus(A), words)
        assert "Choose another folder" in caught.value.hint
        assert (folder / name).read_text() == "mine"
        assert not (folder / ".lock").exists()


def test_summary(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    assert summary(tmp_path / "none") is None
    update(tmp_path / "i", *make_corpus(A, B), words)
    held = summary(tmp_path / "i")
    assert held is not None
    assert (held.documents, held.chunks, held.embedder) == (2, 2, "words|1")
    assert held.bytes == sum(path.stat().st_size for path in (tmp_path / "i").rglob("*") if path.is_file())
