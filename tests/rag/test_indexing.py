from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.errors import IndexUnusable, InputError, RunLocked
from doceo.core.records import Span
from rag import building, versions
from rag.index import Index, delete, size
from rag.indexing import _apply, _under, update
from rag.lexical import Lexical
from rag.manifest import file_hashes, read_manifest, write_manifest
from rag.new_texts import NewTexts
from rag.texts import FILE as TEXTS
from rag.vectors import Vectors

if TYPE_CHECKING:
    from conftest import Corpus, WordVectors

REPO = Path(__file__).resolve().parents[2]
A = ("docs/a.txt", "Apples grow on trees.\n\nPears grow on trees too.")
B = ("docs/b.txt", "Boats float on water.\n\nShips float as well.")
C = ("docs/c.txt", "Clocks tell the hour.")


def test_known_vectors_come_back(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    documents, chunks = make_corpus(A, B)
    report = update(tmp_path / "i", documents, chunks, words)
    assert (report.added, report.documents, report.chunks, report.embedded) == (2, 2, 4, 4)
    index = Index.open(tmp_path / "i", words)
    for chunk in chunks:
        ((key, cosine), *_) = index.vectors.search(words.embed([chunk.text])[0], 4)
        assert key == chunk.id
        assert cosine == pytest.approx(1, abs=1e-5)
    pears = words.embed(["pears"])[0]
    expected = {chunk.id: float(words.embed([chunk.text])[0] @ pears) for chunk in chunks}
    assert dict(index.vectors.search(pears, 4)) == pytest.approx(expected, abs=1e-5)
    stored = index.texts.chunks([chunk.id for chunk in chunks])
    assert [stored[chunk.id].chunk for chunk in chunks] == chunks
    assert index.document(documents[0].id) == documents[0]
    assert os.stat(tmp_path / "i").st_mode & 0o777 == 0o700
    index.close()


def test_only_what_changed_is_embedded(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    update(tmp_path / "i", *make_corpus(A, B), words)
    words.embedded.clear()
    same = update(tmp_path / "i", *make_corpus(A, B), words)
    assert (same.unchanged, same.embedded, same.version, words.embedded) == (2, 0, "000001", [])
    changed = ("docs/a.txt", "A new first line.\n\n" + A[1] + "\n\nPlums as well.")
    report = update(tmp_path / "i", *make_corpus(changed, B, C), words)
    assert (report.added, report.updated, report.unchanged, report.deleted) == (1, 1, 1, 0)
    assert sorted(words.embedded) == ["A new first line.", C[1], "Plums as well."]
    assert report.version == "000002"
    assert [path.name for path in (tmp_path / "i").glob("0*")] == ["000002"]
    index = Index.open(tmp_path / "i", words)
    assert (index.manifest.documents, index.manifest.chunks) == (3, 7)
    index.close()


def test_what_vanished_is_deleted_from_the_bytes(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    secret = ("docs/secret.txt", "Zanzibarquux stands in this file alone.")
    other = ("notes/n.txt", "Notes are kept elsewhere.")
    folder = tmp_path / "i"
    update(folder, *make_corpus(A, secret, other), words)
    assert any(b"anzibarquux" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    report = update(folder, *make_corpus(A), words, roots=["docs"])
    assert (report.deleted, report.unchanged, report.documents) == (1, 1, 2)
    assert not any(b"anzibarquux" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert update(folder, *make_corpus(A), words, sync=True).deleted == 1
    assert update(folder, [], [], words, roots=["docs"]).deleted == 1
    index = Index.open(folder, words)
    assert index.manifest.chunks == 0
    assert index.vectors.search(words.embed(["apples"])[0], 3) == []
    index.close()


def test_one_text_under_two_names_lives_until_both_are_gone(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    copy = ("copies/a.txt", A[1])
    update(tmp_path / "i", *make_corpus(A), words)
    update(tmp_path / "i", *make_corpus(copy), words)
    assert update(tmp_path / "i", [], [], words, roots=["docs"]).documents == 1
    index = Index.open(tmp_path / "i", words)
    document = index.document(make_corpus(A)[0][0].id)
    assert document is not None
    assert document.source == "copies/a.txt"
    index.close()
    assert update(tmp_path / "i", [], [], words, roots=["copies"]).documents == 0


def test_a_large_index_is_changed_in_a_copy(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_SMALL", 1)
    many = [(f"docs/{n:02}.txt", f"Word{n} stands here.\n\nAnd other{n} there.") for n in range(12)]
    folder = tmp_path / "i"
    update(folder, *make_corpus(*many), words)
    update(folder, *make_corpus(*many[1:], A), words)
    index = Index.open(folder, words)
    assert (index.manifest.removed, index.manifest.chunks, index.vectors.count()) == (2, 24, 24)
    assert index.vectors.search(words.embed(["Pears grow on trees too"])[0], 1)[0][1] == pytest.approx(1, abs=1e-5)
    index.close()
    update(folder, *make_corpus(*many[6:], A), words)
    index = Index.open(folder, words)
    assert (index.manifest.removed, index.manifest.chunks) == (0, 14)
    index.close()


def test_a_reader_keeps_its_version(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    update(tmp_path / "i", *make_corpus(A), words)
    reader = Index.open(tmp_path / "i", words)
    update(tmp_path / "i", *make_corpus(B), words, sync=True)
    assert not reader.is_current()
    (found,) = reader.vectors.search(words.embed(["apples grow on trees"])[0], 1)
    assert reader.texts.chunks([found[0]])[found[0]].chunk.text == "Apples grow on trees."
    assert reader.lexical.search("pears", 1)
    newer = Index.open(tmp_path / "i", words)
    assert newer.is_current()
    assert not newer.lexical.search("pears", 1)
    reader.close()
    newer.close()


def test_another_embedder_is_refused_and_may_rebuild(
    tmp_path: Path, words: WordVectors, new_words: type[WordVectors], make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A, B), words)
    other = new_words("words|2")
    with pytest.raises(IndexUnusable, match=r"made by the embedder words\|1"):
        Index.open(folder, other)
    with pytest.raises(IndexUnusable, match=r"not by words\|2"):
        update(folder, *make_corpus(C), other)
    report = update(folder, *make_corpus(C), other, roots=[], rebuild=True)
    assert (report.embedded, report.documents) == (5, 3)
    Index.open(folder, other).close()


def test_missing_and_damaged(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    with pytest.raises(IndexUnusable, match="no index") as caught:
        Index.open(tmp_path / "none", words)
    assert "doceo index" in caught.value.hint
    folder = tmp_path / "i"

    def damaged(name: str, content: bytes | None) -> None:
        delete(folder) if folder.exists() else None
        update(folder, *make_corpus(A), words)
        (path,) = list(folder.glob(f"0*/{name}")) or list(folder.glob(name))
        path.write_bytes(content) if content is not None else path.unlink()
        with pytest.raises(IndexUnusable, match="cannot be used") as caught:
            Index.open(folder, words)
        assert str(folder) in caught.value.hint

    damaged("texts.sqlite", b"no database at all")
    damaged("texts.sqlite", None)
    damaged("manifest.json", b"{")
    damaged("manifest.json", None)
    damaged("lexical/meta.json", b"{}")
    damaged("chroma/chroma.sqlite3", b"SQLite format 3\x00 but no more")
    damaged("chroma/chroma.sqlite3", None)
    damaged("lexical/*.term", b"junk")
    damaged("current", b"000009\n")
    damaged("current", b"../../etc\n")
    damaged("current", b"\xff\xfe")


def test_stored_settings_that_name_code_are_refused(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    update(tmp_path / "i", *make_corpus(A), words)
    (file,) = (tmp_path / "i").glob("0*/chroma/chroma.sqlite3")
    database = sqlite3.connect(file)
    database.execute(
        'UPDATE collections SET schema_str = replace(schema_str, \'"type":"legacy"\','
        ' \'"type":"known","name":"sentence_transformer"\')'
    )
    database.commit()
    database.close()
    with pytest.raises(IndexUnusable, match=r"chroma\.sqlite3 is not as it was written"):
        Index.open(tmp_path / "i", words)
    version = file.parents[1]
    made = read_manifest(tmp_path / "i", version)
    write_manifest(version, made.model_copy(update={"files": file_hashes(version)}))
    with pytest.raises(IndexUnusable, match="embedding function"):
        Index.open(tmp_path / "i", words)


def test_chunks_that_are_not_of_the_documents(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    documents, chunks = make_corpus(A)
    wrong = chunks[0].model_copy(update={"span": Span(document_id=documents[0].id, start=1, end=5)})
    with pytest.raises(InputError, match="is not a passage"):
        update(tmp_path / "i", documents, [wrong], words)
    with pytest.raises(InputError, match="is not a passage"):
        update(tmp_path / "i", [], chunks, words)


def test_one_writer(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    update(tmp_path / "i", *make_corpus(A), words)
    with versions.writing(tmp_path / "i"), pytest.raises(RunLocked, match=f"process {os.getpid()}"):
        update(tmp_path / "i", *make_corpus(B), words)
    update(tmp_path / "i", *make_corpus(B), words)


def test_a_failing_embedder_leaves_the_old_version_and_what_it_embedded(
    tmp_path: Path, words: WordVectors, new_words: type[WordVectors], make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A), words)
    many = [(f"docs/{n:03}.txt", f"Text number {n}.") for n in range(150)]

    class Failing(new_words):  # type: ignore[misc, valid-type]  # a fixture gives the class
        def embed(self, texts: list[str]) -> np.ndarray:
            if len(self.embedded) >= 64:
                raise InputError("no more", hint="")
            return super().embed(texts)  # type: ignore[no-any-return]

    with pytest.raises(InputError, match="no more"):
        update(folder, *make_corpus(*many), Failing())
    index = Index.open(folder, words)
    assert index.manifest.documents == 1
    index.close()
    assert not (folder / versions.NEXT).exists()
    assert update(folder, *make_corpus(*many), words).embedded == 150 - 64
    assert not list(folder.glob(".embedded*"))


KILLED = """
import sys, time
sys.path[:0] = [{repo!r}, {tests!r}]
from pathlib import Path
from conftest import WordVectors, corpus
from rag.indexing import update

class Slow(WordVectors):
    def embed(self, texts):
        if len(self.embedded) >= 128:
            print("half", flush=True)
            time.sleep(60)
        return super().embed(texts)

files = [(f"docs/{{n:03}}.txt", f"Text number {{n}}.") for n in range(200)]
update(Path({folder!r}), *corpus(*files), Slow())
"""


@pytest.mark.crash
def test_kill_9_leaves_the_old_version(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(A, B), words)
    code = KILLED.format(repo=str(REPO), tests=str(Path(__file__).parent), folder=str(folder))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "half\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    index = Index.open(folder, words)
    assert index.manifest.documents == 2
    assert index.lexical.search("boats", 1)
    index.close()
    files = [(f"docs/{n:03}.txt", f"Text number {n}.") for n in range(200)]
    after = update(folder, *make_corpus(*files), words)
    assert (after.documents, after.deleted, after.embedded) == (200, 2, 200 - 128)
    clean = tmp_path / "clean"
    update(clean, *make_corpus(*files), words)
    one, two = Index.open(folder, words), Index.open(clean, words)
    ids = one.texts.chunk_ids()
    assert ids == two.texts.chunk_ids()
    left, right = one.texts.vectors_of(ids), two.texts.vectors_of(ids)
    assert all((left[key] == right[key]).all() for key in ids)
    assert one.lexical.search("number 7", 5) == two.lexical.search("number 7", 5)
    one.close()
    two.close()


@pytest.mark.parametrize(("small", "share"), [(1000, 1), (1, 4)])
def test_the_store_does_not_grow(
    tmp_path: Path,
    words: WordVectors,
    make_corpus: Callable[..., Corpus],
    monkeypatch: pytest.MonkeyPatch,
    small: int,
    share: int,
) -> None:
    monkeypatch.setattr(building, "_SMALL", small)
    files = [(f"docs/{n:03}.txt", f"Text number {n}. " * 20) for n in range(100)]
    update(tmp_path / "i", *make_corpus(*files), words)
    first, removed = size(tmp_path / "i"), set()
    for cycle in range(6):
        renewed = [(name, f"{text} Cycle {cycle}.") for name, text in files[cycle % share :: share]]
        update(tmp_path / "i", *make_corpus(*renewed), words, roots=[])
        index = Index.open(tmp_path / "i", words)
        removed.add(index.manifest.removed)
        index.close()
        assert size(tmp_path / "i") <= 1.5 * first
    assert removed == ({0} if small > 1 else {0, 25})


@given(
    source=st.text("a/b", max_size=8),
    roots=st.lists(st.text("a/b", max_size=5), max_size=4),
)
def test_what_lies_under_a_root(source: str, roots: list[str]) -> None:
    assert _under(source, frozenset(roots)) == any(source == root or source.startswith(root + "/") for root in roots)


def test_thousands_of_sources_are_deleted_at_once(tmp_path: Path, make_corpus: Callable[..., Corpus]) -> None:
    store = NewTexts(tmp_path / TEXTS)
    (document,), chunks = make_corpus(("docs/a.txt", "Apples."))
    names = [f"f{number:06d}.txt" for number in range(8000)]
    store.put(document, chunks)
    store._database.executemany("INSERT INTO sources VALUES (?, ?)", [(name, document.id) for name in names])
    began = time.process_time()
    assert _apply(store, [], names)["deleted"] == len(names)
    assert time.process_time() - began < 1, "each source is compared with each root"
    assert list(store.sources()) == ["docs/a.txt"]
    store.close()


def test_parts_alone(tmp_path: Path) -> None:
    from rag import lexical

    lexical.write(tmp_path / "l", [("x", "Title", "Running dogs"), ("y", "Title", "Sleeping cats \ud800")])
    arm = Lexical(tmp_path / "l")
    assert [key for key, _ in arm.search("dog runs", 5)] == ["x"]
    assert arm.search("title:cats AND (", 5)[0][0] == "y"
    assert arm.search("dogs", 5, within=["y"]) == []
    assert arm.weight("dog") > arm.weight("titl") - 10
    vectors = Vectors(tmp_path / "v", create=True)
    vectors.add(["a", "b"], np.eye(2, 3, dtype=np.float32))
    vectors.remove(["a"])
    assert vectors.search(np.array([0, 1, 0], dtype=np.float32), 9) == [("b", pytest.approx(1))]
    vectors.close()
