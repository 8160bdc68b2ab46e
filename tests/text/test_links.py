"""No link and no image to another host in what is shown of an answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from doceo.text.links import _PLAIN, LEFT_OUT, addresses, links_left_out, without_foreign_links

KNOWN = "https://bugs.example.org/7?x=(1)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pier [1] is old [2].", "The pier [1] is old [2]."),
        ("Both say so [1][2], and [3] [4].", "Both say so [1][2], and [3] [4]."),
        ("See ![chart](https://evil.example/p.png?q=secret) here.", "See chart here."),
        ("See ![](https://evil.example/p.png)here.", "See here."),
        ("See [the form](https://evil.example/a).", "See the form."),
        ("See [the form]( <https://evil.example/a b> 'title' ).", "See the form."),
        ("See [the\nform](\nhttps://evil.example/a\n).", "See the\nform."),
        ("See [here](javascript:alert(1)) and [there](/local).", "See here and there."),
        ("Go to https://evil.example/?q=secret, now.", f"Go to {LEFT_OUT}, now."),
        ("Go to www.evil.example/x.", f"Go to {LEFT_OUT}."),
        ("Go to //evil.example/x or <https://evil.example>.", f"Go to {LEFT_OUT} or {LEFT_OUT}."),
        ("An <img src=https://evil.example/x.png> and <a href='//evil.example'>link</a>.", "An  and link."),
        ("<script>alert(1)</script><iframe src=x></iframe>text", "alert(1)text"),
        ("<b onclick=go()>bold</b> <br> 1 < 2 > 0", "bold</b> <br> 1 < 2 > 0"),
        (
            "See ![x][1] and [a form][f].\n\n[1]: https://evil.example/x\n[f]: //evil.example 'T'",
            "See x and a form.\n\n",
        ),
        ("![a![b](https://evil.example/1)](https://evil.example/2)", "ab"),
        ("[![b](https://evil.example/1)](https://evil.example/2)", "b"),
        (f"Report it at {KNOWN}.", f"Report it at {KNOWN}."),
        (f"Report it [here]({KNOWN}).", f"Report it here ({KNOWN})."),
        (f"Report it at {KNOWN}&more=secret.", f"Report it at {LEFT_OUT}."),
        (f"![x]({KNOWN})", "x"),
        ("[docs](https://our.example/a) ![p](https://our.example/p.png)",) * 2,
        ("[docs](https://our.example@evil.example/a) https://our.example.evil.example", f"docs {LEFT_OUT}"),
        ("[docs](https://our.example/a https://evil.example)", "docs"),
        ("\x1b]8;;https://evil.example\x07click\x1b]8;;\x07", f"]8;;{LEFT_OUT};;"),
        ("a / b // c, and/or, 7//2 = 3", "a / b // c, and/or, 7//2 = 3"),
        ("Run `int main() { a[0](1); }`", "Run `int main() { a0; }`"),
    ],
)
def test_links(text: str, expected: str) -> None:
    shown = without_foreign_links(text, hosts=["our.example"], known={KNOWN})
    assert shown == expected


def test_addresses_of_a_text() -> None:
    assert addresses([f"Report it at <{KNOWN}>, or www.example.org."]) == {KNOWN, "www.example.org"}


PARTS = st.sampled_from(
    ["![", "[", "]", "](", "](https://evil.example/", ")", "(", "<img src=", "<a href=", ">", "https:", "www.",
     "//evil.example/?q=", "evil", " ", "\n", "[x]: ", "[1]", "!", "`", "\\", "secret", "\u200b", "http", "<",
     "javascript:"]
)  # fmt: skip


def links(markdown: str) -> list[str]:
    """What a reader of Markdown (CommonMark) makes links and images of, and bare addresses."""
    tokens = [inner for token in MarkdownIt("commonmark").parse(markdown) for inner in token.children or ()]
    found = [str(token.attrs) for token in tokens if token.type in ("link_open", "image")]
    return found + re.findall(r"https?://|(?<![\w/:.])//evil|\bwww\.evil|<[^>]*(?:src|href)\s*=\s*\S", markdown, re.I)


@settings(max_examples=300)
@given(st.lists(PARTS, max_size=14).map("".join))
def test_nothing_is_left_that_a_client_would_fetch_or_follow(text: str) -> None:
    shown = without_foreign_links(text)
    assert links(shown) == []
    assert without_foreign_links(shown) == shown


@settings(max_examples=200)
@given(st.lists(PARTS, max_size=14))
def test_pieces_are_as_safe_as_the_whole(pieces: list[str]) -> None:
    assert links("".join(links_left_out(pieces))) == []


def test_pieces_come_as_soon_as_they_are_sure() -> None:
    pieces = ["The pier ", "is ", "old ", "[1]", ". See ", "[it](https://", "evil.example/x)", " now."]
    shown = list(links_left_out(pieces))
    assert "".join(shown) == "The pier is old [1]. See it now."
    assert shown[0] == "The pier "


@given(st.from_regex(_PLAIN, fullmatch=True))
def test_what_is_passed_through_unread_would_not_be_changed(text: str) -> None:
    assert without_foreign_links(text) == text
