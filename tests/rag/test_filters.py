from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doceo.core.errors import UsageError
from rag import filters, lexical
from rag.filters import Selection, Where
from rag.index import Index
from rag.indexing import update
from rag.retriever import HybridRetriever

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Corpus, WordVectors

FILES = {
    "laws/a_1.pdf": ("Apples grow on trees.", {"language": "en", "by": "Ann"}),
    "laws/b%2.PDF": ("Birnen wachsen.", {"language": "de"}),
    "notes/c[3].txt": ("Cherries are red.", {"language": "en", "odd key\"'": "x"}),
    "notes/d\\4.txt": ("Dates are sweet.", {}),
}


@pytest.fixture(scope="module")
def index(
    tmp_path_factory: pytest.TempPathFactory, new_words: type[WordVectors], make_corpus: Callable[..., Corpus]
) -> Iterator[Index]:
    documents, chunks = make_corpus(*((source, text) for source, (text, _) in FILES.items()))
    told = [document.model_copy(update={"metadata": FILES[document.source][1]}) for document in documents]
    folder, words = tmp_path_factory.mktemp("filters") / "i", new_words()
    update(folder, told, chunks, words)
    opened = Index.open(folder, words)
    yield opened
    opened.close()


def sources(index: Index, *conditions: str) -> set[str]:
    ids = index.texts.matching(Where.parse(conditions))
    return {stored.source for stored in index.texts.chunks(ids).values()}


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ((), set(FILES)),
        (("source=*.pdf",), {"laws/a_1.pdf", "laws/b%2.PDF"}),
        (("source=laws/*", "language=de"), {"laws/b%2.PDF"}),
        (("language=e*",), {"laws/a_1.pdf", "notes/c[3].txt"}),
        (("language=d",), set()),
        (("source=laws/a_1.pdf",), {"laws/a_1.pdf"}),
        (("source=laws/a?1.pdf",), set()),
        (("source=*%*",), {"laws/b%2.PDF"}),
        (("source=*[3]*",), {"notes/c[3].txt"}),
        (("source=*\\4*",), {"notes/d\\4.txt"}),
        (("odd key\"'=x",), {"notes/c[3].txt"}),
        (("media_type=text/plain", "title=notes*"), {"notes/c[3].txt", "notes/d\\4.txt"}),
        (("by=Ann' OR 1=1 --",), set()),
    ],
)
def test_conditions(index: Index, conditions: tuple[str, ...], found: set[str]) -> None:
    assert sources(index, *conditions) == found


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=st.text(alphabet="laws/nots_1%.*\\cd", min_size=1, max_size=8).filter(str.strip))
def test_a_star_and_nothing_else_is_special(index: Index, pattern: str) -> None:
    plain = pattern.strip().replace("[", "[[]").lower()
    assert sources(index, f"source={pattern}") == {name for name in FILES if fnmatchcase(name.lower(), plain)}


@pytest.mark.parametrize("text", ["", "source", "=x", "source=", " = ", "source= "])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(UsageError, match="is not a condition"):
        Where.parse([text])


def test_a_field_that_no_document_has(index: Index) -> None:
    with pytest.raises(UsageError, match="'langage'") as caught:
        Selection(index.texts, index.vectors, Where.parse(["langage=de"]))
    assert caught.value.hint == "Did you mean language?"
    with pytest.raises(UsageError) as caught:
        Selection(index.texts, index.vectors, Where.parse(["zzz=1"]))
    assert "source, title, media_type, by, language" in caught.value.hint


def test_what_is_selected_is_searched_alike_in_every_way(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        (f"{'ab'[n % 2]}/{n}.txt", f"Number {n} is {'odd' if n % 2 else 'even'}, word{n % 7}.") for n in range(120)
    ]
    update(tmp_path / "i", *make_corpus(*files), words)
    index = Index.open(tmp_path / "i", words)
    vector, where = words.embed(["number 5 word5 odd"])[0], Where.parse(["source=a/*"])
    exact = Selection(index.texts, index.vectors, where)
    assert len(exact.ids) == 60
    best = exact.search(vector, 60)
    assert {key for key, _ in best} == exact.ids
    assert best == sorted(best, key=lambda pair: (-pair[1], pair[0]))
    assert exact.search(vector, 7)[0] == best[0]
    monkeypatch.setattr(filters, "_EXACT", 0)
    large = Selection(index.texts, index.vectors, where)
    for k in (1, 5, 60):  # by looking through more, then by naming the ids to Chroma
        found = large.search(vector, k)
        assert len(found) == k
        assert [score for _, score in found] == pytest.approx([score for _, score in best[:k]], abs=1e-5)
        assert {key for key, _ in found} <= large.ids
    every = index.lexical.search("number odd word5", 120)
    for k, ids in ((3, exact.ids), (60, exact.ids), (5, sorted(exact.ids)[:4])):  # many ids are not named
        wanted = [pair for pair in every if pair[0] in set(ids)][:k]
        found = index.lexical.search("number odd word5", k, within=ids)
        assert [score for _, score in found] == pytest.approx([score for _, score in wanted], abs=1e-5)
        assert {key for key, _ in found} <= set(ids)
        with monkeypatch.context() as patched:
            patched.setattr(lexical, "_MANY", 0)
            assert index.lexical.search("number odd word5", k, within=ids) == found, "the same, named as a set"
    index.close()


def test_nothing_selected(index: Index, words: WordVectors) -> None:
    nothing = Selection(index.texts, index.vectors, Where.parse(["language=fr"]))
    assert not nothing.ids
    assert nothing.search(words.embed(["apples"])[0], 5) == []
    assert index.lexical.search("apples", 5, within=nothing.ids) == []


def test_a_text_of_several_sources_goes_by_one_that_may_be_found(
    tmp_path: Path, words: WordVectors, make_corpus: Callable[..., Corpus]
) -> None:
    documents, chunks = make_corpus(("a.txt", "Apples."), ("b.txt", "Apples."), ("c.txt", "Pears."))
    update(tmp_path / "i", documents, list({chunk.id: chunk for chunk in chunks}.values()), words)
    index = Index.open(tmp_path / "i", words)
    every = HybridRetriever(index)
    assert [one.hit.source for one in every.search("apples", 1)] == ["a.txt"]
    assert [one.hit.source for one in every.limited(["b.txt", "c.txt"]).search("apples", 1)] == ["b.txt"]
    index.close()
