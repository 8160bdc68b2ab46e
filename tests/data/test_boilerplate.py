"""Boilerplate: what recurs on many pages is found, what two versions share is not."""

from __future__ import annotations

from pathlib import Path

from data.boilerplate import boilerplate
from data.chunking import chunk_document
from data.loaders import loader_of
from doceo.core.config import ChunkConfig
from doceo.core.records import Chunk, Document
from doceo.providers.minilm_onnx import MiniLM

MINILM = MiniLM()
NAVIGATION = "Home | About the museum | Opening hours | Collections | Contact | Sign in\n\nYou are on page {n} of 20."
FOOTER = (
    "We use cookies to improve this site. By going on you agree to our cookie policy.\n\n"
    "© {year} Museum of Clocks. All rights reserved. 12 Harbour Street, Aldern. Privacy policy. Terms of use.\n\n"
    "Subscribe to the newsletter. Follow us on the usual networks."
)
PARTS = ("escapement", "pendulum", "mainspring", "balance wheel", "fusee", "gear train", "dial", "striking mechanism")


def document(name: str, text: str, pages: tuple[int, ...] = ()) -> Document:
    return Document(
        id=Document.identify(text), source=name, media_type="text/html", title=name, text=text, sha256="", pages=pages
    )


def chunked(documents: list[Document]) -> list[Chunk]:
    return [chunk for one in documents for chunk in chunk_document(one, MINILM, ChunkConfig(target_tokens=60))]


def body(n: int, words: int = 60) -> str:
    """Return prose that no other page has."""
    return "\n\n".join(
        f"The {PARTS[(n + k) % 8]} w{n}v{k} was made by craftsman {chr(65 + n)}{k}xo in w{n}x{k}y; it runs {n}q{k}."
        for k in range(words // 10)
    )


def page(n: int) -> str:
    long = " ".join(f"w{n}o{k}" for k in range(120))
    return (
        f"{NAVIGATION.format(n=n)}\n\n# Clock {n}\n\n{body(n)}\n\n{long}.\n\n## Site\n\n{FOOTER.format(year=2000 + n)}"
    )


def test_navigation_and_footer_of_a_site() -> None:
    site = [document(f"site/{n}.html", page(n)) for n in range(20)]
    chunks = chunked(site)
    found = boilerplate(site, chunks)
    text = " ".join(chunk.text for chunk in chunks if chunk.id in found)
    assert text.count("All rights reserved") == 20
    assert all("craftsman" not in chunk.text for chunk in chunks if chunk.id in found)
    assert found == boilerplate(site[::-1], chunks[::-1])


def test_versions_of_a_text_are_no_boilerplate() -> None:
    text = "\n\n".join(body(n, 300) for n in range(12))
    for count in (2, 12):
        versions = [document(f"v{k}.md", f"{text}\n\nChanged in version {k}.") for k in range(count)]
        assert not boilerplate(versions, chunked(versions))


def test_few_occurrences_are_no_boilerplate() -> None:
    four = [document(f"{n}.html", page(n)) for n in range(4)]
    assert not boilerplate(four, chunked(four))


def test_a_notice_on_the_pages_of_one_document() -> None:
    notice = (
        "This copy is for the named reader only and may not be passed on, printed or stored by anyone else. "
        "Whoever finds it is asked to send it back to the archive of the library, which pays the postage for it."
    )
    parts = [f"{notice}\n\n# Part {n}\n\n{' '.join(f'p{n}w{k}' for k in range(90))}.\n\n" for n in range(12)]
    starts = tuple(sum(map(len, parts[:n])) for n in range(12))
    one = document("book.pdf", "".join(parts), starts)
    chunks = chunked([one])
    found = boilerplate([one], chunks)
    assert [chunk.text for chunk in chunks if chunk.id in found] == [notice] * len(found)
    assert len(found) >= 6
    assert not boilerplate([document("book.txt", "".join(parts))], chunks)


def test_tables_of_numbers_are_no_boilerplate() -> None:
    tables = [
        document(f"{n}.csv", "\n".join(f"| {n * 31 + k} | {k * n + 7} | {n}.{k} | {k}% |" for k in range(60)))
        for n in range(9)
    ]
    assert not boilerplate(tables, chunked(tables))


def test_nothing_at_all() -> None:
    assert boilerplate([], []) == frozenset()


def test_the_licence_at_the_end_of_books(shared_data: Path) -> None:
    import gzip

    epub = shared_data / "docs" / "epub" / "winter-sports.epub"
    whole = loader_of(".epub")(epub.read_bytes(), 1 << 26).text
    licence = whole[whole.index("START: FULL LICENSE") :]
    books = [
        document(path.name, gzip.decompress(path.read_bytes()).decode()[20_000:90_000] + "\n\n" + licence)
        for path in sorted((shared_data / "lm" / "gutenberg").glob("*.gz"))
    ]
    chunks = chunked(books)
    found = boilerplate(books, chunks)
    starts = {book.id: len(book.text) - len(licence) for book in books}
    inside = [chunk for chunk in chunks if chunk.span.end > starts[chunk.document_id]]
    assert {chunk.id for chunk in inside} >= found
    assert len(found) > 0.9 * len(inside) > 100


def test_real_documents_have_little(shared_data: Path) -> None:
    read = [shared_data / "docs" / name for name in ("txt/policy.txt", "txt/norwich-city.txt", "md/wiki.md")]
    documents = [document(path.name, path.read_text(encoding="utf-8")) for path in read]
    documents.append(document("again.txt", documents[0].text.replace("Debian Policy Manual", "The Manual")))
    assert not boilerplate(documents, chunked(documents))
