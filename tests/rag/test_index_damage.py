"""Whatever is wrong with an index's files: an error with the way back, and never the end of the process."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from doceo.core.errors import IndexUnusable, StorageError
from rag import building
from rag.index import Index, delete, summary
from rag.indexing import compact, update
from rag.manifest import check_embedder, read_manifest

if TYPE_CHECKING:
    from conftest import Corpus, WordVectors

FILES = [(f"docs/{n:03}.txt", f"Text number {n} of many.") for n in range(40)]


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, new_words: type[WordVectors], make_corpus: Callable[..., Corpus]
) -> Path:
    folder = tmp_path_factory.mktemp("damage") / "i"
    update(folder, *make_corpus(*FILES), new_words())
    return folder


def refused(folder: Path, words: WordVectors, make_corpus: Callable[..., Corpus], name: str) -> None:
    for use in (
        lambda: Index.open(folder, words),
        lambda: update(folder, *make_corpus(("docs/new.txt", "New.")), words),
        lambda: compact(folder),
    ):
        with pytest.raises(IndexUnusable, match=r"cannot be used|newer Doceo") as caught:
            use()
        assert str(folder) in caught.value.hint, name


def test_every_file_that_is_damaged_is_found(
    whole: Path, tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    rng = np.random.default_rng(0)
    version = next(whole.glob("0*"))
    files = [path.relative_to(whole) for path in version.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) > 10
    for n, name in enumerate(files):
        for how in ("cut", "gone", "noise"):
            folder = tmp_path / f"{n}-{how}"
            shutil.copytree(whole, folder)
            content = (folder / name).read_bytes()
            if how == "gone":
                (folder / name).unlink()
            elif how == "cut":
                (folder / name).write_bytes(content[: len(content) // 2])
            else:
                at = len(content) // 3
                noise = rng.bytes(len(content) // 3 + 1)
                (folder / name).write_bytes(content[:at] + noise + content[at + len(noise) :])
            with pytest.raises(IndexUnusable, match="cannot be used") as caught:
                Index.open(folder, words)
            assert str(folder) in caught.value.hint, name
            if how == "cut":
                refused(folder, words, make_corpus, str(name))
            shutil.rmtree(folder)


def test_half_deleted_and_newer(
    whole: Path, tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    for part in ("chroma", "lexical", "."):
        folder = tmp_path / f"half{len(part)}"
        shutil.copytree(whole, folder)
        shutil.rmtree(next(folder.glob("0*")) / part)
        refused(folder, words, make_corpus, part)
    folder = tmp_path / "newer"
    shutil.copytree(whole, folder)
    (manifest,) = folder.glob("0*/manifest.json")
    made = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**made, "format": 3, "more": [1]}))
    refused(folder, words, make_corpus, "newer")
    with pytest.raises(IndexUnusable, match="newer Doceo: it has format 3") as caught:
        summary(folder)
    assert "Update Doceo" in caught.value.hint
    manifest.write_text(json.dumps({**made, "format": 1}))
    with pytest.raises(IndexUnusable, match="an older Doceo made it"):
        summary(folder)


@pytest.mark.parametrize("pointer", [b"000009\n", b"../../etc\n", b"\xff\xfe", b""])
def test_a_damaged_pointer_destroys_nothing(
    whole: Path, tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus], pointer: bytes
) -> None:
    folder = tmp_path / "i"
    shutil.copytree(whole, folder)
    (folder / "current").write_bytes(pointer)
    refused(folder, words, make_corpus, "current")
    (folder / "current").write_text("000001\n")
    Index.open(folder, words).close()
    (folder / "roots.json").write_text("{}")
    (folder / "current").write_bytes(pointer)
    delete(folder)
    assert not folder.exists()


def test_a_half_deleted_index_can_be_deleted(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "i"
    shutil.copytree(whole, folder)
    for name in ("current", "000001/manifest.json"):
        (folder / name).unlink()
    (folder / "roots.json").write_text("{}")
    delete(folder)
    assert not folder.exists()


def test_a_reader_that_was_killed_left_a_journal(whole: Path, tmp_path: Path, words: WordVectors) -> None:
    folder = tmp_path / "i"
    shutil.copytree(whole, folder)
    (database,) = folder.glob("0*/chroma/chroma.sqlite3")
    journal = database.with_name(f"{database.name}-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    index = Index.open(folder, words)
    assert index.vectors.count() == len(FILES)
    index.close()


def test_the_embedder_is_named_with_what_differs(whole: Path) -> None:
    made = read_manifest(whole, next(whole.glob("0*"))).model_copy(update={"embedder": "m|onnx-int8|aa"})
    check_embedder(whole, made, "m|onnx-int8|aa")
    with pytest.raises(IndexUnusable, match=r"m\|onnx-int8\|aa, not by n\|torch\|bb") as caught:
        check_embedder(whole, made, "n|torch|bb")
    assert caught.value.hint.startswith("Name that embedder, with --embedder m, or delete the folder")
    for other in ("m|onnx-fp32|aa", "m|onnx-int8|bb"):
        with pytest.raises(IndexUnusable) as caught:
            check_embedder(whole, made, other)
        assert "same model by another backend or with other weights" in caught.value.hint
        assert "doceo index SRC" in caught.value.hint


@pytest.mark.parametrize(
    ("where", "room"), [("__init__", 3000), ("finish", 3000), ("_write_vectors", 100_000), ("_write_words", 500)]
)
def test_a_full_disk_leaves_the_index_as_it_was(
    whole: Path,
    tmp_path: Path,
    words: WordVectors,
    make_corpus: Callable[..., Corpus],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    room: int,
) -> None:
    folder = tmp_path / "i"
    shutil.copytree(whole, folder)
    owner = building.Build if hasattr(building.Build, where) and where != "__init__" else building.NewTexts
    write = getattr(owner, where)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def short_of_room(*arguments: object, **named: object) -> object:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, unlimited[1]))
        try:
            return write(*arguments, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    monkeypatch.setattr(owner, where, short_of_room)
    with pytest.raises(StorageError, match="disk is full") as caught:
        update(folder, *make_corpus(*FILES[5:], ("docs/new.txt", "New words. " * 900)), words)
    assert "run the same command again" in caught.value.hint
    monkeypatch.undo()
    index = Index.open(folder, words)
    assert (index.version, index.manifest.documents) == ("000001", 40)
    index.close()
    assert os.listdir(folder / ".readers") == []
    assert not (folder / ".next").exists()
    assert update(folder, *make_corpus(*FILES[5:]), words).deleted == 5
