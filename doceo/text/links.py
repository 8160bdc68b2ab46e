"""Text of a model without links and images to other hosts, in Markdown, in HTML and bare.

A page that shows an answer fetches its images at once, and a reader follows its links: both carry what a model was
talked into writing into their addresses to whoever owns the host. An address that stands in a source word for word
carries nothing, and stays as words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from urllib.parse import urlsplit

from doceo.text.hidden import without_hidden

_ROUNDS = 6
LEFT_OUT = "(link left out)"
_C1 = re.compile("[\x80-\x84\x86-\x9f]")
"""Control characters that terminals obey."""
_INSIDE = r"[^\[\]]{0,500}(?:\[[^\[\]]{0,200}\][^\[\]]{0,200}){0,4}"
_TARGET = r"[^()]{0,2000}(?:\([^()]{0,200}\)[^()]{0,200}){0,4}"
_INLINE = re.compile(rf"(!?)\[({_INSIDE})\]\(({_TARGET})\)")
_REFERRING = re.compile(r"(!?)\[([^\[\]]{1,500})\] ?\[([^\[\]]{0,200})\]")
_IMAGE = re.compile(rf"!\[({_INSIDE})\]")
_DEFINITION = re.compile(r"^[ \t]{0,3}\[[^\[\]\n]{1,200}\]:[ \t]*\n?[ \t]*\S[^\n]{0,2000}$\n?", re.M)
_TAG = re.compile(
    r"</?(?:script|iframe|object|embed|base|meta|link|style|form|frame|frameset|applet|portal)\b[^<>]{0,2000}>?"
    r"|<[a-z!/][^<>]{0,2000}?\b(?:src|srcset|href|action|formaction|data|poster|background|cite|ping|style|xlink:href"
    r"|on\w{2,30})\s*=[^<>]{0,2000}>?|</(?:a|img|video|audio|picture|source|svg|image)\s*>",
    re.I,
)
_REST = r"[^\s<>\"'`|\\^{}]"
ADDRESS = re.compile(
    rf"\b[a-z][a-z0-9+.-]{{1,20}}://{_REST}{{1,2000}}|(?<![\w/:.])//[\w-]+(?:\.[\w-]+)+{_REST}{{0,2000}}"
    rf"|\bwww\.{_REST}{{2,2000}}",
    re.I,
)
"""An address with a host, with or without its scheme."""
_AUTOMATIC = re.compile(r"<([a-z][a-z0-9+.-]{1,31}:[^<>\s]{0,2000}|[^<>\s@]{1,200}@[^<>\s]{1,200})>", re.I)
"""An address between angle brackets, of which Markdown makes a link."""
_SCRIPT = re.compile(r"\b(?:javascript|vbscript|data)\s*:\s*(?=\S)[^\s<>\"']{1,2000}", re.I)
_AFTER = ".,;:!?)]}*_'\"”’»。，、"
"""What follows an address in a sentence and is no part of it."""
_BRACKET = re.compile(r"\[[^\[\]\n]{0,500}\](?=[^(\[:\s]|\s+[^\s(\[])")
"""A pair of brackets that is no link, whatever follows, such as the number of a source."""
_MARKUP = re.compile(r"<[^<>]{0,2000}>|<(?=[\s\d=])")
_OPENS = re.compile(r"!?\[|<")
_LAST_WORD = re.compile(r"!?\S{0,2000}\s?\Z")
_PLAIN = re.compile(r"[a-zA-Z0-9 ,;'()-]*(?:\[\d{1,3}\])?(?:\.(?![a-zA-Z0-9(])[a-zA-Z0-9 ,;'()-]*)?")
"""Text that holds no link, image or hidden character: none of its characters makes one without others."""
_WORDS = re.compile(r"(?:[a-zA-Z0-9,;'-]+ )+")
"""Whole words, of which nothing that follows makes a link."""
_LONGEST = 3000
"""Characters from which a bracket that nothing closes is taken for no link."""


def addresses(texts: Iterable[str]) -> frozenset[str]:
    """Return the addresses that stand in texts word for word."""
    return frozenset(_parted(found.group())[0] for text in texts for found in ADDRESS.finditer(text))


def without_foreign_links(text: str, *, hosts: Collection[str] = (), known: Collection[str] = ()) -> str:
    """Return a text without links and images, but for those to `hosts`; what a link is called stays.

    Args:
        text: What a model wrote, which may hold Markdown and HTML.
        hosts: Host names to which links and images stay.
        known: Addresses that stand in the sources; they stay as words.
    """
    text = _C1.sub("", without_hidden(text))
    rules = _Rules(frozenset(host.lower() for host in hosts), frozenset(known))
    for _ in range(_ROUNDS):
        before, text = text, rules.apply(text)
        if text == before:
            return text
    # what is still a link after so many rounds was built to be one
    return ADDRESS.sub(LEFT_OUT, text).replace("](", "] (")


def links_left_out(pieces: Iterable[str], *, hosts: Collection[str] = (), known: Collection[str] = ()) -> Iterator[str]:
    """Yield what `without_foreign_links` makes of a text that comes in pieces; what may be half a link waits."""
    left = LinksLeftOut(hosts=hosts, known=lambda: known)
    for piece in pieces:
        if done := left.add(piece):
            yield done
    if done := left.end():
        yield done


class LinksLeftOut:
    """Takes a text piece by piece and gives back what `without_foreign_links` makes of it; half a link waits.

    Args:
        hosts: Host names to which links and images stay.
        known: Gives the addresses that stand in the sources, which stay as words; asked where there may be a link.
    """

    def __init__(self, *, hosts: Collection[str] = (), known: Callable[[], Collection[str]] = tuple) -> None:
        self._hosts, self._known, self._held = hosts, known, ""

    def add(self, piece: str) -> str:
        """Take the next piece and return what no link can reach into by now."""
        self._held += piece
        ready = len(self._held) if _WORDS.fullmatch(self._held) else _ready(self._held)
        done, self._held = self._held[:ready], self._held[ready:]
        return self._cleaned(done)

    def end(self) -> str:
        """Return what was held back."""
        return self._cleaned(self._held)

    def _cleaned(self, text: str) -> str:
        if _PLAIN.fullmatch(text):
            return text
        return without_foreign_links(text, hosts=self._hosts, known=self._known())


def _ready(text: str) -> int:
    """Return how many characters of a text no link can reach into: up to its last word, and no open bracket."""
    word = _LAST_WORD.search(text)
    end, at = word.start() if word else len(text), 0
    while found := _OPENS.search(text, at):
        place = found.end() - 1
        match = _BRACKET.match(text, place) or _INLINE.match(text, place) or _MARKUP.match(text, place)
        if match is None and len(text) - found.start() < _LONGEST:
            return min(end, found.start())
        at = match.end() if match else found.end()
        if found.start() < end < at:
            end = found.start()
    return end


class _Rules:
    def __init__(self, hosts: frozenset[str], known: frozenset[str]) -> None:
        self._hosts, self._known = hosts, known

    def apply(self, text: str) -> str:
        text = _DEFINITION.sub(lambda found: "" if self._named(found.group()) is None else found.group(), text)
        for _ in range(_ROUNDS):  # one may stand in another
            text = _INLINE.sub(self._inline, text)
        text = _REFERRING.sub(self._referring, text)
        text = _IMAGE.sub(lambda found: found[0] if self._kept_image(text, found) else found[1], text)
        text = _TAG.sub(lambda found: found.group() if self._named(found.group()) else "", text)
        text = _AUTOMATIC.sub(lambda found: found[0] if self._named(found[1]) else found[1], text)
        text = _SCRIPT.sub(LEFT_OUT, text)
        return ADDRESS.sub(lambda found: self._bare(found), text)

    def _named(self, text: str) -> str | None:
        """Return the address in a text if it is the only one and its host is allowed."""
        found = [_parted(match.group())[0] for match in ADDRESS.finditer(text)]
        return found[0] if len(found) == 1 and self._is_ours(found[0]) else None

    def _inline(self, found: re.Match[str]) -> str:
        image, label, target = found.groups()
        if self._named(target):
            return found.group()
        address = next(iter(target.replace("<", " ").replace(">", " ").split()), "")
        if not image and address in self._known and address not in label:
            return f"{label} ({address})"
        return label

    def _referring(self, found: re.Match[str]) -> str:
        # [1] [2] are sources, one beside the other
        numbers = found[2].replace(",", "").replace(" ", "").isdigit() and not found[1]
        return found.group() if numbers else found[2]

    def _kept_image(self, text: str, found: re.Match[str]) -> bool:
        target = _INLINE.match(text, found.start())
        return target is not None and self._named(target[3]) is not None

    def _bare(self, found: re.Match[str]) -> str:
        address, rest = _parted(found.group())
        if self._is_ours(address):
            return found.group()
        return found.group() if address in self._known else LEFT_OUT + rest

    def _is_ours(self, address: str) -> bool:
        if not self._hosts:
            return False
        try:
            parts = urlsplit(address if "//" in address else f"//{address}")
        except ValueError:
            return False
        plain = parts.scheme in ("", "http", "https") and "@" not in parts.netloc and "\\" not in address
        return plain and (parts.hostname or "") in self._hosts


def _parted(address: str) -> tuple[str, str]:
    """Return an address and what follows it in the sentence; a bracket belongs to it where it opens in it."""
    end = len(address)
    while end and address[end - 1] in _AFTER:
        if address[end - 1] == ")" and address.count("(", 0, end) >= address.count(")", 0, end):
            break
        end -= 1
    return address[:end], address[end:]
