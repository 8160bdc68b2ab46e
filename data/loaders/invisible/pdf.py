"""PDF: words that leave no trace on the page, found by drawing it.

White on white, transparent, tiny or in the invisible mode of text: each of them also has honest uses (white on a dark
bar, recognised words under a scanned picture). So pages with such words are drawn, and those words count as hidden
whose place on the page is of one colour.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium_c

from data.hidden import leave_out

if TYPE_CHECKING:
    import numpy as np
    import pypdfium2 as pdfium
    from numpy.typing import NDArray

_LIGHT, _FAINT = 235, 20
"""Value of a colour's weakest part from which letters may be white on white; opacity (of 255) below which unseen."""
_TINY = 1.5
"""Size in points below which letters cannot be read."""
_SPREAD = 24
"""Difference between the lightest and the darkest dot (of 255) from which something is drawn at a place."""
_SCALE, _MOST_DOTS = 1.5, 8_000_000
"""Dots a point, but on a page so large that it would take more memory than this."""
_MOST_OBJECTS = 20_000
_SUSPECT_MODES = (
    pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE,
    pdfium_c.FPDF_TEXTRENDERMODE_CLIP,
)


def take_out_invisible(page: pdfium.PdfPage) -> None:
    """Take the text objects off a page that cannot be seen on it; those inside form objects stay."""
    suspects = [item for item in _texts(page) if _is_suspect(item)]
    if not suspects:
        return
    dots = _drawn(page)
    left, bottom, right, top = page.get_bbox()
    across, down = dots.shape[1] / max(right - left, 1e-6), dots.shape[0] / max(top - bottom, 1e-6)
    for item in suspects:
        x0, y0, x1, y1 = item.get_bounds()
        columns = slice(max(0, int((x0 - left) * across)), max(0, int((x1 - left) * across) + 1))
        rows = slice(max(0, int((top - y1) * down)), max(0, int((top - y0) * down) + 1))
        place = dots[rows, columns]
        if place.size == 0 or int(place.max()) - int(place.min()) < _SPREAD or _size(item) < _TINY:
            leave_out("invisible text", _words(page, item))
            page.remove_obj(item)


def _texts(page: pdfium.PdfPage) -> Iterator[pdfium.PdfObject]:
    found = page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_TEXT], max_depth=1)
    for _, item in zip(range(_MOST_OBJECTS), found, strict=False):
        yield item


def _is_suspect(item: pdfium.PdfObject) -> bool:
    if pdfium_c.FPDFTextObj_GetTextRenderMode(item.raw) in _SUSPECT_MODES:
        return True
    parts = [ctypes.c_uint() for _ in range(4)]
    if pdfium_c.FPDFPageObj_GetFillColor(item.raw, *map(ctypes.byref, parts)):
        *colour, opacity = (part.value for part in parts)
        if min(colour) >= _LIGHT or opacity <= _FAINT:
            return True
    return _size(item) < _TINY


def _size(item: pdfium.PdfObject) -> float:
    """Return the height of an object's letters in points; its own bounds are those of the ink, of a dot a dot's."""
    size = ctypes.c_float()
    matrix = item.get_matrix()
    if not pdfium_c.FPDFTextObj_GetFontSize(item.raw, ctypes.byref(size)):
        return _TINY
    return abs(float(size.value)) * max(math.hypot(matrix.b, matrix.d), math.hypot(matrix.a, matrix.c))


def _words(page: pdfium.PdfPage, item: pdfium.PdfObject) -> str:
    textpage = page.get_textpage()
    size = pdfium_c.FPDFTextObj_GetText(item.raw, textpage.raw, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    pdfium_c.FPDFTextObj_GetText(item.raw, textpage.raw, ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR)), size)
    textpage.close()
    return buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\0")


def _drawn(page: pdfium.PdfPage) -> NDArray[np.uint8]:
    """Return the page as grey dots, top row first."""
    width, height = page.get_size()
    scale = min(_SCALE, math.sqrt(_MOST_DOTS / max(width * height, 1.0)))
    bitmap = page.render(scale=scale, grayscale=True)
    dots: NDArray[np.uint8] = bitmap.to_numpy().copy()
    bitmap.close()
    return dots.reshape(dots.shape[0], dots.shape[1])
