"""A handbook page as a web page: header with navigation, one article, footer."""

from __future__ import annotations

import re
from pathlib import Path

from blocks import markdown, parse, plain

_SITE = {
    "http-service.html": "HTTP service",
    "evaluation.html": "Evaluation",
    "troubleshooting.html": "Troubleshooting",
    "faq.html": "Questions",
}
_CURRENT = ' aria-current="page"'
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 0 1rem; }
header, footer { padding: 1rem 0; border-bottom: 1px solid; }
footer { border: 0; border-top: 1px solid; margin-top: 3rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; margin: 0; }
table { border-collapse: collapse; } th, td { border: 1px solid; padding: .3rem .6rem; text-align: left; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid; }
"""
_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<p>Doceo handbook</p>
<nav aria-label="Handbook">
<ul>
{links}
</ul>
</nav>
</header>
<main>
<article>
{article}</article>
</main>
<footer>
<p>The Doceo handbook is published under the Apache License 2.0.</p>
</footer>
</body>
</html>
"""


def build_html(page: str, path: Path) -> None:
    """Write a page as one HTML file without scripts."""
    links = "\n".join(
        f'<li><a href="{name}"{_CURRENT if name == path.name else ""}>{label}</a></li>' for name, label in _SITE.items()
    )
    article = re.sub(r"<(h[23])>(.*?)</\1>", _anchored, markdown().render(page))
    title = plain(parse(page)[0].lines[0])
    path.write_text(
        _FRAME.format(title=title, style=_STYLE, links=links, article=article), encoding="utf-8", newline="\n"
    )


def _anchored(found: re.Match[str]) -> str:
    tag, text = found.groups()
    anchor = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]+>", "", text).lower()).strip("-")
    return f'<{tag} id="{anchor}">{text}</{tag}>'
