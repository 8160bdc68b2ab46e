"""Markdown: comments, and elements of HTML in it that a page shows nothing of. Code is shown as it stands, and stays.

Linear in the text: nothing is searched for twice.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from data.hidden import Kind, leave_out
from data.loaders.invisible import css
from doceo.text.fences import fences

_REFERENCE = re.compile(r"^[ ]{0,3}\[(?://|comment|#|_)?\]:[ ]*(?:#|<>)[ ]*(?:\(.*\)|\".*\"|'.*')[ \t]*$", re.M | re.I)
"""A link that nothing refers to, which is how comments are written in Markdown without HTML."""
_OPENS = re.compile(r"<([a-z][a-z0-9]*)\b([^<>]{0,1000})>", re.I)
_STYLE = re.compile(r"""\bstyle\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)
_HIDDEN = re.compile(r"(?:^|\s)hidden(?:\s|=|/|$)", re.I)
_QUOTED = re.compile(r"""=\s*(?:"[^"]*"|'[^']*')""")
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr"})
_MOST_INSIDE = 200
"""Tags of its own name that are looked at in an element."""

_NEAR = 1000
"""Characters on both sides of a place in which the backticks of its line are looked for."""


def without_invisible(markdown: str) -> str:
    """Return Markdown without what its reader does not see; code blocks and code in a line stay as they are."""
    if "<" not in markdown and "]:" not in markdown:
        return markdown
    code = fences(markdown)
    starts = [fence.start for fence in code]

    def is_code(place: int) -> bool:
        fence = bisect_right(starts, place) - 1
        return (fence >= 0 and place < code[fence].end) or _in_code_span(markdown, place)

    kept, at = [], 0
    for start, end, kind in _spans(markdown, is_code):
        if start >= at:
            leave_out(kind, markdown[start:end])
            kept.append(markdown[at:start])
            at = end
    return "".join([*kept, markdown[at:]])


def _spans(text: str, is_code: Callable[[int], bool]) -> list[tuple[int, int, Kind]]:
    found: list[tuple[int, int, Kind]] = [(*span, "comment") for span in _comments(text, is_code)]
    found += [(*span, "invisible text") for span in _elements(text) if not is_code(span[0])]
    found += [(*match.span(), "comment") for match in _REFERENCE.finditer(text) if not is_code(match.start())]
    return sorted(found)


def _comments(text: str, is_code: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """Yield the comments; one that nothing closes goes to the end where it begins a line (CommonMark 4.6)."""
    at = text.find("<!--")
    last = text.rfind("-->")
    while at >= 0:
        if is_code(at):
            at = text.find("<!--", at + 4)
            continue
        if last < at:
            if not text[text.rfind("\n", 0, at) + 1 : at].strip():
                yield at, len(text)
            return
        end = text.find("-->", at + 2) + 3  # `<!-->` is a whole comment
        yield at, end
        at = text.find("<!--", end)


def _elements(text: str) -> Iterator[tuple[int, int]]:
    """Yield the elements that are styled invisible, with all that stands in them, as far as something closes them."""
    tags: dict[str, list[re.Match[str]]] = {}
    for match in _OPENS.finditer(text):
        name = match[1].lower()
        if name in _VOID or not _is_invisible(match[2]):
            continue
        if name not in tags:
            tags[name] = list(re.finditer(rf"<(/?){name}\b[^<>]{{0,1000}}>", text, re.I))
        at = bisect_right(tags[name], match.start(), key=re.Match.start)
        if end := _closed(tags[name][at : at + _MOST_INSIDE]):
            yield match.start(), end


def _closed(tags: list[re.Match[str]]) -> int:
    """Return where an element ends, given the tags of its name that follow; 0 where it does not."""
    depth = 1
    for tag in tags:
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    return 0


def _is_invisible(attributes: str) -> bool:
    if _HIDDEN.search(_QUOTED.sub("", attributes)):
        return True
    style = _STYLE.search(attributes)
    declared = css.declarations(style[1] or style[2] or "") if style else {}
    return css.hides(declared) or css.is_white(declared)


def _in_code_span(text: str, place: int) -> bool:
    """Return whether a place stands between two backticks of its line."""
    line, end = max(text.rfind("\n", 0, place) + 1, place - _NEAR), text.find("\n", place, place + _NEAR)
    after = text.find("`", place, end if end >= 0 else place + _NEAR)
    return after >= 0 and text.count("`", line, place) % 2 == 1
