"""XLSX, by openpyxl: values only, no formulas, links or pictures. One heading a sheet.

Not by markitdown, whose converter writes "NaN" and "Unnamed: 3" into empty cells and needs the whole table twice.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from data.cleaning import normalise
from data.hidden import leave_out
from data.loaders.archives import check_archive
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.office import DAMAGED
from data.loaders.rows import rows_text

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def load_xlsx(content: bytes, limit: int) -> Loaded:
    """Read every sheet with values as Markdown tables. `limit` is the most bytes that the file may unpack to."""
    import openpyxl

    check_archive(content, limit, "xl/workbook.xml")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are not kept
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheets = [(sheet.title, rows_text(_rows(sheet), level=3)) for sheet in _shown(book)]
        title = book.properties.title or ""
    except DAMAGED as error:
        raise Unreadable("damaged", f"the content cannot be read ({type(error).__name__}: {error})") from error
    filled = [f"## {name}\n\n" + table.removeprefix(f"{name}\n\n") for name, table in sheets if table]
    if not filled:
        raise Unreadable("empty", "the sheets hold no values")
    text = normalise("\n\n".join(filled))
    return Loaded(text=text, media_type=_MEDIA_TYPE, title=title, metadata={"sheets": str(len(filled))})


def _shown(book: Workbook) -> Iterator[ReadOnlyWorksheet]:
    """Yield the sheets that a reader sees."""
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            yield sheet
        else:
            leave_out("invisible text", f"{sheet.title}\n{rows_text(_rows(sheet))}")


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what the file says of its own size is often wrong
    for row in sheet.iter_rows(values_only=True):
        yield [_value(cell) for cell in row]


def _value(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
