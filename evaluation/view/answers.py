"""Answers beside their sources: the worked examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from doceo.core.records import Answer, Answered, Citation, Evidence, Item
from evaluation.spans import touches
from evaluation.view.outcomes import Outcome, outcome
from evaluation.view.passages import Excerpt, Library, Piece, Quote
from evaluation.view.records import RunRecords

WORKED = 3
T = TypeVar("T")
Values = Mapping[tuple[str, str, str], float | None]
"""(system, set, pair id) -> value of one metric."""
_MARKER = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_ORDER: tuple[Outcome, ...] = ("right", "unknown", "wrong", "refused")
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
    references: tuple[str, ...]
    sources: tuple[Excerpt, ...]
    outcome: Outcome


def introduction(worked: Sequence[Worked]) -> str:
    """Return what the examples are: the best, or only some, and of how many documents."""
    found = {work.outcome for work in worked}
    n, documents = len(worked), len({work.sources[0].source for work in worked if work.sources})
    what = "best answers" if found <= {"right"} else "answers"
    said = f"These are {n} of its {what}, of {documents} document{'' if documents == 1 else 's'}"
    said = f"This is one of its {what}" if n == 1 else said
    if "wrong" in found:
        return f"{said}; none that cites a source is known to be right."
    return f"{said}." if found <= {"right"} else f"{said}; whether they are right is not known."


def worked_examples(records: RunRecords, library: Library, count: int = WORKED) -> list[Worked]:
    """Return some of the best answers that cite their sources, of as many documents as there are.

    Those that are right, as far as that can be told; where there is none, those of which it is not known, or else any.
    First come the ones whose citation touches the evidence of the question, of these the ones to written questions, of
    these the ones of the highest score. Taken from the first that cites anything of what the verdict advises,
    quote+rag, tuned+rag, base+rag, and any other.
    """
    advised = records.verdict.systems if records.verdict else ()
    order = dict.fromkeys((*advised, *_CITING, *records.answers))
    for system in (name for name in order if name in records.answers):
        citing = [line for line in records.answers[system] if line.answer.citations and not line.answer.refused]
        if citing:
            best = min((_outcome(line, system, records) for line in citing), key=_ORDER.index)
            citing = [line for line in citing if _outcome(line, system, records) == best]
            values = item_values(records.items, preferred_metric(records.items, ("rougeL", "chrf", "f1")))
            citing.sort(
                key=lambda line: (
                    not _touches(line.answer.citations, records.evidence.get(line.pair_id, ())),
                    not line.set.endswith("-written"),
                    -(values.get((system, line.set, line.pair_id)) or 0),
                    line.pair_id,
                )
            )
            chosen = _spread(citing, count)
            return [_worked(i, system, line, records, library) for i, line in enumerate(chosen, 1)]
    return []


def preferred_metric(items: Sequence[Item], order: Sequence[str]) -> str:
    """Return the first metric of `order` that the items hold, else any they hold, else nothing."""
    known = list(dict.fromkeys(item.metric for item in items))
    return next((metric for metric in order if metric in known), known[0] if known else "")


def item_values(items: Sequence[Item], metric: str) -> Values:
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


def _outcome(line: Answered, system: str, records: RunRecords) -> Outcome:
    return outcome(records.cases[line.set, line.pair_id][system])


def _worked(i: int, system: str, line: Answered, records: RunRecords, library: Library) -> Worked:
    return Worked(
        id=f"a{i}",
        question=line.question,
        system=system,
        set=line.set,
        pieces=pieces_of(line.answer),
        references=line.references,
        sources=tuple(library.excerpts([_quote(citation) for citation in line.answer.citations[:6]])),
        outcome=_outcome(line, system, records),
    )


def _quote(citation: Citation) -> Quote:
    return Quote(citation.span, citation.quote, citation.n, citation.source, citation.heading_path)


def _touches(citations: Sequence[Citation], evidence: Sequence[Evidence]) -> bool:
    """Return whether a citation and the evidence share characters."""
    return any(touches(cited.span, one.span) for cited in citations for one in evidence)


def _spread(lines: Sequence[Answered], count: int) -> list[Answered]:
    """Return the first line of each document before a second of any, in the order given; no quote twice."""
    groups: dict[str, list[Answered]] = {}
    quoted: set[str] = set()
    for line in lines:
        if (quote := line.answer.citations[0].quote) in quoted:
            continue
        quoted.add(quote)
        groups.setdefault(line.answer.citations[0].document_id, []).append(line)
    return take_in_turn(list(groups.values()), count)


def take_in_turn(groups: Iterable[Sequence[T]], count: int) -> list[T]:
    """Return up to `count` members: the first of every group, then the second of every group, and so on."""
    waiting = [list(group) for group in groups]
    taken: list[T] = []
    while any(waiting) and len(taken) < count:
        for group in waiting:
            if group and len(taken) < count:
                taken.append(group.pop(0))
    return taken
