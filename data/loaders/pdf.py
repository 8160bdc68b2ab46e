"""PDF, by pypdfium2: text with a page map; scanned and locked files are named as such."""

from __future__ import annotations

import re

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from data.cleaning import normalise, unwrapped, without_leaders, without_running_lines
from data.loaders.invisible.pdf import take_out_invisible
from data.loaders.loaded import Loaded, Unreadable

_SOFT_HYPHEN = re.compile("[\ufffe\x02\u00ad]\r?\n?")
_NO_TITLE = re.compile(r"untitled|\.(?:docx?|tex|indd|qxd|dvi|pdf)\b|microsoft word|^[a-z]*[\W\d_]\S*$", re.IGNORECASE)
"""A title in the metadata that is a file name, or one word with digits or hyphens, which mostly is one too."""
_OCR = "text recognition is planned as the extra doceo[ocr]"


def load_pdf(content: bytes, limit: int) -> Loaded:
    """Read a PDF. Soft hyphens, running headers and footers are removed, wrapped lines joined to paragraphs.

    A page that shows something but has no text counts as scanned: `scanned_pages` of the metadata. A PDF of such
    pages only raises Unreadable with reason `scanned`.
    """
    if not content.strip():
        raise Unreadable("empty", "the file holds no bytes")
    try:
        pdf = pdfium.PdfDocument(content)
        raw = [_page_text(pdf, number) for number in range(len(pdf))]
        scanned = sum(not text.strip() and _shows_something(pdf, number) for number, text in enumerate(raw))
        title = pdf.get_metadata_value("Title").strip()
    except pdfium.PdfiumError as error:
        if "assword" in str(error):
            raise Unreadable("password", "the PDF is locked; save it without a password") from error
        raise Unreadable("damaged", "cut off, or not a PDF") from error
    text, starts = "", []
    for page in map(unwrapped, without_running_lines(raw)):
        cleaned = normalise(page)
        starts.append(len(text))
        text += cleaned + "\n" if cleaned else ""
    if not text.strip():
        raise _without_text(len(raw), scanned)
    if not title or _NO_TITLE.search(title):
        title = next((line for line in text.split("\n") if 3 < len(line) <= 90), "")
    metadata = {"scanned_pages": str(scanned)} if scanned else {}
    return Loaded(text=text, media_type="application/pdf", title=title, pages=tuple(starts), metadata=metadata)


def _without_text(pages: int, scanned: int) -> Unreadable:
    if scanned:
        return Unreadable("scanned", f"{scanned} of {pages} pages are pictures without text; {_OCR}")
    return Unreadable("empty", f"the {pages} pages hold nothing")


def _page_text(pdf: pdfium.PdfDocument, number: int) -> str:
    page = pdf[number]
    take_out_invisible(page)
    text: str = page.get_textpage().get_text_bounded()
    page.close()
    return without_leaders(_SOFT_HYPHEN.sub("", text.replace("\r\n", "\n")))


def _shows_something(pdf: pdfium.PdfDocument, number: int) -> bool:
    """Return whether a page without text has pictures or many lines, as letters drawn as outlines have."""
    page = pdf[number]
    kinds = [item.type for item in page.get_objects(max_depth=3)]
    page.close()
    return pdfium_c.FPDF_PAGEOBJ_IMAGE in kinds or kinds.count(pdfium_c.FPDF_PAGEOBJ_PATH) > 20
