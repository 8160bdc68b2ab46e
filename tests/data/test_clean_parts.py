"""The parts of cleaning, each with known values: paragraphs, characters, notices, repeats, near-duplicates."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.corpus.judging import DUPLICATE, LETTERLESS, NEAR, REPEATED, Judge
from data.corpus.mending import mended
from data.corpus.near import RecentTexts
from data.corpus.notices import Notices, is_notice
from data.corpus.paragraphs import Paragraph, joined, paragraphs
from data.corpus.repeats import LineCounts, Seen
from doceo.core.config import CleanConfig

MODERN = """The Project Gutenberg eBook of A Short Walk

This ebook is for the use of anyone anywhere in the United States and
most other parts of the world at no cost.

Title: A Short Walk

*** START OF THE PROJECT GUTENBERG EBOOK A SHORT
WALK ***
Produced by Two Volunteers and the Online Team

A SHORT WALK

It rained in the morning.

Then the sun came out.
End of the Project Gutenberg EBook of A Short Walk

*** END OF THE PROJECT GUTENBERG EBOOK A SHORT WALK ***

Updated editions will replace the previous one.

This website includes information on how to
subscribe to our email newsletter to hear about new eBooks.
"""
OLD = """**The Project Gutenberg Etext of An Old Walk**

***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is this "Small Print!" statement here? You know: lawyers.

*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

Scanned by a volunteer.

They walked on.

End of Project Gutenberg's An Old Walk, by Nobody

Donations are welcome.
"""


def kept(text: str) -> list[str]:
    return [part.text for part in Notices().marked(paragraphs(text)) if not part.reason]


@given(st.text(st.sampled_from("ab \t\n\n\x0c."), max_size=120))
def test_paragraphs_lose_nothing_but_blanks_and_know_their_lines(text: str) -> None:
    found = list(paragraphs(text))
    assert "".join("".join(part.text for part in found).split()) == "".join(text.split())
    lines = text.replace("\x0c", "").split("\n")
    if "\x0c" not in text:
        for part in found:
            assert lines[part.line - 1].startswith(part.text.split("\n")[0])
    assert list(map(str.split, joined(found).split("\n\n"))) == [part.text.split() for part in found] or not found


def test_lines_are_paragraphs_where_they_are_not_wrapped() -> None:
    long = "word " * 50
    found = list(paragraphs(f"Heading\n\n{long}\nshort one\n{long}\n\nlast"))
    assert [(part.line, part.gap) for part in found] == [(1, "\n\n"), (3, "\n\n"), (4, "\n"), (5, "\n"), (7, "\n\n")]
    assert joined(found).split("\n") == ["Heading", "", long.strip(), "short one", long.strip(), "", "last"]
    assert len(list(paragraphs("wrapped text\ngoes on\nand on"))) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("donâ€™t worry, itâ€™s fine", "don’t worry, it’s fine"),
        ("CafÃ© MÃ¼ller", "Café Müller"),
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("the ﬁrst ﬂoor", "the first floor"),
        ("cafe\u0301", "café"),
        ("zero\u200bwidth\ufeff and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("no\u00a0break", "no break"),
        ("bell\x07 and escape \x1b[31mred\x1b[0m", "bell and escape red"),
        ("trailing  \nblanks\t\n", "trailing\nblanks"),
        ("line\u2028separator", "line\nseparator"),
        ("half \ud83d character", "half \ufffd character"),
        ("“quotes” ‘stay’ — as they are…", "“quotes” ‘stay’ — as they are…"),
        ("全角，标点。ＡＢＣ", "全角，标点。ＡＢＣ"),
        ("می\u200cخواهم 👨\u200d👩\u200d👧", "می\u200cخواهم 👨\u200d👩\u200d👧"),
        ("    indented code stays", "    indented code stays"),
        ("AT&T; if (a && b) { x &= y; }", "AT&T; if (a && b) { x &= y; }"),
    ],
)
def test_characters_are_put_right(text: str, expected: str) -> None:
    assert mended(text) == expected
    assert mended(expected) == expected


def test_unicode_only_leaves_mojibake_and_entities() -> None:
    assert mended("CafÃ© &amp; cafe\u0301\x07 ", unicode_only=True) == "CafÃ© &amp; café"


@given(st.text(max_size=80))
def test_mended_text_has_no_control_characters(text: str) -> None:
    found = mended(text)
    assert not [c for c in found if (ord(c) < 32 and c not in "\n\t") or 0xD800 <= ord(c) < 0xE000]
    found.encode("utf-8")


def test_a_book_of_project_gutenberg() -> None:
    assert kept(MODERN) == ["A SHORT WALK", "It rained in the morning.", "Then the sun came out."]
    assert kept(OLD) == ["They walked on."]


def test_several_books_in_one_file_and_text_after_them() -> None:
    body = ["A SHORT WALK", "It rained in the morning.", "Then the sun came out."]
    assert kept(MODERN + "\n" + MODERN + "\nAfterwards.") == [*body, *body, "Afterwards."]
    assert kept(OLD + "\n" + MODERN) == ["They walked on.", *body]


def test_a_notice_cut_in_two_by_pieces() -> None:
    notices = Notices()
    at = MODERN.index("It rained")
    parts = [*notices.marked(paragraphs(MODERN[:at])), *notices.marked(paragraphs(MODERN[at:]))]
    assert [part.text for part in parts if not part.reason] == kept(MODERN)
    assert "".join("".join(p.text for p in parts).split()) == "".join(MODERN.split())


def test_a_text_about_project_gutenberg_is_no_book_of_it() -> None:
    text = "Project Gutenberg began in 1971.\n\nIts files end with a line such as *** END OF THIS.\n\nThe end of it."
    assert kept(text) == text.split("\n\n")
    assert kept("Produced by John Landis, the film opened in 1980.") != []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# Copyright (c) 2019 Somebody", True),
        ("© 2021 The Authors. All rights reserved.", True),
        ("Permission is hereby granted, free of charge, to any person obtaining a copy", True),
        ("Redistribution and use in source and binary forms, with or without modification,", True),
        ("We use cookies to improve your experience.", True),
        ("[Transcriber's Note: spelling is kept]", True),
        ("Copyright law protects works for many years.", False),
        ("In 1998 the copyright was sold.", False),
        ("Permission is granted by the king alone.", False),
    ],
)
def test_notices_are_told_by_how_they_open(text: str, found: bool) -> None:
    assert is_notice(text) is found


def judged(texts: list[str], **config: object) -> list[str]:
    parts = [Paragraph(n, text) for n, text in enumerate(texts, 1)]
    Judge(CleanConfig.model_validate(config)).judge(parts)
    return [part.reason for part in parts]


LONG = "The keeper of the lighthouse climbed the stairs each evening to light the lamp before the boats came home."


def test_what_is_dropped_and_what_recurs_by_right() -> None:
    assert judged([LONG, LONG, LONG.replace(" ", "  ")]) == ["", DUPLICATE, DUPLICATE]
    assert judged(["“Yes.”"] * 9) == [""] * 9
    assert judged(["Home | About"] * 7) == [""] * 5 + [REPEATED] * 2
    assert judged([f"Manual, page {n}" for n in range(7)], line_repeats=2) == ["", ""] + [REPEATED] * 5
    assert judged([f"Chapter {n}" for n in range(9)]) == [""] * 9
    assert judged([f"10.{n}. Version 4.{n}" for n in range(9)]) == [""] * 9
    assert judged(["- - -", "1234", "", "日本"]) == [LETTERLESS] * 3 + [""]
    assert judged([LONG, LONG, "12"] + ["Home"] * 9, drop=()) == [""] * 12
    changed = LONG.replace("each evening", "every evening")
    assert judged([LONG, changed], near=0.6) == ["", NEAR]
    assert judged([LONG, changed], near=0.6, drop=["exact"]) == ["", ""]


@given(st.lists(st.text(max_size=9), max_size=30))
def test_seen_is_a_set_of_texts(texts: list[str]) -> None:
    seen, known = Seen(), set()
    for text in texts:
        plain = " ".join(text.split())
        assert seen.add(text) is (plain in known)
        known.add(plain)


def test_line_counts_are_exact_while_few_and_never_too_low() -> None:
    counts = LineCounts()
    lines = [f"line {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600)]
    for before in range(3):
        assert {counts.add(line) for line in lines} == {before}
    assert counts.add("page 12") == 0
    assert counts.add("page 13") == 1


def words(seed: int, count: int) -> list[str]:
    return [f"w{random.Random(seed + n).randrange(10**6)}" for n in range(count)]


def test_near_duplicates_follow_the_jaccard_similarity() -> None:
    found: dict[str, float] = {}
    for name, changed in (("close", 2), ("far", 20)):
        hits = 0
        for n in range(100):
            base = words(1000 * n, 120)
            other = list(base)
            for place in range(changed):
                other[place * (120 // changed)] = f"x{n}{place}"
            hits += RecentTexts(0.8, 1024).add([" ".join(base), " ".join(other)])[1]
        found[name] = hits / 100
    # runs of three: 2 changed words of 120 leave a Jaccard similarity of about .91, 20 one of .33
    assert found["close"] > 0.9
    assert found["far"] == 0


def test_near_duplicates_are_looked_for_in_a_window_of_fixed_size() -> None:
    recent = RecentTexts(0.8, 8)
    first = " ".join(words(0, 50))
    assert recent.add([first, first]) == [False, True]
    assert recent.add([" ".join(words(1000 * n, 50)) for n in range(1, 9)]) == [False] * 8
    assert recent.add([first]) == [False]
    assert recent.add(["two words", "", "two words"]) == [False] * 3


@given(st.lists(st.integers(0, 4), max_size=12), st.integers(0, 12))
def test_near_duplicates_do_not_depend_on_how_texts_are_grouped(picks: list[int], cut: int) -> None:
    texts = [" ".join(words(1000 * n, 30)) for n in picks]
    together, apart = RecentTexts(0.8, 64), RecentTexts(0.8, 64)
    assert together.add(texts) == apart.add(texts[:cut]) + apart.add(texts[cut:])
    assert RecentTexts(0.8, 64).add(texts) == [pick in picks[:n] for n, pick in enumerate(picks)]
