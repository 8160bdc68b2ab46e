"""Every format to text: what is kept, what is left out, under which headings."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from contextlib import suppress

import pytest
from docx import Document as Word
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

from data.loaders import LOADERS, Loaded, Unreadable, loader_of
from data.loaders.rows import rows_text
from data.loaders.sniffing import true_ending
from data.loaders.tables import delimiter_of

LIMIT = 2**26


def load(ending: str, content: bytes | str) -> Loaded:
    return loader_of(ending)(content.encode() if isinstance(content, str) else content, LIMIT)


def reason(ending: str, content: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        loader_of(ending)(content, LIMIT)
    return caught.value.reason


def slides() -> bytes:
    show = Presentation()
    first = show.slides.add_slide(show.slide_layouts[1])
    first.shapes.title.text = "The pool"
    first.placeholders[1].text = "It is 25 metres long.\nIt is heated."
    first.notes_slide.notes_text_frame.text = "Mention the sauna."
    second = show.slides.add_slide(show.slide_layouts[6])
    cells = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for at, word in enumerate(("Day", "Opens", "Monday", "8:15")):
        cells.cell(at // 2, at % 2).text = word
    return saved(show)


def saved(document: object) -> bytes:
    stream = io.BytesIO()
    document.save(stream)  # type: ignore[attr-defined]
    return stream.getvalue()


def zipped(members: dict[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_every_ending_has_a_loader_that_can_be_imported() -> None:
    assert all(callable(loader_of(ending)) for ending in LOADERS)
    assert {".pdf", ".docx", ".pptx", ".xlsx", ".epub", ".html", ".md", ".rst", ".txt", ".csv", ".json"} <= set(LOADERS)


def test_slides_are_pages_with_headings() -> None:
    read = load(".pptx", slides())
    assert read.title == "The pool"
    starts = [read.text[at:].split("\n")[0] for at in read.pages]
    assert starts == ["## The pool", "## Slide 2"]
    assert "- It is 25 metres long.\n- It is heated.\n" in read.text
    assert "### Notes\n\n- Mention the sauna." in read.text
    assert "| Day | Opens |\n| --- | --- |\n| Monday | 8:15 |" in read.text
    assert reason(".pptx", saved(Presentation())) == "empty"


def test_sheets_are_tables_under_headings() -> None:
    book = Workbook()
    book.active.title = "Prices"
    for row in (["Pass", "Price", None], ["Day", 4.0, None], [None, None, None], ["Month", 31.5, "reduced"]):
        book.active.append(row)
    book.create_sheet("Empty")
    read = load(".xlsx", saved(book))
    assert read.text.startswith("## Prices\n\n### Row 1\n\n| Pass | Price |\n| --- | --- |\n| Day | 4 |")
    assert "| Pass | Price | Column 3 |\n| --- | --- | --- |\n| Month | 31.5 | reduced |" in read.text
    assert not {"NaN", "None", "Unnamed", "Empty"} & set(read.text.split())


def test_word_tables_have_a_header() -> None:
    document = Word()
    document.add_heading("The pool", 1)
    cells = document.add_table(2, 2)
    for at, word in enumerate(("Day", "Opens", "Monday", "8:15")):
        cells.cell(at // 2, at % 2).text = word
    read = load(".docx", saved(document))
    assert read.title == "The pool"
    assert "| Day | Opens |\n| --- | --- |\n| Monday | 8:15 |" in read.text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(delimiter: str) -> None:
    rows = [["Town", "Note"], ["Bryne", "a ferry, cars; people"], ["Elmet", 'the "old" garden']]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    assert delimiter_of(file.getvalue()) == delimiter
    read = load(".csv", file.getvalue())
    assert '| Bryne | a ferry, cars; people |\n| Elmet | the "old" garden |' in read.text


def test_every_table_of_a_long_file_has_the_header_and_fits_a_passage() -> None:
    rows = "Town,Founded,People\n" + "".join(f"Town {n},{1800 + n},{n * 37}\n" for n in range(300))
    parts = load(".csv", rows).text.strip().split("\n\n")
    headings, tables = parts[::2], parts[1::2]
    assert len(tables) > 10
    assert headings[0] == "## Rows 1 to 18"
    assert headings[-1].endswith(" to 300")
    assert {table.split("\n")[0] for table in tables} == {"| Town | Founded | People |"}
    assert max(map(len, tables)) < 1000
    assert sum(table.count("\n") - 1 for table in tables) == 300


def test_wide_rows_become_records_and_long_values_paragraphs() -> None:
    long = "The tower was built in 1874 by the engineer Maria Holt. " * 4
    read = load(".csv", f'question,answer,source\nWho built it?,"{long}",a page\n')
    assert read.text == f"## Who built it?\n\n{long.strip()}\n\n- source: a page\n"
    second = load(".csv", f'question,answer,notes\nWho built it?,"{long}",\nWho paid?,A guild.,"{long}"\n').text
    assert second == (f"## Who built it?\n\n{long.strip()}\n\n## Who paid?\n\nA guild.\n\nnotes:\n\n{long.strip()}\n")


def test_ragged_rows_headless_tables_captions_and_lone_quotes() -> None:
    ragged = load(".csv", "1,2\na,b\na,b,c\nd\n").text
    assert ragged.split("\n\n")[::2] == ["## Rows 1 to 2", "## Rows 3 to 4"]
    assert ragged.endswith("| Column 1 | Column 2 | Column 3 |\n| --- | --- | --- |\n| a | b | c |\n| d |  |  |\n")
    assert load(".csv", "Stanley Cups,,\nTeam,City,Cups\nBlues,STL,1\n").text.startswith("Stanley Cups\n\n| Team |")
    assert load(".csv", "only,a,header\n").text.startswith("| only | a | header |")
    assert '| screen | "19 |\n| lamp | 3 |' in load(".tsv", 'name\tsize\nscreen\t"19\nlamp\t3\n').text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5), max_size=8))
def test_no_cell_is_lost(rows: list[list[str]]) -> None:
    text = rows_text(rows).replace("\\|", "|")
    assert all(" ".join(cell.split()) in text for row in rows for cell in row)


def test_json_records_are_blocks_of_keys_and_values() -> None:
    value = {
        "site": "Elmet",
        "open": True,
        "towns": [{"name": "Bryne", "at": {"lat": 1.5}, "tags": ["a", "b"]}, {"x": 1}],
    }
    read = load(".json", json.dumps(value))
    assert read.text == (
        "- site: Elmet\n- open: true\n\n## towns\n\n"
        "### Bryne\n\n- at.lat: 1.5\n- tags: a, b\n\n### Record 2\n\n- x: 1\n"
    )
    lines = load(".jsonl", '{"q": "What?", "a": "That."}\nbroken\n\n{"q": "Who?", "a": null}\n')
    assert lines.text == "## What?\n\n- q: What?\n- a: That.\n\n## Who?\n\n- q: Who?\n"
    assert lines.metadata["broken_lines"] == "1, the first is line 2"


def test_broken_json_names_the_line() -> None:
    with pytest.raises(Unreadable, match="line 3, column 8") as caught:
        load(".json", '{\n"a": 1,\n"name" 2}')
    assert caught.value.reason == "damaged"
    assert reason(".jsonl", b"a\nb\n{}") == "damaged"
    assert reason(".json", b"[]") == "empty"
    assert load(".json", '{"a": 1}\n{"b": 2}').media_type == "application/x-ndjson"


RST = """
=====
Guide
=====

.. toctree::

   other

.. include:: /etc/hostname

.. raw:: html
   :file: /etc/hostname

The pool
========

See :ref:`the rules <rules>` and :class:`~swim.Pool`; ``depth`` is |unknown|.

.. note:: Take care.

.. versionadded:: 3.2
   A sauna.

.. code-block:: python
   :linenos:

   def swim(): ...

.. py:function:: dive(metres)

   Go down.

====  =====
Day   Opens
====  =====
Mon   8:15
====  =====
"""


def test_rst_keeps_structure_and_includes_nothing() -> None:
    read = load(".rst", RST)
    assert read.title == "Guide"
    assert "# Guide\n\n## The pool\n\nSee the rules and Pool; `depth` is" in read.text
    for kept in (
        "Note:\n\nTake care.",
        "Added in 3.2",
        "A sauna.",
        "```\ndef swim(): ...\n```",
        "dive(metres)",
        "Go down.",
    ):
        assert kept in read.text
    assert "| Day | Opens |\n| --- | --- |\n| Mon | 8:15 |" in read.text
    assert not {"toctree", "include", "hostname", "other"} & set(read.text.replace(":", " ").split())


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab \n=-~*`:._|<>[]+#\\"), max_size=120))
def test_rst_never_fails(text: str) -> None:
    with suppress(Unreadable):
        assert load(".rst", text).text


def test_org_rtf_odt_xml_and_mail() -> None:
    org = (
        "#+TITLE: Pool\n* TODO Hours :x:\n:PROPERTIES:\n:ID: 1\n:END:\n[[http://a.b][The site]] =code=\n"
        "#+BEGIN_SRC sh\nls\n#+END_SRC"
    )
    assert load(".org", org).text == "# Hours\nThe site `code`\n```sh\nls\n```\n"
    assert load(".org", org).title == "Pool"
    assert (
        load(".rtf", rb"{\rtf1\ansi {\b Pool}\par It is 25 m\'e8tres long.\par}").text
        == "Pool\nIt is 25 mètres long.\n"
    )
    text, table = "urn:oasis:names:tc:opendocument:xmlns:text:1.0", "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    body = (
        '<t:h t:outline-level="2">Pool</t:h><t:p>It is<t:s/>long.</t:p><t:list><t:list-item><t:p>One</t:p>'
        "</t:list-item></t:list><b:table><b:table-row><b:table-cell><t:p>Day</t:p></b:table-cell></b:table-row></b:table>"
    )
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    xml = f'<o:d xmlns:o="{office}" xmlns:t="{text}" xmlns:b="{table}"><o:body><o:text>{body}</o:text></o:body></o:d>'
    read = load(".odt", zipped({"content.xml": xml}))
    assert read.text == "## Pool\n\nIt is long.\n\n- One\n\n| Day |\n| --- |\n"
    feed = "<rss><title>News</title><u>http://a.b</u><p>The <b>pool</b> opens.</p><d>&lt;p&gt;Soon.&lt;/p&gt;</d></rss>"
    assert load(".xml", feed).text == "News\n\nThe pool opens.\n\nSoon.\n"
    mail = "From: a@b.c\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nContent-Type: text/html\n\n<p>The pool <b>opens</b>.</p>"
    assert load(".eml", mail).text == "- From: a@b.c\n- Subject: Grüße\n\nThe pool **opens**.\n"


def test_pages_of_the_web() -> None:
    lines = "RFC 1\n\n   A protocol    is a set of rules.\n"
    assert load(".html", f"<html><body><pre>{lines}</pre></body></html>").text == lines
    layout = f"<table><tr><td><p>{'The pool is heated. ' * 40}</p></td></tr></table>"
    assert "|" not in load(".html", layout).text
    table = "<table><tr><td>Day</td><td>Opens</td></tr><tr><td>Mon</td><td>8:15</td></tr></table>"
    assert load(".html", table).text.startswith("| Day | Opens |\n| --- | --- |\n| Mon | 8:15 |")
    page = "<body><header><h1>Pool</h1><ul><li>Menu</li></ul></header><p>Open.</p><footer>Imprint</footer></body>"
    assert load(".html", page).text == "# Pool\n\nOpen.\n"


PDF = b"%PDF-1.7\n..."


@pytest.mark.parametrize(
    ("ending", "content", "found"),
    [
        (".pdf", b"<html><body>x</body></html>", ".html"),
        (".docx", b"plain words", ".txt"),
        (".txt", PDF, ".pdf"),
        (".doc", rb"{\rtf1 x}", ".rtf"),
        (".pdf", zipped({"word/document.xml": "x"}), ".docx"),
        (".docm", zipped({"word/document.xml": "x"}), ".docx"),
        (".docx", zipped({"other": "x"}), ".docx"),
        (".docx", b"PK\x03\x04 cut off", ".docx"),
        (".xlsx", b"\xd0\xcf\x11\xe0 old", ".xlsx"),
        (".pdf", bytes(range(256)), ".pdf"),
        (".txt", b"<html></html>", ".txt"),
        ("", b"<!-- a --><!DOCTYPE html><p>x", ".html"),
        ("", b"words", ".txt"),
        ("", PDF, ".pdf"),
        (".xyz", b"words", ".xyz"),
    ],
)
def test_a_lying_ending_is_found_out(ending: str, content: bytes, found: str) -> None:
    assert true_ending(ending, content) == found


def test_other_formats_say_what_to_do() -> None:
    for ending, advice in ((".doc", "docx"), (".png", "picture"), (".zip", "unpack"), (".xyz", ".xyz")):
        with pytest.raises(Unreadable, match=advice) as caught:
            loader_of(ending)
        assert caught.value.reason == "unsupported"
