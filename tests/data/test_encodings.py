"""Encodings are found and named: by marks, by what a page declares, by the language that comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.loaders import Unreadable
from data.loaders.plain import decode

SENTENCES = {
    "cp1252": [
        "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren; Größe zählt nicht.",
        "Todos los seres humanos nacen libres, dotados como están de razón y corazón.",
    ],
    "cp1250": ["Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw."],
    "cp1251": ["Все люди рождаются свободными и равными в своем достоинстве и правах."],
    "koi8-r": ["Все люди рождаются свободными и равными в своем достоинстве и правах."],
    "cp1253": ["Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."],
    "cp1254": ["Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar."],
    "cp1255": ["כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם."],
    "cp1256": ["يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا"],
    "cp1257": ["Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis. Jiems suteiktas protas."],
    "cp949": ["모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."],
    "gb18030": ["人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心。"],
    "euc_jp": ["すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"],
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in SENTENCES.items() for text in texts])
def test_a_sentence_is_enough(encoding: str, text: str) -> None:
    found = decode(text.encode(encoding))
    assert found == (text, encoding)


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_unicode_with_and_without_marks(encoding: str, named: str) -> None:
    text = "The café opens at 8:15."
    assert decode(text.encode(encoding)) == (text, named)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip))
def test_utf8_is_always_read_as_utf8(text: str) -> None:
    assert decode(text.encode("utf-8")) == (
        text.removeprefix("\ufeff"),
        "utf-8-sig" if text[0] == "\ufeff" else "utf-8",
    )


def test_what_a_page_declares() -> None:
    page = '<meta charset="{}"><p>Größe</p>'
    assert decode(page.format("iso-8859-1").encode("latin-1"), declares=True) == (page.format("iso-8859-1"), "cp1252")
    assert decode(page.format("iso-8859-1").encode(), declares=True)[1] == "utf-8"
    assert "Größe" in decode(page.format("utf-8").encode("latin-1"), declares=True)[0]
    assert decode(page.format("no-such").encode("latin-1"), declares=True)[1] == "cp1252"


def test_broken_bytes_are_marked_and_the_rest_kept() -> None:
    text, encoding = decode("Grüße aus Köln, schöne Straßen. ".encode() * 4 + b"\xff\xfa end")
    assert encoding == "utf-8, damaged"
    assert text.endswith("schöne Straßen. \ufffd\ufffd end")
    assert decode(b"Valid start. \xff\xfe\xfa broken \xc3( bytes \xe2\x82 end.\n" * 9)[1] == "utf-8, damaged"


def test_nul_bytes_are_blanks_and_binary_is_refused() -> None:
    assert decode(b"The quick\0brown fox.")[0] == "The quick brown fox."
    for content in (bytes(range(256)) * 20, b"\0\0\0a" * 50, b"\x01\x02 words" * 50):
        with pytest.raises(Unreadable) as caught:
            decode(content)
        assert caught.value.reason == "binary"


def test_known_files_have_known_encodings(shared_data: Path) -> None:
    folder = shared_data / "docs" / "encodings"
    known = {
        "Big5__0804.blogspot.com.xml": ("big5hkscs", "話不投機半句多"),
        "GB2312__14.blog.westca.com.xml": ("gb18030", "加西公社温哥华大队"),
        "SHIFT_JIS__10e.org.xml": ("cp932", "いろいろちょっと待ってネ"),
        "UDHR_first_article_all.txt": ("utf-8", "Universal Declaration"),
        "fake-html-cp1252.html": ("cp1252", "L'été était très chaud"),
        "fake-text-utf-16.txt": ("utf-16", "Hamburgers are delicious"),
        "fake-text-utf-32.txt": ("utf-32", "Hamburgers are delicious"),
        "iso-8859-1___ude_1.txt": ("cp1252", "tão bem determinada"),
        "test_mskanji.csv": ("cp932", "名前,年齢,住所"),
        "umlauts-non-utf8.md": ("cp1252", "äöüß"),
        "windows-1251-russian___chromium_windows-1251_with_no_encoding_specified.html": ("cp1251", "МОСКВА"),
        "windows-1252___mozilla_bug421271_text.html": ("cp1252", "win i stand to lift £825"),
    }
    assert {path.name for path in folder.iterdir()} == set(known)
    for name, (encoding, words) in known.items():
        text, found = decode((folder / name).read_bytes(), declares=name.endswith(("html", "xml")))
        assert (name, found) == (name, encoding)
        assert words in text
