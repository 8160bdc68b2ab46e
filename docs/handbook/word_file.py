"""A handbook page as a Word document with real heading, list and table styles."""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from datetime import datetime
from pathlib import Path

from archive import write_archive
from blocks import Block, Run, parse, plain
from docx import Document
from docx.document import Document as WordDocument
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

_WHEN = datetime(2026, 1, 1)


def build_docx(page: str, path: Path) -> None:
    """Write a page as a .docx file; the same page gives the same bytes."""
    blocks = parse(page)
    document = Document()
    properties = document.core_properties
    properties.title = plain(blocks[0].lines[0])
    properties.author = properties.last_modified_by = "The authors of Doceo"
    properties.comments = ""
    properties.created = properties.modified = _WHEN
    for block in blocks:
        _add(document, block)
    whole = io.BytesIO()
    document.save(whole)
    with zipfile.ZipFile(whole) as archive:
        write_archive(path, [(name, archive.read(name)) for name in archive.namelist()])


def _add(document: WordDocument, block: Block) -> None:
    if block.kind == "heading":
        document.add_heading(plain(block.lines[0]), level=block.level)
    elif block.kind == "table":
        _add_table(document, block)
    elif block.kind == "numbers":
        number = _fresh_numbering(document)
        for line in block.lines:
            paragraph = document.add_paragraph(style="List Number")
            _write(paragraph, line)
            properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            properties.get_or_add_ilvl().val = 0
            properties.get_or_add_numId().val = number
    else:
        style = {"bullets": "List Bullet", "code": "No Spacing"}.get(block.kind, "Normal")
        for line in block.lines:
            _write(document.add_paragraph(style=style), line)


def _add_table(document: WordDocument, block: Block) -> None:
    rows = [block.lines[i : i + block.columns] for i in range(0, len(block.lines), block.columns)]
    table = document.add_table(rows=len(rows), cols=block.columns, style="Table Grid")
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, line in zip(row.cells, cells, strict=True):
            _write(cell.paragraphs[0], line)
    marker = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(marker)


def _write(paragraph: Paragraph, line: tuple[Run, ...]) -> None:
    for run in line:
        written = paragraph.add_run(run.text)
        written.bold = run.bold or None
        if run.code:
            written.font.name = "Courier New"


def _fresh_numbering(document: WordDocument) -> int:
    """Return the id of a new numbering that starts at 1; Word would go on counting from the list before."""
    style = document.styles["List Number"].element
    shared = style.find(f"./{qn('w:pPr')}/{qn('w:numPr')}/{qn('w:numId')}").get(qn("w:val"))
    numbering = document.part.numbering_part.element
    original = next(num for num in numbering.findall(qn("w:num")) if num.get(qn("w:numId")) == shared)
    fresh = deepcopy(original)
    number = 1 + max(int(num.get(qn("w:numId"))) for num in numbering.findall(qn("w:num")))
    fresh.set(qn("w:numId"), str(number))
    override = OxmlElement("w:lvlOverride")
    override.set(qn("w:ilvl"), "0")
    start = OxmlElement("w:startOverride")
    start.set(qn("w:val"), "1")
    override.append(start)
    fresh.append(override)
    numbering.append(fresh)
    return number
