"""Files that mean harm, by accident or not: read or skipped by name, nothing is fetched, and the rest goes on."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from docx import Document as Word

from data.loaders import Unreadable
from data.loaders.archives import check_archive
from data.reader import Reader, read_files
from data.sources import SourceFile, find_files
from doceo.core.config import ReadConfig
from doceo.core.records import Document, Skipped

ROOT = Path(__file__).resolve().parents[2]
LAUGHS = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
"""An entity that grows; in the real ones it goes on to a billion."""


def read_one(path: Path, **config: float) -> Document | Skipped:
    return next(iter(read_files([SourceFile(path.name, path)], ReadConfig.model_validate(config))))


def reasons(folder: Path, **config: float) -> dict[str, str]:
    """Read a folder with one process; return why each file was skipped, or "" where it was read."""
    files = [SourceFile(path.name, path) for path in sorted(folder.iterdir())]
    records = list(read_files(files, ReadConfig.model_validate(config), workers=1))
    assert [record.source for record in records] == [file.source for file in files]
    assert all(record.detail for record in records if isinstance(record, Skipped))
    return {record.source: record.reason if isinstance(record, Skipped) else "" for record in records}


def changed(path: Path, member: str, content: bytes) -> Path:
    """Write a Word document in which one member is another."""
    Word().save(str(path))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, old in {**members, member: content}.items():
            archive.writestr(name, content if name == member else old)
    return path


def forged(member: str, size: int) -> bytes:
    """Return an archive whose headers say that a member of this size has 1000 bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, b"0" * size)
    return stream.getvalue().replace(struct.pack("<I", size), struct.pack("<I", 1000))


def test_bombs_are_refused_before_they_go_off(tmp_path: Path) -> None:
    changed(tmp_path / "a.docx", "word/document.xml", b"0" * 3_000_000)
    changed(tmp_path / "b.docx", "word/media/x.png", b"0" * 3_000_000)
    (tmp_path / "c.txt").write_bytes(b"0" * 2_100_000)
    header = ",".join(f"a very long name of column {n}" for n in range(40))
    (tmp_path / "growing.csv").write_text(header + ("\n" + "1," * 40) * 20_000)
    assert set(reasons(tmp_path, megabytes=2).values()) == {"too_large"}


def test_an_archive_whose_headers_lie_is_not_unpacked() -> None:
    content = forged("word/document.xml", 50_000_000)
    tracemalloc.start()
    with pytest.raises(Unreadable) as caught:
        check_archive(content, 2**20, "word/document.xml")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == "damaged"
    assert peak < 10 * 2**20


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_never_expanded(tmp_path: Path, encoding: str) -> None:
    xml = LAUGHS.replace('"1.0"', f'"1.0" encoding="{encoding}"') + "<d>&b;</d>"
    changed(tmp_path / "a.docx", "word/document.xml", xml.encode(encoding))
    changed(tmp_path / "b.docx", "word/styles.xml", xml.encode(encoding))
    (tmp_path / "a.xml").write_bytes(xml.encode(encoding))
    assert set(reasons(tmp_path).values()) == {"hostile"}


def test_nesting_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 200_000)
    (tmp_path / "b.html").write_text("<div>" * 5_000 + "The pool is 25 metres long." + "</div>" * 5_000)
    (tmp_path / "c.xml").write_text("<a>" * 20_000 + "x" + "</a>" * 20_000)
    (tmp_path / "d.rst").write_text("\n".join(" " * n + "* a\n" for n in range(0, 1_000, 2)))
    assert reasons(tmp_path) == {"a.json": "too_complex", "b.html": "", "c.xml": "too_complex", "d.rst": ""}


def test_a_line_of_fifty_megabytes_is_read(tmp_path: Path) -> None:
    (tmp_path / "line.txt").write_bytes(b"word " * 10_000_000)
    (tmp_path / "blanks.txt").write_bytes(b"a" + b" " * 10_000_000 + b"\n" * 10_000_000 + b"b")
    record = read_one(tmp_path / "line.txt")
    assert isinstance(record, Document)
    assert len(record.text) == 50_000_001
    blanks = read_one(tmp_path / "blanks.txt", memory=512)
    assert isinstance(blanks, Document)
    assert blanks.text == "a\n\nb\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_a_file_that_never_ends_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "next.txt").write_text("The next one is read.")
    reader = Reader(ReadConfig(seconds=2))
    try:
        first = reader.read(SourceFile("pipe.txt", tmp_path / "pipe.txt"))
        then = reader.read(SourceFile("next.txt", tmp_path / "next.txt"))
    finally:
        reader.close()
    assert isinstance(first, Skipped)
    assert first.reason == "timeout"
    assert isinstance(then, Document)


def test_a_file_that_takes_all_memory_is_killed_and_the_next_one_read(tmp_path: Path) -> None:
    (tmp_path / "hog.json").write_bytes(b"[" + b"[]," * 14_000_000 + b"[]]")
    (tmp_path / "next.txt").write_text("The next one is read.")
    files = [SourceFile(name, tmp_path / name) for name in ("hog.json", "next.txt")]
    records = list(read_files(files, ReadConfig(memory=512), workers=1))
    assert [r.reason if isinstance(r, Skipped) else r.text for r in records] == ["memory", "The next one is read.\n"]


class Trap(ThreadingHTTPServer):
    """A server that nobody may call."""

    def __init__(self) -> None:
        self.called: list[str] = []
        super().__init__(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        called = self.called

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                called.append(self.path)

        return Handler


@pytest.fixture
def trap() -> Iterator[Trap]:
    server = Trap()
    yield server
    server.shutdown()
    server.server_close()


def test_nothing_is_fetched(tmp_path: Path, trap: Trap) -> None:
    secret = tmp_path.parent / f"{tmp_path.name}-secret.txt"
    secret.write_text("open sesame")
    web, file = f"http://127.0.0.1:{trap.server_port}/x", secret.as_uri()
    for n, url in enumerate((web, file)):
        (tmp_path / f"{n}.html").write_text(
            f'<html><head><base href="{url}"><link rel="stylesheet" href="{url}"><script src="{url}"></script></head>'
            f'<body><p>The pool {n} is long.</p><img src="{url}"><iframe src="{url}"></iframe>'
            f'<object data="{url}"></object><a href="{url}">more</a></body></html>'
        )
        (tmp_path / f"{n}.md").write_text(
            f"# Pool {n}\n\n![x]({url}) [more]({url}) <img src='{url}'>\n\n{{% include {url} %}}"
        )
        (tmp_path / f"{n}.rst").write_text(
            f"Pool {n} is long.\n\n.. include:: {secret}\n\n.. raw:: html\n   :url: {url}\n"
            f"\n.. raw:: html\n   :file: {secret}\n\n.. csv-table::\n   :url: {url}\n"
            f"\n.. csv-table::\n   :file: {secret}\n\n.. image:: {url}\n"
            f"\n.. literalinclude:: {secret}\n"
        )
        (tmp_path / f"{n}.xml").write_text(
            f'<?xml version="1.0"?><!DOCTYPE d SYSTEM "{url}"><d>The pool {n} opens at eight.</d>'
        )
        xml = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "{url}">]><w>&x;</w>'
        changed(tmp_path / f"{n}.docx", "word/document.xml", xml.encode())
    records = list(read_files(find_files([str(tmp_path)]), ReadConfig()))
    assert trap.called == []
    assert not any(isinstance(r, Document) and "sesame" in r.text for r in records)
    assert sorted(r.reason for r in records if isinstance(r, Skipped)) == ["hostile", "hostile"]


ATTEMPTS = """
import socket, subprocess, sys, urllib.request
from pathlib import Path
from data.loaders.guard import Guard, Refused
own, other = map(Path, sys.argv[1:])
attempts = [
    lambda: socket.socket(), lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: urllib.request.urlopen("http://127.0.0.1:9/"), lambda: urllib.request.urlopen(other.as_uri()),
    lambda: subprocess.run(["true"]), lambda: other.read_text(), lambda: other.write_text("x"),
    lambda: (own.parent / "new").write_text("x"),
]
refused = 0
with Guard(own):
    assert own.read_text() == "mine"
    import wave  # a module that is not loaded yet can be
    for attempt in attempts:
        try:
            attempt()
        except Refused:
            refused += 1
        except OSError as error:
            refused += isinstance(error.__cause__ or error.__context__ or getattr(error, "reason", None), Refused)
assert refused == len(attempts), refused
assert other.read_text() == "theirs"
"""


def test_the_reading_process_refuses_sockets_programs_and_other_files(tmp_path: Path) -> None:
    for name, words in (("own.txt", "mine"), ("other.txt", "theirs")):
        (tmp_path / name).write_text(words)
    command = [sys.executable, "-c", ATTEMPTS, str(tmp_path / "own.txt"), str(tmp_path / "other.txt")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "new").exists()


BAD = {
    "all-whitespace.txt": "empty",
    "billion-laughs.docx": "hostile",
    "cr-only.txt": "Line one.\nLine two.\nLine three.\n",
    "csv-too-many-columns.csv": "| a | b | c | d | e |",
    "empty.txt": "empty",
    "encrypted-aes256-needs-password.pdf": "password",
    "encrypted-owner-only.pdf": "pdf encryption test",
    "failure-after-repair.pdf": "A guide for people with cancer,",
    "header-only.pdf": "damaged",
    "html-named.pdf": "I am HTML, not a PDF.\n",
    "incomplete-json.txt": '"name": "John Doe"',
    "invalid-utf8.txt": "Valid start. \ufffd\ufffd\ufffd broken \ufffd( bytes",
    "malformed.pptx": "## Test Slide\n\n- Problem Date Placeholder\n",
    "no-document-xml.docx": "damaged",
    "nul-bytes.txt": "The quick brown fox.\n",
    "one-long-line.txt": "word word word",
    "password.pdf": "password",
    "password_protected.xlsx": "password",
    "prompt-injection.txt": "The warehouse opens at 8:15 on weekdays.",
    "random-named.pdf": "damaged",
    "random.bin": "unsupported",
    "script.html": "# Notice\n\nThe pool is 25 metres long.\n",
    "text-named.docx": "Just plain text with a docx name.\n",
    "truncated-half.pdf": "damaged",
    "truncated.docx": "damaged",
    "wrong-charset-declared.html": "Café crème brûlée, naïve.\n",
    "xxe.docx": "hostile",
    "zip-slip.epub": "hostile",
}
"""What becomes of every bad file: the reason why it is skipped, else words of its text."""


def test_every_bad_file_is_read_or_skipped_by_name(shared_data: Path) -> None:
    files = find_files([str(shared_data / "bad")])
    records = {r.source.removeprefix("bad/"): r for r in read_files(files, ReadConfig())}
    assert set(records) == set(BAD)
    for name, expected in BAD.items():
        record = records[name]
        if isinstance(record, Skipped):
            assert (name, record.reason) == (name, expected)
            assert record.detail
        else:
            assert expected in record.text, name
            assert "root:" not in record.text
            assert "alert(" not in record.text
