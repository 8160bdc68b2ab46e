"""A handbook page as an EPUB 3 book: a title page, one chapter for each second-level heading, a navigation document."""

from __future__ import annotations

import re
import uuid
from html import escape
from pathlib import Path

from archive import write_archive
from blocks import markdown, parse, plain

_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body}</body>
</html>
"""
_PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>en</dc:language>
<dc:creator>The authors of Doceo</dc:creator>
<dc:rights>Apache License 2.0</dc:rights>
<meta property="dcterms:modified">2026-01-01T00:00:00Z</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{items}
</manifest>
<spine>
{spine}
</spine>
</package>
"""
_STYLE = (
    "body { line-height: 1.5; } table { border-collapse: collapse; } th, td { border: 1px solid; padding: .3em; }\n"
)


def build_epub(page: str, path: Path) -> None:
    """Write a page as a book. Its first-level heading is the title; chapters begin at second-level headings."""
    title = plain(parse(page)[0].lines[0])
    parts = re.split(r"(?m)^(?=## )", page)
    chapters = [re.sub(r"(?m)^#(#+ )", r"\1", part) for part in parts]
    names = [f"chapter{n:02d}.xhtml" for n in range(len(chapters))]
    heads = [part.lstrip("# ").split("\n", 1)[0] for part in parts]
    pages = [
        (f"OEBPS/{name}", _PAGE.format(title=escape(head), body=_xhtml(chapter)).encode())
        for name, head, chapter in zip(names, heads, chapters, strict=True)
    ]
    entries = "\n".join(
        f'<li><a href="{name}">{escape(head)}</a></li>' for name, head in zip(names, heads, strict=True)
    )
    contents = f'<nav epub:type="toc" id="toc">\n<h1>Contents</h1>\n<ol>\n{entries}\n</ol>\n</nav>\n'
    items = "\n".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(names)
    )
    spine = "\n".join(f'<itemref idref="c{n}"/>' for n in range(len(names)))
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, f"doceo:handbook:{path.stem}")
    package = _PACKAGE.format(identifier=identifier, title=escape(title), items=items, spine=spine)
    write_archive(
        path,
        [
            ("mimetype", b"application/epub+zip"),
            ("META-INF/container.xml", _CONTAINER.encode()),
            ("OEBPS/content.opf", package.encode()),
            ("OEBPS/nav.xhtml", _PAGE.format(title="Contents", body=contents).encode()),
            ("OEBPS/style.css", _STYLE.encode()),
            *pages,
        ],
        stored="mimetype",
    )


def _xhtml(chapter: str) -> str:
    rendered: str = markdown().render(chapter)
    return rendered
