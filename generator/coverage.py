"""How much of the corpus the accepted evidence touches, and what no question asks about."""

from __future__ import annotations

import heapq
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from doceo.core.records import Chunk, Document, Pair
from doceo.text.sentences import sentence_spans

KEY_TERMS = 20
"""Key terms per document: its words of the highest tf-idf."""
LISTED = 50
"""Unasked terms that are listed."""
HARDLY = 0.2
"""A document is hardly asked about whose share of asked-about characters is below this part of the whole text's."""
NAMED = 3
"""Documents that are named as hardly asked about."""

_WIDE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(r"[^\W\d_][\w-]{3,}")
_WIDE_PAIR = re.compile(rf"([{_WIDE}])(?=([{_WIDE}]))")
"""It begins with a set of characters, since that is what is searched for quickly."""


def coverage(documents: Sequence[Document], chunks: Sequence[Chunk], pairs: Sequence[Pair]) -> dict[str, object]:
    """Return the content of `coverage.json`: shares (0 to 1) for the corpus and for every document."""
    terms = _key_terms(documents)
    sections: dict[str, list[Chunk]] = {document.id: [] for document in documents}
    for chunk in chunks:
        sections[chunk.document_id].append(chunk)
    touched: dict[str, list[tuple[int, int]]] = {document.id: [] for document in documents}
    for pair in pairs:
        for evidence in pair.evidence:
            touched[evidence.span.document_id].append((evidence.span.start, evidence.span.end))
    asked = {word for pair in pairs for word in _words(f"{pair.question} {pair.answer}")}
    mine = Counter(source for pair in pairs for source in {e.span.document_id for e in pair.evidence})
    rows, totals = [], Counter[str]()
    for document in documents:
        counts = _counts(document, sections[document.id], _merged(touched[document.id]), terms[document.id], asked)
        totals.update(counts)
        left = [term for term in terms[document.id] if term not in asked]
        row = {"document_id": document.id, "source": document.source, "pairs": mine[document.id]}
        rows.append({**row, **_shares(counts), "unasked": left})
    unasked = Counter({term: n for of in terms.values() for term, n in of.items() if term not in asked})
    return {**_shares(totals), "documents": rows, "unasked": [term for term, _ in unasked.most_common(LISTED)]}


def hardly_asked(coverage: Mapping[str, Any]) -> str:
    """Return which documents the pairs hardly ask about, for the content of `coverage.json`; empty where none is."""
    whole = coverage["characters"]
    left = [row for row in coverage["documents"] if row["characters"] < HARDLY * whole]
    left.sort(key=lambda row: (row["characters"], row["source"]))
    named = [f"{row['source']} (pairs: {row['pairs']}, {row['characters']:.2%} of its text)" for row in left[:NAMED]]
    more = f" and {len(left) - NAMED:,} more" if len(left) > NAMED else ""
    return f"Hardly asked about: {', '.join(named)}{more}; of all text {whole:.2%}." if left else ""


def _counts(
    document: Document, chunks: Sequence[Chunk], spans: list[tuple[int, int]], terms: Counter[str], asked: set[str]
) -> Counter[str]:
    sentences = sentence_spans(document.text)
    headings = {chunk.heading_path for chunk in chunks}
    hit = {chunk.heading_path for chunk in chunks if _overlaps(spans, chunk.span.start, chunk.span.end)}
    return Counter(
        {
            "sentences": len(sentences),
            "sentences_hit": sum(_overlaps(spans, start, end) for start, end in sentences),
            "sections": len(headings),
            "sections_hit": len(hit),
            "characters": len(document.text),
            "characters_hit": sum(end - start for start, end in spans),
            "terms": len(terms),
            "terms_hit": sum(term in asked for term in terms),
        }
    )


def _shares(counts: Counter[str]) -> dict[str, float]:
    return {
        name: round(counts[f"{name}_hit"] / counts[name], 4) if counts[name] else 0.0
        for name in ("sentences", "sections", "characters", "terms")
    }


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _overlaps(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    at = bisect_right(spans, (end, -1)) - 1
    return at >= 0 and spans[at][1] > start and spans[at][0] < end


def _key_terms(documents: Sequence[Document]) -> dict[str, Counter[str]]:
    """Return the words of the highest tf-idf of every document with how often they occur; two passes, lean."""
    spread: Counter[str] = Counter()
    for document in documents:
        spread.update(set(_words(document.text)))
    n = len(documents)
    terms: dict[str, Counter[str]] = {}
    for document in documents:
        words = Counter(_words(document.text))
        weight = {w: c * math.log((n + 1) / spread[w] + 0.1) for w, c in words.items() if c > 1}
        best = heapq.nsmallest(KEY_TERMS, weight, key=lambda w: (-weight[w], w))
        terms[document.id] = Counter({w: words[w] for w in best})
    return terms


def _words(text: str) -> list[str]:
    """Return a text's words in lower case; of scripts without spaces, pairs of letters."""
    lowered = text.lower()
    pairs = list(map("".join, _WIDE_PAIR.findall(lowered)))
    words = _WORD.findall(lowered)
    return [*(word for word in words if not _WIDE_PAIR.search(word)), *pairs] if pairs else words
