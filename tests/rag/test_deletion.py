"""What was deleted is in no byte of an index's folder, and in no count of its words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doceo.core.errors import InputError
from rag import building, versions
from rag.index import Index, delete
from rag.indexing import compact, update

if TYPE_CHECKING:
    import numpy as np
    from conftest import Corpus, WordVectors

KEPT = ("docs/kept.txt", "Ordinary words stay here.\n\nThey are read again tomorrow.")
SECRET = (
    "docs/zanzibarquux.txt",
    "Vexilloquux stands in this file alone.\n\nSo does the name Mortigrandel, twice: Mortigrandel.",
)
SECRET_WORDS = ("zanzibarquux", "vexilloquux", "mortigrandel")


def traces(folder: Path, words: Iterable[str]) -> set[str]:
    """Return the files in which any of some words stands, in upper or lower case, hidden files among them."""
    patterns = [word.encode() for word in words]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if any(word in path.read_bytes().lower() for word in patterns)}


def counted(folder: Path, embedder: WordVectors, words: Iterable[str]) -> list[str]:
    """Return the words that any passage is counted for."""
    index = Index.open(folder, embedder)
    arm = index.lexical
    stems = {word: arm.stems(word)[0] for word in words}
    found = [w for w, stem in stems.items() if any(arm._searcher.doc_freq(part, stem) for part in ("header", "body"))]
    index.close()
    return found


@pytest.mark.parametrize("small", [1000, 1])
def test_nothing_is_left_of_a_deleted_document(
    tmp_path: Path,
    words: WordVectors,
    make_corpus: Callable[..., Corpus],
    monkeypatch: pytest.MonkeyPatch,
    small: int,
) -> None:
    monkeypatch.setattr(building, "_SMALL", small)
    folder = tmp_path / "i"
    more = [(f"docs/{n}.txt", f"File number {n} is here.") for n in range(9)]
    update(folder, *make_corpus(KEPT, SECRET, *more), words)
    assert "texts.sqlite" in traces(folder, SECRET_WORDS)
    assert counted(folder, words, ["vexilloquux", "ordinary"]) == ["vexilloquux", "ordinary"]
    assert update(folder, *make_corpus(KEPT, *more), words).deleted == 1
    assert traces(folder, SECRET_WORDS) == set()
    assert counted(folder, words, [*SECRET_WORDS, "ordinary"]) == ["ordinary"]
    index = Index.open(folder, words)
    assert index.lexical.search("Vexilloquux Mortigrandel", 5) == []
    assert index.manifest.removed == (0 if small > 1 else 2)
    index.close()
    report = compact(folder)
    assert report.removed == (0 if small > 1 else 2)
    index = Index.open(folder, words)
    assert (index.manifest.removed, index.vectors.count()) == (0, 11)
    index.close()


def test_a_changed_document_leaves_nothing_of_its_old_words(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(KEPT, ("docs/a.txt", SECRET[1] + "\n\nThe rest stays.")), words)
    assert update(folder, *make_corpus(KEPT, ("docs/a.txt", "The rest stays.")), words).updated == 1
    assert traces(folder, SECRET_WORDS) == set()
    assert counted(folder, words, SECRET_WORDS) == []


def test_a_title_that_went_is_in_no_count(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    documents, chunks = make_corpus(KEPT)
    named = [documents[0].model_copy(update={"title": "Vexilloquux", "metadata": {"by": "Mortigrandel"}})]
    update(folder, named, chunks, words)
    assert traces(folder, ["vexilloquux"])
    assert traces(folder, ["mortigrandel"])
    report = update(folder, documents, chunks, words)
    assert (report.updated, report.embedded) == (1, 0)
    assert traces(folder, SECRET_WORDS) == set()
    index = Index.open(folder, words)
    assert index.lexical.search("vexilloquux", 3) == []
    index.close()


def test_a_reader_keeps_the_words_no_longer_than_it_reads(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(KEPT, SECRET), words)
    reader = Index.open(folder, words)
    update(folder, *make_corpus(KEPT), words)
    assert traces(folder, SECRET_WORDS)
    assert reader.lexical.search("Vexilloquux", 1)
    reader.close()
    assert traces(folder, SECRET_WORDS) == set()


def test_vectors_that_wait_hold_no_words(
    tmp_path: Path, words: WordVectors, new_words: type[WordVectors], make_corpus: Callable[..., Corpus]
) -> None:
    class Failing(new_words):  # type: ignore[misc, valid-type]  # a fixture gives the class
        def embed(self, texts: list[str]) -> np.ndarray:
            if len(self.embedded) >= 64:
                raise InputError("no more", hint="")
            return super().embed(texts)  # type: ignore[no-any-return]

    folder = tmp_path / "i"
    many = [(f"docs/{n:03}.txt", f"Vexilloquux number {n}.") for n in range(80)]
    with pytest.raises(InputError):
        update(folder, *make_corpus(*many), Failing())
    (kept,) = folder.glob(".embedded-*")
    assert kept.stat().st_size > 64 * 4 * words.dimensions
    assert traces(folder, SECRET_WORDS) == set()
    kept.write_bytes(kept.read_bytes()[:5000])  # damaged by a power cut: of no use, and in nobody's way
    assert update(folder, *make_corpus(KEPT), words).documents == 1
    assert not list(folder.glob(".embedded*"))


def _cycles(folder: Path, words: WordVectors, make_corpus: Callable[..., Corpus], seed: int, steps: int) -> None:
    """Add and delete at random, documents of all sizes, and look at the bytes each time."""
    rng, live, made = random.Random(seed), dict[str, str](), 0
    for _ in range(steps):
        for _ in range(rng.randint(5, 40)):
            made += 1
            sizes = [rng.randint(1, 300) for _ in range(rng.randint(1, 3))]
            live[f"docs/{made}.txt"] = "\n\n".join(f"only{made:06d}z " * size for size in sizes).strip()
        for name in rng.sample(sorted(live), rng.randint(0, len(live) // 2)):
            del live[name]
        update(folder, *make_corpus(*sorted(live.items())), words, sync=True)
        held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert set(re.findall(rb"only\d{6}z", held)) == {text.split()[0].encode() for text in live.values()}


def test_moved_rows_leave_no_copies(tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]) -> None:
    _cycles(tmp_path / "index", words, make_corpus, 11, 12)  # in these `secure_delete` alone leaves some


@pytest.mark.slow
def test_moved_rows_leave_no_copies_ever(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(20):
        monkeypatch.setattr(building, "_SMALL", (1, 1000)[seed % 2])
        _cycles(tmp_path / str(seed), words, make_corpus, seed, 10)


def test_a_deleted_index_is_gone_when_its_last_reader_is(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    folder = tmp_path / "i"
    update(folder, *make_corpus(SECRET), words)
    one, two = Index.open(folder, words), Index.open(folder, words)
    delete(folder)
    assert versions.current(folder) is None
    assert not one.is_current()
    assert one.lexical.search("Vexilloquux", 1)
    one.close()
    assert two.document(make_corpus(SECRET)[0][0].id) is not None
    two.close()
    assert not folder.exists()
    update(folder, *make_corpus(SECRET), words)
    delete(folder)
    assert not folder.exists()
