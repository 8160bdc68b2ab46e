"""Where a quote stands in a text, also when whoever quoted it changed a space, a dash or a letter.

Three steps, each only where the one before found nothing: letter for letter; without regard to case, spaces, marks,
punctuation and reference marks such as [12], by a map from the reduced text back to its offsets; and by the best
partial alignment (Indel similarity, rapidfuzz) above a high threshold, fitted to whole words. Numbers and negations
have to agree in any case: a quote that is one digit off proves nothing.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter

from rapidfuzz import fuzz

ALIKE = 90.0
"""Least similarity, of 100, at which an altered quote still counts as found."""
_SHORTEST_REDUCED = 8
_SHORTEST_FUZZY = 24
_FARTHEST = 5
_MARKS = "\"'`*_“”„‟‘’‚‛«»‹›「」『』"
_DASHES = "-‐‑‒–—−"
_TELLING = {"Mn", "Mc", "Sc", "Sm", "So"}
_WORD = re.compile(r"\w+")
_REFERENCE = re.compile(r"\[(?:\d{1,3}|[a-z])\]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(r"\b(?:not|no|never|none|nor|neither|without|cannot|except|unless)\b|n['’]t\b", re.IGNORECASE)


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Return (start, end) of a quote in a text, half-open in code points, or None where it does not stand there.

    A quote that stands there letter for letter is found as it is, at its first place that cuts no word.
    """
    bare = quote.strip()
    if not bare:
        return None
    for wanted in (quote, bare, bare.strip(_MARKS).strip()):
        if wanted.strip() and (place := _letter_for_letter(wanted, text)):
            return place
    return _by_reduction(bare, text) or _by_alignment(bare, text)


def _letter_for_letter(wanted: str, text: str) -> tuple[int, int] | None:
    """Return the first place between word borders, so that 50 is not seen in 150 where it also stands alone."""
    first = at = text.find(wanted)
    while at >= 0:
        if _on_borders(text, at, at + len(wanted)):
            return at, at + len(wanted)
        at = text.find(wanted, at + 1)
    return (first, first + len(wanted)) if first >= 0 else None


def _by_reduction(quote: str, text: str) -> tuple[int, int] | None:
    wanted, _ = _reduce(quote)
    reduced, offsets = _reduce(text)
    if len(wanted) < _SHORTEST_REDUCED:
        return None
    at = reduced.find(wanted)
    while at >= 0:
        start, end = offsets[at], offsets[at + len(wanted) - 1] + 1
        if _on_borders(text, start, end) and _agree(quote, text[start:end]):
            return _with_marks(quote, text, start, end)
        at = reduced.find(wanted, at + 1)
    return None


def _by_alignment(quote: str, text: str) -> tuple[int, int] | None:
    if not _SHORTEST_FUZZY <= len(quote) <= len(text) * 1.1:
        return None
    wanted, _ = _fold(quote)
    folded, offsets = _fold(text)
    found = fuzz.partial_ratio_alignment(wanted, folded, score_cutoff=ALIKE)
    if found is None or found.dest_end <= found.dest_start:
        return None
    start, end = offsets[found.dest_start], offsets[found.dest_end - 1] + 1
    start, end = _fit(wanted, text, *_snap(text, start, end))
    alike = fuzz.ratio(wanted, _fold(text[start:end])[0]) >= ALIKE - 5
    return _with_marks(quote, text, start, end) if alike and _agree(quote, text[start:end]) else None


def _fit(wanted: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Move the ends word by word while the stretch between them becomes more like the wanted text."""
    words = list(_WORD.finditer(text))
    starts, ends = [word.start() for word in words], [word.end() for word in words]
    best = fuzz.ratio(wanted, _fold(text[start:end])[0])
    for _ in range(2 * _FARTHEST):
        first, last = bisect_left(starts, start), bisect_left(ends, end)
        near = [(at, end) for at in starts[max(0, first - 1) : first + 2]]
        near += [(start, at) for at in ends[max(0, last - 1) : last + 2]]
        rated = [(fuzz.ratio(wanted, _fold(text[low:high])[0]), low, high) for low, high in near if low < high]
        better = max(rated, default=(0.0, start, end))
        if better[0] <= best:
            break
        best, start, end = better
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _reduce(text: str) -> tuple[str, list[int]]:
    """Return the letters and digits of a text, folded, and the offset of each; marks that carry a number stay."""
    kept: list[str] = []
    offsets: list[int] = []
    references = {index for mark in _REFERENCE.finditer(text) for index in range(*mark.span())}
    for index, letter in enumerate(text):
        if index not in references and (
            folded := _reduced(letter, text[max(0, index - 1) : index], text[index + 1 : index + 2])
        ):
            kept.append(folded)
            offsets += [index] * len(folded)
    return "".join(kept), offsets


def _reduced(letter: str, before: str, after: str) -> str:
    if letter in _DASHES:
        return "-" if after.isdigit() and not before.isalnum() else ""
    if letter.isalnum() or (letter in ".," and before.isdigit() and after.isdigit()):
        return _folded(letter)
    telling = letter == "%" or (unicodedata.category(letter) in _TELLING and letter not in "|~")
    return _folded(letter) if telling else ""


def _fold(text: str) -> tuple[str, list[int]]:
    """Return a text with spaces in a row as one and letters folded, and the offset that each character came from."""
    kept: list[str] = []
    offsets: list[int] = []
    for index, letter in enumerate(text):
        if letter.isspace():
            folded = "" if kept and kept[-1] == " " else " "
        else:
            folded = "" if unicodedata.category(letter) == "Cf" else _folded(letter)
        if folded:
            kept.append(folded)
            offsets += [index] * len(folded)
    return "".join(kept), offsets


def _folded(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter).casefold()


def _agree(quote: str, found: str) -> bool:
    """Return whether two texts hold the same numbers and as many negations."""
    quote, found = _REFERENCE.sub("", quote), _REFERENCE.sub("", found)
    return Counter(_NUMBER.findall(quote)) == Counter(_NUMBER.findall(found)) and len(_NEGATION.findall(quote)) == len(
        _NEGATION.findall(found)
    )


def _on_borders(text: str, start: int, end: int) -> bool:
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, at: int) -> bool:
    """Return whether the border before `at` runs through a word; scripts without spaces have no such borders."""
    before, after = text[at - 1 : at], text[at : at + 1]
    return bool(before and after and _spaced(before) and _spaced(after))


def _spaced(letter: str) -> bool:
    return letter.isalnum() and not "\u2e80" <= letter <= "\u9fff" and not "\uac00" <= letter <= "\ud7af"


def _snap(text: str, start: int, end: int) -> tuple[int, int]:
    """Move both ends off the middle of a word; a word that is in by half or more stays in."""
    for word in _WORD.finditer(text):
        inside, length = word.end() - start, word.end() - word.start()
        if word.start() < start < word.end() and _joined(text, start):
            start = word.start() if 2 * inside >= length else word.end()
        if word.start() < end < word.end() and _joined(text, end):
            end = word.end() if 2 * (end - word.start()) >= length else word.start()
    return start, max(start, end)


def _with_marks(quote: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Take in the marks around a stretch with which the quote begins and ends, and a full stop after it."""
    words = list(_WORD.finditer(quote))
    if not words:
        return start, end
    before, after = quote[: words[0].start()], quote[words[-1].end() :] + ".!?。"
    while start and text[start - 1] in before and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and text[end] in after and not text[end].isspace() and not _begins_number(text, end):
        end += 1
    return start, end


def _begins_number(text: str, at: int) -> bool:
    return text[at] == "." and text[at + 1 : at + 2].isalnum()
