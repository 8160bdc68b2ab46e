"""Private data: what is found, what is not taken for it, and how it is replaced."""

from __future__ import annotations

import re
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.private import Redactor, find, report
from doceo.core.fingerprint import sha256
from doceo.core.records import Document

KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA7\nq83+/x==\n"
    "-----END RSA PRIVATE KEY-----"
)
AWS = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzRt9LmNo"
TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3


def document(text: str, pages: tuple[int, ...] = (), **more: str) -> Document:
    return Document(
        id=Document.identify(text),
        source="a.txt",
        media_type="text/plain",
        title=more.pop("title", "A"),
        text=text,
        sha256=sha256("file"),
        pages=pages,
        metadata=more,
    )


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to Maria.Holt+lamp@harbour.co.uk today.", "email", "Maria.Holt+lamp@harbour.co.uk"),
        ("[mail](mailto:m@aldern.eu).", "email", "m@aldern.eu"),
        ("Call +44 20 7946 0958 now", "phone", "+44 20 7946 0958"),
        ("Tel.: 030 2093 3333, Berlin", "phone", "030 2093 3333"),
        ("at 800-877-6799.", "phone", "800-877-6799"),
        ("offices) (702) 939-3254", "phone", "(702) 939-3254"),
        ("hotline (1-800-222-1222).", "phone", "1-800-222-1222"),
        ("Pay to DE89 3704 0044 0532 0130 00 please", "iban", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("card 4539 5787 6362 1486, until", "card", "4539 5787 6362 1486"),
        ("Amex 378282246310005.", "card", "378282246310005"),
        ("USt-IdNr. DE136695976", "tax-id", "DE136695976"),
        ("Steuer-ID: 36 574 261 809", "tax-id", "36 574 261 809"),
        ("SSN 536-90-4399 on file", "social-id", "536-90-4399"),
        ("CF RCCMNL83S18D969H", "social-id", "RCCMNL83S18D969H"),
        ("CPF 390.533.447-05", "social-id", "390.533.447-05"),
        ("DNI 54362315K", "social-id", "54362315K"),
        (f"export GH={TOKEN}", "secret", TOKEN),
        ("AKIAIOSFODNN7QRSTUVW is the id", "secret", "AKIAIOSFODNN7QRSTUVW"),
        ('db_password = "t7#kLm92qz"', "secret", "t7#kLm92qz"),
        (f"AWS_SECRET_ACCESS_KEY={AWS}", "secret", AWS),
        ("postgres://app:t7kLm92qz@db.aldern.eu/x", "secret", "t7kLm92qz"),
        (f"key:\n{KEY}\nend", "secret", KEY),
    ],
)  # fmt: skip
def test_found(text: str, kind: str, value: str) -> None:
    assert [(f.kind, text[f.start : f.end]) for f in find(text) if f.kind == kind] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "ISBN 978-3-16-148410-0 and ISSN 2049-3630",
        "on 2023-12-25, 25.12.2023 or 20231225T101112Z at 10:11:12",
        "version 4.6.2.0, kernel 2.6.32.5-431, 192.168.100.200, 3.11.2-6+deb12u9",
        "pages 100-200, 1234-1240, lines 12345678",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 and d41d8cd98f00b204e9800998ecf8427e",
        "63ee0242-c0c9-11ec-a4ba-aeec1c83ea00",
        "git@github.com:a/b.git, user@example.com, icon@2x.png, @decorator, a@b",
        "http://user:pass@example.org/ and http://host:8080/x",
        'password = "your-password-1", api_key: <KEY123456789>, secret: "changeme99"',
        "the password: it is stored in /etc/shadow",
        "0.4539578763621486 and 1,4539578763621486",
        "1 22 333 4444 55555 666666 7777777",
        "doi 10.1186/s12931-018-0784-1, tel aviv 12345678, 555-0123",
        "| 86,833 | 22,074 | 172,384 | 128,000 |",
        "sha512-AKIA0123456789ABCDEFxyz, eyJ, ghp_short",
        "-----BEGIN PRIVATE KEY-----",
        "as in Clause 252.227-7013 and Decimal('+35236450.6')",
        '"client_secret":"ek_token_123"',
    ],
)
def test_not_taken_for_it(text: str) -> None:
    assert not [(f.kind, text[f.start : f.end]) for f in find(text)]


def test_one_value_one_mark() -> None:
    redactor = Redactor()
    first, counts = redactor.redact("Ask m@aldern.eu or +44 20 7946 0958, or M@aldern.eu.")
    assert first == "Ask [EMAIL-1] or [PHONE-1], or [EMAIL-1]."
    assert counts == {"email": 2, "phone": 1}
    assert redactor.redact("+44 20 7946-0958, k@aldern.eu, m@aldern.eu")[0] == "[PHONE-1], [EMAIL-2], [EMAIL-1]"
    assert redactor.counts == {"email": 4, "phone": 2}


def test_a_document_is_another_after_it() -> None:
    pages = ("Ask m@aldern.eu.\n", "Page two: m@aldern.eu and\n", "the last page.\n")
    starts = (0, len(pages[0]), len(pages[0]) + len(pages[1]))
    before = document("".join(pages), starts, title="From m@aldern.eu", author="m@aldern.eu")
    after = Redactor().redacted(before)
    assert after.text == "Ask [EMAIL-1].\nPage two: [EMAIL-1] and\nthe last page.\n"
    assert [after.text[start:].split()[0] for start in after.pages] == ["Ask", "Page", "the"]
    assert (after.title, after.metadata, after.sha256) == ("From [EMAIL-1]", {"author": "[EMAIL-1]"}, before.sha256)
    assert after.id == Document.identify(after.text) != before.id
    assert report([before]) == {"email": 2}
    assert report([after]) == {}


def test_a_page_that_begins_inside_a_key() -> None:
    text = f"One.\n{KEY}\nTwo."
    after = Redactor().redacted(document(text, (0, text.index("MIIE"), text.index("Two"))))
    assert [after.text[start:][:10] for start in after.pages] == ["One.\n[SECR", "[SECRET-1]", "Two."]


PIECES = st.sampled_from(
    ["m@aldern.eu", "+44 20 7946 0958", "DE89 3704 0044 0532 0130 00", TOKEN, "4539578763621486", " ", ", ", "\n", "@",
     "1234567", "x", "é", "𝔘", "(", "+", "http://a:bcd1@e", "password='a1b2c3d4e5'"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map("".join)), st.integers(0, 40))
def test_any_text(text: str, page: int) -> None:
    found = find(text)
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert all(first.end <= second.start for first, second in pairwise(found))
    redactor = Redactor()
    after = redactor.redacted(document(text, (0, min(page, len(text)))))
    assert sum(redactor.counts.values()) >= len(found)
    marks = re.findall(r"\[[A-Z-]+-\d+\]", after.text)
    assert len(marks) >= len(found)
    assert all(0 <= start <= len(after.text) for start in after.pages)


@pytest.mark.parametrize(
    "piece",
    ["12345678901234567890x ", "1", "1 ", "-----BEGIN PRIVATE KEY-----", "eyJ", "//", "a@", "password=", "(1)", "+1-",
     "aB1." * 8 + " "],
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    start = time.process_time()
    find(text)
    assert time.process_time() - start < 5


def test_real_documents(shared_data: Path) -> None:
    """Every finding in the Debian policy and a long article was read: all are addresses of people or lists."""
    read = [shared_data / "docs" / name for name in ("txt/policy.txt", "txt/norwich-city.txt", "md/wiki.md")]
    kinds = Counter(finding.kind for path in read for finding in find(path.read_text(encoding="utf-8")))
    assert set(kinds) == {"email"}
    assert kinds["email"] >= 5
