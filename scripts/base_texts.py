"""The texts of the base model that ships: documentation of free software and a dictionary, out of Debian's packages.

    python scripts/base_texts.py --out texts [--debs FOLDER]

Downloads the packages below with `apt-get download` where FOLDER has no copy of them, unpacks them with `dpkg-deb`, and
writes one text file a source. The folder `sources` beside them has a table of what each is, and every package's own
`copyright` file, which names the authors and has the licence in full. All of the texts may be copied and changed
freely; licences that ask for their own terms on derived works (GPL, share-alike) are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import py3langid as langid
from bs4 import BeautifulSoup, Tag

_BLOCKS = ("h1", "h2", "h3", "h4", "p", "li", "dt", "dd", "td")
_LEAST_WORDS = 4
_OTHER_LANGUAGES = frozenset({"da", "de", "es", "fr", "ja", "ko", "pt-br", "ru", "tr", "zh-cn"})
"""Folders of translations, which hold English pages where nobody translated them."""
_BEFORE_MARK = re.compile(r" ([,.;:!?)\]])(?=\s|$)")
_GLOSS = re.compile(r"^\d{8} \d\d (?P<sort>[nvasr]) [0-9a-f]{2} (?P<word>\S+) .*\| (?P<gloss>.+)$")
_RST_DIRECTIVE = re.compile(r"^\s*(?:\.\. |:[\w-]+:)")
_RST_ROLE = re.compile(r":[\w:+-]+:`(?:[^`<]*<)?[!~]?([^`>]+)>?`")


class Source(NamedTuple):
    """A package, its licence, and how its text is found."""

    package: str
    title: str
    licence: str
    read: Callable[[Path], Iterator[str]]


def pages(folder: Path) -> Iterator[str]:
    """Yield the text of English HTML pages: headings, paragraphs and items, one a line; no code, no navigation."""
    for path in sorted(folder.rglob("*.html")):
        if _OTHER_LANGUAGES.intersection(path.parts):
            continue
        soup = BeautifulSoup(path.read_bytes(), "html.parser")
        for tag in soup(["script", "style", "nav", "pre", "header", "footer", "form", "table"]):
            tag.decompose()
        lines = [_line(tag) for tag in soup.find_all(_BLOCKS) if not tag.find(_BLOCKS)]
        text = "\n".join(line for line in lines if len(line.split()) >= _LEAST_WORDS)
        if langid.classify(text)[0] == "en":
            yield text


def sources_of_sphinx(folder: Path) -> Iterator[str]:
    """Yield the paragraphs of reStructuredText sources, without directives, code and marks."""
    for path in sorted(folder.rglob("_sources/**/*.txt")):
        text = path.read_text(encoding="utf-8", errors="replace")
        kept = [_plain(block) for block in re.split(r"\n\s*\n", text) if _is_prose(block)]
        yield "\n\n".join(block for block in kept if len(block.split()) >= 2 * _LEAST_WORDS)


def glosses(folder: Path) -> Iterator[str]:
    """Yield what WordNet says of its words, one sentence a meaning."""
    for path in sorted(folder.rglob("data.*")):
        lines = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if match := _GLOSS.match(line):
                lines.append(f"{match['word'].replace('_', ' ')}: {match['gloss'].strip()}")
        yield "\n".join(lines)


SOURCES = (
    Source("python3.11-doc", "The Python documentation", "PSF License Agreement, code 0BSD", sources_of_sphinx),
    Source("sqlite3-doc", "The SQLite documentation", "public domain", pages),
    Source("postgresql-doc-15", "The PostgreSQL documentation", "PostgreSQL License", pages),
    Source("python-django-doc", "The Django documentation", "BSD 3-Clause", pages),
    Source("apache2-doc", "The Apache HTTP server documentation", "Apache License 2.0", pages),
    Source("wordnet-base", "WordNet 3.0", "WordNet License (permissive)", glosses),
)


def unpacked(package: str, debs: Path, folder: Path) -> tuple[Path, Path]:
    """Return the folder of an unpacked package and its file, which is downloaded where it is missing."""
    found = sorted(debs.glob(f"{package}_*.deb"))
    if not found:
        subprocess.run(["apt-get", "download", "-qq", package], cwd=debs, check=True)
        found = sorted(debs.glob(f"{package}_*.deb"))
    place = folder / package
    subprocess.run(["dpkg-deb", "-x", str(found[-1]), str(place)], check=True)
    return place, found[-1]


def _line(tag: Tag) -> str:
    text = " ".join(tag.get_text(" ").replace("\u00b6", "").split())
    return "" if text.startswith("Available Languages") else _BEFORE_MARK.sub(r"\1", text)


def _is_prose(block: str) -> bool:
    lines = block.splitlines() or [".. "]
    return not (
        _RST_DIRECTIVE.match(lines[0]) or all(line.startswith(("   ", "\t", ">>>", "|", "+")) for line in lines)
    )


def _plain(block: str) -> str:
    text = " ".join(line.strip() for line in block.splitlines() if not set(line.strip()) <= set("=-~^*\"'#"))
    return _RST_ROLE.sub(r"\1", text).replace("``", "").replace("**", "").replace("\\", "")


def main() -> int:
    """Write the texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--debs", type=Path)
    options = parser.parse_args()
    about = options.out / "sources"
    about.mkdir(parents=True, exist_ok=True)
    rows = ["| file | text | licence | Debian package | SHA-256 of it | characters |", "|---|---|---|---|---|---|"]
    try:
        with tempfile.TemporaryDirectory() as temporary:
            for source in SOURCES:
                rows.append(_written(source, options.out, about, options.debs or Path(temporary), Path(temporary)))
                print(rows[-1], flush=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{error}\nIt needs apt-get and dpkg-deb of Debian 12, or the packages in --debs.", file=sys.stderr)
        return 1
    # Without an ending: it is not one of the texts.
    (about / "TABLE").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return 0


def _written(source: Source, out: Path, about: Path, debs: Path, folder: Path) -> str:
    """Write the text of a source and its copyright file; return its row of the table."""
    place, package = unpacked(source.package, debs, folder)
    texts = [text for text in source.read(place) if text.strip()]
    file = out / f"{source.package}.txt"
    file.write_text("\n\n\n".join(texts) + "\n", encoding="utf-8")
    shutil.copyfile(place / "usr/share/doc" / source.package / "copyright", about / f"{source.package}-copyright")
    version = package.name.split("_")[1].replace("%3a", ":")
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    size = sum(map(len, texts))
    return f"| {file.name} | {source.title} | {source.licence} | {source.package} {version} | {digest} | {size:,} |"


if __name__ == "__main__":
    sys.exit(main())
