"""A self-contained page: its style and script stand in it, and it loads nothing.

Both are named by hash in its content security policy, which forbids everything else. Documents are hostile input: every
text is escaped by the template engine, or stands in a JSON block that the script reads, escaped so that it cannot end
the block, and is only ever shown as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"
_STYLES = ("report.css", "figures.css", "narrow.css", "print.css")
# Control characters and lone surrogates, which HTML and UTF-8 cannot hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What could end a script element, or is no character of a JavaScript string in older browsers.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Part:
    """A section that a page has, for its table of contents."""

    id: str
    title: str


def page(template: str, title: str, parts: Sequence[Part], scripts: Sequence[str], shown: Mapping[str, object]) -> str:
    """Return a page as text.

    Args:
        template: The template's file.
        title: Heading of the page.
        parts: Its sections, in order.
        scripts: Files of its script, in order.
        shown: What the template shows.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _joined(_STYLES), _joined(scripts)
    made = environment.get_template(template).render(
        title=title, parts=parts, style=Markup(style), script=Markup(script), policy=_policy(style, script), **shown
    )
    return _UNPRINTABLE.sub("\ufffd", made)


def as_script(data: object) -> Markup:
    """Return data as JSON that can stand inside a script element, whatever its texts hold."""
    return Markup(json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES))


def _joined(names: Sequence[str]) -> str:
    return "".join((_TEMPLATES / name).read_text("utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    def source(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    allowed = f"style-src {source(style)}; script-src {source(script)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
