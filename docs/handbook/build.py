"""Build the parts of the handbook that are not Markdown: HTML, PDF, DOCX and EPUB from the pages beside this file.

Run `python docs/handbook/build.py`; the files go to `data/sample/handbook/`. Equal pages give equal bytes: no clock is
read. Needs, for development only: markdown-it-py, python-docx, reportlab, and matplotlib's DejaVu fonts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from epub_book import build_epub  # noqa: E402
from html_page import build_html  # noqa: E402
from pdf_paper import build_pdf  # noqa: E402
from word_file import build_docx  # noqa: E402

TARGET = HERE.parents[1] / "data" / "sample" / "handbook"
PAGES: dict[str, Callable[[str, Path], None]] = {
    "evaluation.html": build_html,
    "faq.html": build_html,
    "http-service.html": build_html,
    "troubleshooting.html": build_html,
    "fine-tune-or-retrieve.pdf": build_pdf,
    "history-of-the-methods.pdf": build_pdf,
    "lora-fine-tuning.pdf": build_pdf,
    "glossary.docx": build_docx,
    "privacy-and-security.docx": build_docx,
    "retrieval-and-context.epub": build_epub,
    "tokenizers-and-pretraining.epub": build_epub,
}


def build(target: Path) -> None:
    """Write every page of `PAGES` into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    for name, maker in PAGES.items():
        source = HERE / Path(name).with_suffix(".md").name
        maker(source.read_text(encoding="utf-8"), target / name)


if __name__ == "__main__":
    build(TARGET)
