"""reStructuredText, by docutils, which is told to insert no files, pass nothing through raw, and read no config."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from data.cleaning import normalise
from data.loaders.html import page_text
from data.loaders.loaded import Loaded, Unreadable
from data.loaders.office import DAMAGED
from data.loaders.plain import decode, first_heading, first_line, plain_title

if TYPE_CHECKING:
    from docutils.nodes import Node

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 5,
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "doctitle_xform": False,
    "initial_header_level": 1,
    "syntax_highlight": "none",
    "math_output": "LaTeX",
    "output_encoding": "unicode",
}
_DIRECTIVE = re.compile(r"^[ \t]*\.\. ([A-Za-z][\w:.+-]*)::", re.MULTILINE)
_ROLE = re.compile(r"(?<![\w`]):([A-Za-z][\w:.+-]*):`")
_DROPPED = frozenset({
    "toctree", "index", "currentmodule", "module", "automodule", "autoclass", "autofunction", "autosummary",
    "include", "literalinclude", "contents", "highlight", "default-role", "tabularcolumns", "sectionauthor",
    "codeauthor",
})  # fmt: skip
"""Directives of Sphinx that hold no text of the page."""
_CODE = frozenset({"code-block", "sourcecode", "code", "doctest", "prompt", "testcode"})
_VERSION = {"versionadded": "Added in", "versionchanged": "Changed in", "deprecated": "Deprecated since"}


def load_rst(content: bytes, limit: int) -> Loaded:
    """Read reStructuredText as Markdown: titles, lists, tables, code; what docutils cannot parse, as it stands."""
    raw, encoding = decode(content)
    try:
        text = page_text(_html(raw))[0]
    except (*DAMAGED, AssertionError, RecursionError):
        text = normalise(raw)
    if not text:
        raise Unreadable("empty", "the file holds no text")
    title = plain_title(first_heading(text)) or first_line(text)
    return Loaded(text=text, media_type="text/x-rst", title=title, metadata={"encoding": encoding})


def _html(raw: str) -> str:
    from docutils import nodes
    from docutils.core import publish_doctree, publish_from_doctree
    from docutils.parsers.rst import directives, roles

    for name in sorted(set(_DIRECTIVE.findall(raw))):
        if name.lower() not in _known("directives"):
            directives.register_directive(name.lower(), _sphinx_directive())
    for name in sorted(set(_ROLE.findall(raw))):
        if name.lower() not in _known("roles"):
            roles.register_local_role(name.lower(), _sphinx_role)
    tree = publish_doctree(raw, settings_overrides=_SETTINGS)
    for literal in tree.findall(nodes.literal):
        literal["classes"].append("code")  # has the writer mark it as <code>
    page = publish_from_doctree(tree, writer="html5", settings_overrides=_SETTINGS)
    # Notes and footnotes are written as <aside>, which on a web page is furniture.
    html = str(page).replace("<aside", "<div").replace("</aside>", "</div>")
    return re.sub(r'(<p class="admonition-title">.*?)</p>', r"\1:</p>", html)


@cache
def _known(what: str) -> frozenset[str]:
    """Return the names of docutils' own directives or roles."""
    from docutils.parsers.rst.languages import en

    return frozenset(en.roles) if what == "roles" else frozenset(en.directives) - _DROPPED - _CODE


@cache
def _sphinx_directive() -> type:
    """Return the directive that stands for those of Sphinx: its argument as a paragraph, then its content."""
    from docutils import nodes
    from docutils.parsers.rst import Directive

    class AnyOption(dict[str, Callable[[str], str]]):
        """Takes every option; none of them is text of the page."""

        def __missing__(self, name: str) -> Callable[[str], str]:
            return str

    class SphinxDirective(Directive):
        """A directive that docutils does not know."""

        has_content = True
        optional_arguments = 1
        final_argument_whitespace = True
        option_spec = AnyOption({"class": str})

        def run(self) -> list[nodes.Node]:
            if self.name.lower() in _DROPPED:
                return []
            if self.name.lower() in _CODE:
                code = "\n".join(self.content)
                return [nodes.literal_block(code, code)]
            container = nodes.container()
            if self.arguments:
                words = " ".join(filter(None, (_VERSION.get(self.name.lower()), self.arguments[0])))
                found, messages = self.state.inline_text(words, self.lineno)
                container += [nodes.paragraph("", "", *found), *messages]
            self.state.nested_parse(self.content, self.content_offset, container)
            return [container]

    return SphinxDirective


def _sphinx_role(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: object,
    options: object = None,
    content: Sequence[str] = (),
) -> tuple[list[Node], list[Node]]:
    """Return the words of a role of Sphinx: of `title <target>` the title, of `~a.b.c` the last name."""
    from docutils import nodes, utils

    words = utils.unescape(text)
    words = re.sub(r"\s*<[^<>]*>$", "", words) or words
    words = words.rpartition(".")[2] if words.startswith("~") else words.lstrip("!")
    return [nodes.inline(rawtext, words)], []
