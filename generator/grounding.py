"""Whether a draft is proved by its chunk: the quote is located, the answer's figures, names and words are looked up.

The cheap end of the ladder from exact quote to judge; it needs no model and reads the source itself.
"""

from __future__ import annotations

import itertools
import re

from doceo.core.records import Chunk, Document, Draft, Evidence, Span, Verdict
from doceo.text.quotes import locate
from doceo.text.words import STOP_WORDS, WORD, stem

SUPPORTED = 0.5
"""Least share of an answer's content words that have to occur in the chunk, its headings or the question."""
_ELISION = re.compile(r"\s*(?:\[\s*)?(?:\.\.\.|…)(?:\s*\])?\s*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORDED = """zero one two three four five six seven eight nine ten
    eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"""
_MIXED = re.compile(r"[^\W\d_]\d|\d[^\W\d_]")
_NUMERALS = {word: str(value) for value, word in enumerate(_WORDED.split())}
_YES_NO = frozenset({"yes", "no"})
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def verify(draft: Draft, chunk: Chunk, document: Document) -> tuple[Evidence, ...] | Verdict:
    """Return the evidence of a draft, or why it is not proved.

    A draft that knows its span is checked against the document's text; else its quote is looked for in the chunk, in
    parts where it was joined by "...". The reasons are `span_mismatch`, `no_quote`, `quote_not_found` and
    `answer_not_supported`. A draft that says that there is no answer has no evidence.
    """
    if not draft.answerable:
        return ()
    if draft.span is not None:
        evidence = _of_span(draft.span, draft.quote, document)
    else:
        evidence = _of_quote(draft.quote, chunk, document)
    if isinstance(evidence, Verdict):
        return evidence
    missing = unsupported(draft, evidence, chunk, document)
    return _reject("answer_not_supported", missing) if missing else evidence


def unsupported(draft: Draft, evidence: tuple[Evidence, ...], chunk: Chunk, document: Document) -> str:
    """Return what of an answer stands neither in its evidence and chunk nor in what the question names, or ""."""
    source = "\n".join(
        [*(part.quote for part in evidence), chunk.text, *chunk.heading_path, document.title, draft.question]
    )
    if _WIDE.search(draft.answer):
        return _unsupported_wide(draft.answer, source)
    answer, given = draft.answer, _numbers(source)
    if odd := [number for number in _digits(answer) if number not in given]:
        return f"the number {odd[0]} is not in the passage"
    joined = "".join(source.lower().split())
    if odd := [word for word in WORD.findall(answer) if _MIXED.search(word) and word.lower() not in joined]:
        return f"{odd[0]} is not in the passage"
    known = {stem(part) for word in WORD.findall(source.lower()) for part in (word, *re.split(r"[-/._'’]", word))}
    if odd := [name for name in _names(answer) if not _occurs(name, known)]:
        return f"the name {odd[0]} is not in the passage"
    content = [word for word in WORD.findall(answer.lower()) if word not in STOP_WORDS | _YES_NO]
    found = sum(_occurs(word, known) or word in _NUMERALS for word in content)
    if content and found < SUPPORTED * len(content):
        return f"{len(content) - found} of {len(content)} words of the answer are not in the passage"
    return ""


def _of_span(span: Span, quote: str, document: Document) -> tuple[Evidence, ...] | Verdict:
    if span.document_id != document.id or span.end > len(document.text):
        return _reject("span_mismatch", f"the span {span.start} to {span.end} is not of this document")
    if document.text[span.start : span.end] != quote:
        return _reject("span_mismatch", f"the text at {span.start} is not the quote")
    return (Evidence(span=span, quote=quote),)


def _of_quote(quote: str, chunk: Chunk, document: Document) -> tuple[Evidence, ...] | Verdict:
    if not quote.strip():
        return _reject("no_quote", "the teacher gave no quote")
    whole = locate(quote, chunk.text)
    parts = (
        [quote] if whole else [part for part in _ELISION.split(quote) if len(part.split()) > 1 or _WIDE.search(part)]
    )
    places = [whole] if whole else [locate(part, chunk.text) for part in parts]
    evidence: list[Evidence] = []
    for part, place in zip(parts, places, strict=True):
        if place is None:
            return _reject("quote_not_found", part[:120])
        start, end = chunk.span.start + place[0], chunk.span.start + place[1]
        found = Evidence(span=Span(document_id=document.id, start=start, end=end), quote=document.text[start:end])
        if found not in evidence:
            evidence.append(found)
    return tuple(evidence) if evidence else _reject("quote_not_found", quote[:120])


def _reject(reason: str, detail: str) -> Verdict:
    return Verdict(accepted=False, reason=reason, detail=detail)


def _digits(text: str) -> list[str]:
    return [number.replace(",", "").rstrip(".:") for number in _NUMBER.findall(text)]


def _numbers(text: str) -> set[str]:
    """Return the numbers of a text, worded ones up to twenty included, thousands separators left out."""
    return {*_digits(text), *(_NUMERALS[word] for word in WORD.findall(text.lower()) if word in _NUMERALS)}


def _names(answer: str) -> list[str]:
    """Return the capitalised words of an answer that do not begin a sentence, in lower case."""
    names: list[str] = []
    for match in WORD.finditer(answer):
        word, before = match.group(), answer[: match.start()].rstrip(" \t\n\"'“‘(*_`")
        if word[0].isupper() and len(word) > 1 and before and before[-1] not in ".!?:;•-":
            names.append(word.lower())
    return [name for name in names if name not in STOP_WORDS]


def _occurs(word: str, known: set[str]) -> bool:
    """Return whether a word or all parts of a compound occur, also in another ending."""
    if stem(word) in known:
        return True
    parts = re.split(r"[-/._'’]", word)
    if len(parts) > 1 and all(not part or part in STOP_WORDS or stem(part) in known for part in parts):
        return True
    root = stem(word)[:6]
    return len(root) >= 5 and any(other.startswith(root) for other in known)


def _unsupported_wide(answer: str, source: str) -> str:
    """Look up the answer's pairs of letters, for scripts that put no spaces between words."""
    letters = [letter for letter in answer if letter.isalnum()]
    pairs = ["".join(pair) for pair in itertools.pairwise(letters)]
    given = "".join(letter for letter in source if letter.isalnum())
    found = sum(pair in given for pair in pairs)
    if odd := [number for number in _digits(answer) if number not in _numbers(source)]:
        return f"the number {odd[0]} is not in the passage"
    return "" if found >= SUPPORTED * len(pairs) else f"{len(pairs) - found} of {len(pairs)} letter pairs are not there"
