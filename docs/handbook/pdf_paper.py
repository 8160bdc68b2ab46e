"""A handbook page as a PDF with numbered pages and embedded fonts."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from blocks import Block, Run, parse, plain
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    ListFlowable,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

_FONTS = {"DejaVu": "DejaVuSerif.ttf", "DejaVuBold": "DejaVuSerif-Bold.ttf", "DejaVuMono": "DejaVuSansMono.ttf"}
_BODY = ParagraphStyle("body", fontName="DejaVu", fontSize=9, leading=13, spaceAfter=6)
_ITEM = ParagraphStyle("item", parent=_BODY, spaceAfter=3)
_CELL = ParagraphStyle("cell", parent=_BODY, fontSize=8, leading=10.5, spaceAfter=0)
_CODE = ParagraphStyle("code", fontName="DejaVuMono", fontSize=7.5, leading=10, spaceAfter=9)
_HEADS = {
    1: ParagraphStyle("h1", fontName="DejaVuBold", fontSize=17, leading=22, spaceAfter=12),
    2: ParagraphStyle(
        "h2", fontName="DejaVuBold", fontSize=12, leading=16, spaceBefore=10, spaceAfter=6, keepWithNext=1
    ),
    3: ParagraphStyle(
        "h3", fontName="DejaVuBold", fontSize=10, leading=14, spaceBefore=7, spaceAfter=4, keepWithNext=1
    ),
}


class _Whole(Paragraph):
    """A paragraph that stays on one page."""

    def split(self, availWidth: float, availHeight: float) -> list[Flowable]:  # noqa: N803 (reportlab's names)
        return []


def build_pdf(page: str, path: Path) -> None:
    """Write a page as an A5 PDF; the same page and the same fonts give the same bytes."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in _FONTS.items():
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    blocks = parse(page)
    title = plain(blocks[0].lines[0])
    paper = SimpleDocTemplate(
        str(path), pagesize=A5, leftMargin=1.7 * cm, rightMargin=1.7 * cm, topMargin=1.7 * cm, bottomMargin=2.0 * cm,
        title=title, author="The authors of Doceo", subject="Doceo handbook", creator="Doceo", invariant=1, lang="en",
    )  # fmt: skip

    def footer(canvas: Canvas, template: SimpleDocTemplate) -> None:
        canvas.setFont("DejaVu", 8)
        canvas.drawString(template.leftMargin, 1.3 * cm, f"Doceo handbook: {title}")
        canvas.drawRightString(A5[0] - template.rightMargin, 1.3 * cm, f"Page {canvas.getPageNumber()}")

    paper.build([part for block in blocks for part in _flowables(block)], onFirstPage=footer, onLaterPages=footer)


def _flowables(block: Block) -> list[Flowable]:
    if block.kind == "heading":
        return [Paragraph(_marked(block.lines[0]), _HEADS[block.level])]
    if block.kind == "paragraph":
        return [_Whole(_marked(block.lines[0]), _BODY)]
    if block.kind == "code":
        return [Preformatted("\n".join(plain(line) for line in block.lines), _CODE)]
    if block.kind == "table":
        return [KeepTogether([_table(block)]), Spacer(1, 9)]
    items = [_Whole(_marked(line), _ITEM) for line in block.lines]
    numbered = block.kind == "numbers"
    return [
        ListFlowable(
            items,
            bulletType="1" if numbered else "bullet",
            start=1 if numbered else "\u2022",
            bulletFormat="%s." if numbered else None,
            bulletFontName="DejaVu",
            bulletFontSize=9,
            leftIndent=16,
        ),
        Spacer(1, 5),
    ]


def _table(block: Block) -> Table:
    cells = [Paragraph(_marked(line), _CELL) for line in block.lines]
    rows = [cells[i : i + block.columns] for i in range(0, len(cells), block.columns)]
    rules: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return Table(rows, repeatRows=1, style=TableStyle(rules))


def _marked(line: tuple[Run, ...]) -> str:
    return "".join(_styled(run) for run in line)


def _styled(run: Run) -> str:
    text = escape(run.text, quote=False)
    if run.code:
        return f'<font name="DejaVuMono" size="8">{text}</font>'
    return f'<font name="DejaVuBold">{text}</font>' if run.bold else text
