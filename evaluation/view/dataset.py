"""What became of the documents and of the questions asked about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from data.located import located
from doceo.core.records import Difficulty, Ledger, Pair, Rejected
from doceo.text.language import count_words
from evaluation.view.charts import Bar, bars
from evaluation.view.passages import clip
from evaluation.view.records import RunRecords

MOST_DOCUMENTS = 60
REASONS = {
    "form": "badly formed question or answer",
    "exact": "same question as another",
    "near": "nearly the same as another",
    "no_quote": "came without a quote",
    "quote_not_found": "quote not found in the passage",
    "span_mismatch": "quote not where the teacher said",
    "answer_not_supported": "answer says what the passage does not",
    "semantic": "same meaning as another",
    "contradiction": "another answer to the same question",
    "against": "asked in a file it was held against",
    "history_not_supported": "turns before say what the passage does not",
    "not_multi_hop": "one passage is enough to answer it",
    "answerable_after_all": "said to be unanswerable, but answered",
    "roundtrip": "a model could not answer it from the passage",
    "ambiguous": "another passage answers it otherwise",
    "judge": "marked low by the judge",
    "review": "dropped by a reviewer",
    "not_selected": "good, but left out for balance",
    "not_returned": "asked for, not returned by the teacher",
    "not_reworded": "no other wording was found",
    "unreachable": "the teacher could not be reached",
    "rate_limited": "the teacher refused for its rate limit",
    "reply_invalid": "the teacher's reply could not be read",
}


_ID = re.compile(r"\bp_[0-9a-f]{16}\b")


@dataclass(frozen=True)
class Outcome:
    """What became of every pair that was asked for."""

    ledger: Ledger
    rate: str
    """Share of the asked that was accepted."""
    exact: str
    """Share of the proposals, before any was rejected, whose quote stands in its document; or nothing."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class DocumentRow:
    """A document with the number of pairs made from it and the share of it that they cover, where known."""

    source: str
    words: int
    pairs: int
    share: float | None


def outcome(ledger: Ledger | None, pairs: Sequence[Pair], rejected: Sequence[Rejected]) -> Outcome | None:
    """Return the ledger as bars, accepted first, each reason with one example where there is one."""
    if ledger is None:
        return None
    asked = ledger.asked or 1
    examples = {line.verdict.reason: line for line in reversed(rejected)}

    def example(reason: str) -> str:
        line = examples.get(reason)
        if line is None:
            return ""
        return f"“{clip(line.pair.question, 140)}” ({clip(_ID.sub('another', line.verdict.detail), 120)})"

    rows = [Bar("accepted", f"{ledger.accepted:,}", 100 * ledger.accepted / asked, "good")]
    for tone, counts in (("plain", ledger.rejected), ("bad", ledger.failed)):
        for reason, count in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])):
            label = REASONS.get(reason, reason.replace("_", " "))
            rows.append(Bar(label, f"{count:,}", 100 * count / asked, tone, example(reason)))
    rate = f"{100 * ledger.accepted / ledger.asked:.0f} %" if ledger.asked else "none"
    found, proposed = located(pairs, rejected)
    exact = f"{100 * found / proposed:.1f} %" if found else ""
    return Outcome(ledger, rate, exact, tuple(rows))


def use(rows: Mapping[str, int]) -> str:
    """Return what the dataset's files hold, as a sentence, or nothing where there is no dataset."""
    trained = [
        f"{rows[name]:,} {label}"
        for name, label in (("train", "training"), ("validation", "validation"))
        if rows.get(name)
    ]
    kept = [f"{count:,} {name}" for name, count in rows.items() if name not in {"train", "validation"} and count]
    lines = [
        f"{' and '.join(trained)} rows were made" if trained else "",
        f"kept out of them for testing: {', '.join(kept)} questions" if kept else "",
    ]
    text = "; ".join(line for line in lines if line)
    return f"{text}." if text else ""


def document_rows(records: RunRecords) -> tuple[list[DocumentRow], int]:
    """Return the documents, at most sixty, and how many more there are."""
    pairs = Counter(pair.evidence[0].span.document_id for pair in records.pairs if pair.evidence)
    shares = _shares(records)
    rows = [
        DocumentRow(document.source, count_words(document.text), pairs[document.id], shares.get(document.id))
        for document in records.documents.values()
    ]
    return rows[:MOST_DOCUMENTS], max(0, len(rows) - MOST_DOCUMENTS)


def _shares(records: RunRecords) -> dict[str, float]:
    """Return document id -> share covered, in per cent, from coverage.json's rows by document."""
    rows = records.coverage.get("documents")
    by_source = {document.source: document.id for document in records.documents.values()}
    found: dict[str, float] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            key = row.get("document_id") or row.get("id") or by_source.get(str(row.get("source")))
            share = row.get("sentences", row.get("share"))
            if isinstance(key, str) and isinstance(share, int | float):
                found[key] = round(100 * share, 1)
    return found


def coverage_shares(coverage: Mapping[str, object]) -> list[Bar]:
    """Return the shares of the whole corpus that pairs cover: sentences, sections, characters, key terms."""
    labels = {"sections": "sections", "sentences": "sentences", "characters": "characters", "terms": "key terms"}
    shares = ((label, coverage.get(key)) for key, label in labels.items())
    return [Bar(label, f"{100 * s:.0f} %", 100 * s) for label, s in shares if isinstance(s, int | float)]


def unasked(coverage: Mapping[str, object], most: int = 24) -> list[str]:
    """Return key terms of the documents that no question or answer names."""
    terms = coverage.get("unasked")
    return [str(term) for term in terms[:most]] if isinstance(terms, list) else []


def make_up(pairs: Sequence[Pair]) -> list[tuple[str, list[Bar]]]:
    """Return bars of kinds, difficulties, topics, languages; one that has a single value is left out."""
    columns: dict[str, Counter[str]] = {
        "Kinds": Counter(pair.kind for pair in pairs),
        "Difficulty": Counter(pair.difficulty for pair in pairs),
        "Topics": Counter(pair.topic for pair in pairs if pair.topic),
        "Languages": Counter(pair.language for pair in pairs),
        "Teachers": Counter(pair.teacher for pair in pairs),
    }
    made = [(title, bars(counts)) for title, counts in columns.items() if len(counts) > 1]
    order = get_args(Difficulty)
    return [(t, sorted(b, key=lambda bar: order.index(bar.label)) if t == "Difficulty" else b) for t, b in made]
