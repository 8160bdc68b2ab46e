"""Numbers that belong to someone: phone, card, bank account, tax and social numbers, by check digits and plans.

Candidates stand where seven digits come together; everything else of a text is passed over by one search.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Literal, NamedTuple

NumberKind = Literal["phone", "iban", "card", "tax-id", "social-id"]

_BETWEEN = r"[ ().\-/\u00a0\u2011]{0,2}"
_DIGITS = re.compile(rf"\d{_BETWEEN}(?:\d{_BETWEEN}){{5}}\d")
"""Patterns that begin with a set of characters are searched for quickly."""
_AROUND = 48
_TAX_WORD = re.compile(
    r"\b(?:tax|steuer|IdNr|PESEL|BSN|burgerservice|personnummer|identification number)", re.IGNORECASE
)
_CALL_WORD = re.compile(
    r"(?:\b(?:tel|phone|telephone|telefon|t[ée]l[ée]phone|tel[ée]fono|fax|mobile?|mobil|cell|call|hotline|whatsapp|sms)"
    r"\b|☎|📞|電話|电话)(?:\.|\s(?:us|me|number|no|nr|at|is|on)\b)*[\s:：.]*\Z",
    re.IGNORECASE,
)
"""What stands right before a phone number."""
_GAP = r"[ .\-/\u00a0\u2011]{1,2}+"
_PHONE = re.compile(rf"(?<![\w.+/=-])\+?\(?\d++\)?(?:(?:{_GAP}|(?=\()|(?<=\)))\(?\d++\)?){{0,6}}+(?![\w=]|[.\-]\d)")
_NORTH_AMERICA = re.compile(r"(?:1[ .-])?(?:\(\d{3}\) ?\d{3}[.-]\d{4}|\d{3}(?P<gap>[.-])\d{3}(?P=gap)\d{4})\Z")
_DECIMAL = re.compile(r"\+\d+\.\d+\Z")
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "CH", "AT", "CN", "JP", "IN", "BR", "AU")
"""Where a number without a country code may be from, if a word before it says that it is a phone number."""


class _Form(NamedTuple):
    """How a number is written, and the module of `stdnum` that checks it."""

    kind: NumberKind
    written: re.Pattern[str]
    module: str
    needs_word: bool = False


def _form(kind: NumberKind, written: str, module: str, *, needs_word: bool = False) -> _Form:
    return _Form(kind, re.compile(rf"(?<![\w.,-]){written}(?![\w-]|[.,]\d)"), module, needs_word)


_FORMS = (
    _form("iban", r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?", "iban"),
    _form("card", r"(?:4\d|5[1-5]|2[2-7]|6[05]|35)\d\d(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}(?P=gap)\d{4}", "luhn"),
    _form("card", r"3[47]\d\d(?P<gap>[ -]?)\d{6}(?P=gap)\d{5}", "luhn"),
    _form("tax-id", r"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)"
          r"[A-Z0-9]{0,2}\d{7,10}[A-Z0-9]{0,3}", "eu.vat"),
    _form("social-id", r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    _form("social-id", r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d", "fr.nir"),
    _form("social-id", r"[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d{4}[\dX]", "cn.ric"),
    _form("social-id", r"\d{3}\.\d{3}\.\d{3}-\d\d", "br.cpf"),
    _form("social-id", r"\d{8}[A-Z]", "es.dni"),
    _form("social-id", r"[XYZ]\d{7}[A-Z]", "es.nie"),
    _form("tax-id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr", needs_word=True),
    _form("social-id", r"\d{11}", "pl.pesel", needs_word=True),
    _form("social-id", r"\d{9}", "nl.bsn", needs_word=True),
    _form("social-id", r"\d{6}[-+]\d{4}", "se.personnummer", needs_word=True),
)  # fmt: skip
_CODICE = re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]{5}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]\b")


def numbers(text: str) -> Iterator[tuple[NumberKind, int, int]]:
    """Yield (kind, start, end) of every number that belongs to someone; they may overlap, the likelier kind first."""
    phones: list[tuple[int, int]] = []
    for start, end in _windows(text):
        window = text[start:end]
        for form in _FORMS:
            for match in form.written.finditer(window):
                if _holds(form, match, window):
                    yield form.kind, start + match.start(), start + match.end()
        phones += ((start + first, start + last) for first, last in _phones(window))
    for match in _CODICE.finditer(text):
        if import_module("stdnum.it.codicefiscale").is_valid(match.group()):
            yield "social-id", match.start(), match.end()
    yield from (("phone", start, end) for start, end in phones)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Yield the surroundings of digits that come together, those that touch as one, within a line."""
    opened: tuple[int, int] | None = None
    for match in _DIGITS.finditer(text):
        start = max(text.rfind("\n", max(0, match.start() - _AROUND), match.start()) + 1, match.start() - _AROUND, 0)
        stop = text.find("\n", match.end(), match.end() + _AROUND)
        end = stop if stop >= 0 else min(match.end() + _AROUND, len(text))
        if opened and start <= opened[1]:
            opened = (opened[0], max(end, opened[1]))
        else:
            if opened:
                yield opened
            opened = (start, end)
    if opened:
        yield opened


def _holds(form: _Form, match: re.Match[str], window: str) -> bool:
    before = window[max(0, match.start() - _AROUND) : match.start()]
    if form.needs_word and not _TAX_WORD.search(before):
        return False
    value = re.sub(r"[ -]", "", match.group()) if form.kind in ("card", "iban") else match.group()
    if len(set(value)) < 4 and form.kind != "card":
        return False
    return bool(import_module(f"stdnum.{form.module}").is_valid(value))


def _phones(window: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(window):
        start, end = match.span()
        if window[start] == "(" and window[end - 1] == ")":
            start, end = start + 1, end - 1
        written = window[start:end]
        digits = sum(map(str.isdigit, written))
        if 7 <= digits <= 17 and any(_is_phone(written, region) for region in _regions(written, window, start)):
            yield start, end


def _regions(written: str, window: str, start: int) -> tuple[str | None, ...]:
    """Return the countries whose plans a number may follow; none where nothing says that it is a phone number."""
    if written.startswith("+"):
        return () if _DECIMAL.match(written) else (None,)
    if _CALL_WORD.search(window, max(0, start - 32), start):
        return _REGIONS
    return ("US",) if _NORTH_AMERICA.match(written) else ()


def _is_phone(written: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(written, region))
    except phonenumbers.NumberParseException:
        return False
