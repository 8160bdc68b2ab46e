"""Answers beside their sources: the worked examples and the question cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from doceo.core.fingerprint import sha256
from doceo.core.records import Answer, Answered, Citation, Evidence, Item, SetName
from doceo.text.passages import without_markers
from evaluation.scoring import SETS
from evaluation.view.passages import Excerpt, Library, Piece, Quote, clip
from evaluation.view.records import RunRecords

WORKED = 6
CARDS = 20
LONGEST_ANSWER = 1400
T = TypeVar("T")
_MARKER = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_CITING = ("quote+rag", "tuned+rag", "base+rag")


@dataclass(frozen=True)
class Worked:
    """A question, a system's answer, and every source that the answer cites."""

    id: str
    question: str
    system: str
    set: str
    pieces: tuple[Piece, ...]
    """The answer: plain runs, the short answer, and the numbers of sources."""
    plain: str
    references: tuple[str, ...]
    sources: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Reply:
    """One system's answer on a card; `value` is its value in the card's metric."""

    system: str
    text: str
    refused: bool
    sources: tuple[str, ...]
    value: float | None


@dataclass(frozen=True)
class QuestionCard:
    """A question with its reference, every system's answer, and the evidence in its source."""

    question: str
    set: str
    references: tuple[str, ...]
    replies: tuple[Reply, ...]
    evidence: tuple[Excerpt, ...]


def worked_examples(records: RunRecords, library: Library, count: int = WORKED) -> list[Worked]:
    """Return some of the best answers that cite their sources, of different documents.

    First come those whose citation touches the evidence of the question, of these the ones to written questions, of
    these the ones of the highest score. Taken from the first of quote+rag, tuned+rag, base+rag (then any other) that
    cites anything.
    """
    evidence = _evidence(records)
    order = [*(s for s in _CITING if s in records.answers), *(s for s in records.answers if s not in _CITING)]
    for system in order:
        citing = [line for line in records.answers[system] if line.answer.citations and not line.answer.refused]
        if citing:
            values = item_values(records.items, preferred_metric(records.items, ("rougeL", "chrf", "f1")))
            citing.sort(
                key=lambda line: (
                    not _touches(line.answer.citations, evidence.get(line.pair_id, ())),
                    not line.set.endswith("-written"),
                    -(values.get((system, line.set, line.pair_id)) or 0),
                    line.pair_id,
                )
            )
            chosen = _spread(citing, count)
            return [_worked(i, system, line, library) for i, line in enumerate(chosen, 1)]
    return []


def question_cards(
    records: RunRecords, library: Library, seed: int, count: int = CARDS
) -> tuple[str, list[QuestionCard]]:
    """Return the metric shown on the cards and a seeded choice of questions, the same number of every set."""
    metric = preferred_metric(records.items, ("f1", "rougeL", "chrf"))
    values = item_values(records.items, metric)
    evidence = _evidence(records)
    asked: dict[SetName, dict[str, dict[str, Answered]]] = {}
    for system, answers in records.answers.items():
        for line in answers:
            asked.setdefault(line.set, {}).setdefault(line.pair_id, {})[system] = line
    shuffled = {name: sorted(ids, key=lambda i: sha256(f"card {seed} {i}")) for name, ids in asked.items()}
    keys = _take_in_turn([[(name, i) for i in shuffled.get(name, [])] for name in SETS], count)
    keys.sort(key=lambda key: SETS.index(key[0]))
    cards = [_card(asked[s][i], evidence.get(i, ()), values, library) for s, i in keys]
    return metric, cards


def preferred_metric(items: Sequence[Item], order: Sequence[str]) -> str:
    """Return the first metric of `order` that the items hold, else any they hold, else nothing."""
    known = list(dict.fromkeys(item.metric for item in items))
    return next((metric for metric in order if metric in known), known[0] if known else "")


def item_values(items: Sequence[Item], metric: str) -> dict[tuple[str, str, str], float | None]:
    """Return (system, set, pair id) -> value of one metric."""
    return {(item.system, item.set, item.pair_id): item.value for item in items if item.metric == metric}


def pieces_of(answer: Answer) -> tuple[Piece, ...]:
    """Return an answer's text with its source numbers and, once, its short answer set apart."""
    pieces: list[Piece] = []
    at, short = 0, answer.short or ""
    cited = {str(citation.n) for citation in answer.citations}
    for marker in _MARKER.finditer(answer.text):
        numbers = re.findall(r"\d+", marker[1])
        if cited.issuperset(numbers):
            short = _plain(pieces, answer.text[at : marker.start()], short)
            pieces += [Piece(n, "source") for n in numbers]
            at = marker.end()
    _plain(pieces, answer.text[at:], short)
    return tuple(pieces)


def _plain(pieces: list[Piece], text: str, short: str) -> str:
    """Add text, with the short answer set apart where it stands; return what is still to be found."""
    before, found, after = text.partition(short) if short else (text, "", "")
    pieces += [Piece(t, k) for t, k in ((before, "plain"), (found, "short"), (after, "plain")) if t]
    return "" if found else short


def _worked(i: int, system: str, line: Answered, library: Library) -> Worked:
    return Worked(
        id=f"a{i}",
        question=line.question,
        system=system,
        set=line.set,
        pieces=pieces_of(line.answer),
        plain=without_markers(line.answer.text).strip(),
        references=line.references,
        sources=tuple(library.excerpts([_quote(citation) for citation in line.answer.citations[:6]])),
    )


def _quote(citation: Citation) -> Quote:
    return Quote(citation.span, citation.quote, citation.n, citation.source, citation.heading_path)


def _card(
    lines: Mapping[str, Answered],
    evidence: Sequence[Evidence],
    values: Mapping[tuple[str, str, str], float | None],
    library: Library,
) -> QuestionCard:
    first = next(iter(lines.values()))
    return QuestionCard(
        question=first.question,
        set=first.set,
        references=first.references,
        replies=tuple(
            Reply(
                system=system,
                text=clip(without_markers(line.answer.text).strip(), LONGEST_ANSWER),
                refused=line.answer.refused,
                sources=tuple(dict.fromkeys(citation.source for citation in line.answer.citations)),
                value=values.get((system, line.set, line.pair_id)),
            )
            for system, line in lines.items()
        ),
        evidence=tuple(library.of(evidence)),
    )


def _evidence(records: RunRecords) -> dict[str, tuple[Evidence, ...]]:
    """Return pair id -> what proves the answer."""
    return {pair.id: pair.evidence for pair in records.pairs} | dict(records.evidence)


def _touches(citations: Sequence[Citation], evidence: Sequence[Evidence]) -> bool:
    """Return whether a citation and the evidence share characters."""
    spans = [one.span for one in evidence]
    return any(
        cited.span.document_id == span.document_id and cited.span.start < span.end and span.start < cited.span.end
        for cited in citations
        for span in spans
    )


def _spread(lines: Sequence[Answered], count: int) -> list[Answered]:
    """Return the first line of each document before a second of any, in the order given; no quote twice."""
    groups: dict[str, list[Answered]] = {}
    quoted: set[str] = set()
    for line in lines:
        if (quote := line.answer.citations[0].quote) in quoted:
            continue
        quoted.add(quote)
        groups.setdefault(line.answer.citations[0].document_id, []).append(line)
    return _take_in_turn(list(groups.values()), count)


def _take_in_turn(groups: Iterable[Sequence[T]], count: int) -> list[T]:
    """Return up to `count` members: the first of every group, then the second of every group, and so on."""
    waiting = [list(group) for group in groups]
    taken: list[T] = []
    while any(waiting) and len(taken) < count:
        for group in waiting:
            if group and len(taken) < count:
                taken.append(group.pop(0))
    return taken
