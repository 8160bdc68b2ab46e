"""PDF, by pypdfium2: text with a page map; scanned and locked files are named as such."""

from __future__ import annotations

import re

import pypdfium2 as pdfium

from data.cleaning import normalise, unwrapped, without_running_lines
from data.loaders.loaded import Loaded, Unreadable

_SOFT_HYPHEN = re.compile("[\ufffe\x02\u00ad]\r?\n?")


def load_pdf(content: bytes, limit: int) -> Loaded:
    """Read a PDF. Soft hyphens, running headers and footers are removed, wrapped lines joined to paragraphs."""
    if not content.strip():
        raise Unreadable("empty", "the file holds no bytes")
    try:
        pdf = pdfium.PdfDocument(content)
        raw = [_page_text(pdf, number) for number in range(len(pdf))]
        title = pdf.get_metadata_value("Title").strip()
    except pdfium.PdfiumError as error:
        if "assword" in str(error):
            raise Unreadable("password", "the PDF is locked; save it without a password") from error
        raise Unreadable("damaged", f"not a readable PDF: {error}") from error
    pages = [unwrapped(page) for page in without_running_lines(raw)]
    text, starts = "", []
    for page in pages:
        cleaned = normalise(page)
        starts.append(len(text))
        text += cleaned + "\n" if cleaned else ""
    if not text.strip():
        raise Unreadable(
            "no_text", "the pages hold pictures only; text recognition comes with: pip install 'doceo[ocr]'"
        )
    if not title or re.search(r"untitled|\.(?:docx?|tex|indd|qxd|dvi|pdf)\b|microsoft word", title, re.IGNORECASE):
        title = next((line for line in text.split("\n") if 3 < len(line) <= 90), "")
    return Loaded(text=text, media_type="application/pdf", title=title, pages=tuple(starts))


def _page_text(pdf: pdfium.PdfDocument, number: int) -> str:
    page = pdf[number]
    text: str = page.get_textpage().get_text_bounded()
    page.close()
    return _SOFT_HYPHEN.sub("", text.replace("\r\n", "\n"))
