"""Every question with every answer, as data for the page's script: it searches, filters and shows them by the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.records import Question
from evaluation.case import Case
from evaluation.slices import keys
from evaluation.view.answers import Values
from evaluation.view.outcomes import OUTCOMES, outcome
from evaluation.view.passages import Library, clip
from evaluation.view.records import RunRecords
from evaluation.view.review import excerpt_data

MOST = 10_000
"""Questions on the page; where there are more, the first of each set in turn. All are in 6-answers."""
ROOM = 260
LONGEST = 900


def questions_data(
    records: RunRecords, library: Library, tone: Mapping[str, int], values: Values, label: str
) -> dict[str, object]:
    """Return the questions with their answers, and the axes they can be filtered by.

    `values` are those of the metric that `label` names, as of `item_values`.
    An answer is [text, value, outcome, sources] in the order of the systems, or null where a system was not asked;
    `outcome` counts in OUTCOMES. An axis gives the place of each question's value among its own.
    """
    asked = list(records.cases.items())[:MOST]
    questions = [next(iter(answers.values())).question for _, answers in asked]
    systems = list(records.answers)
    return {
        "systems": [[system, tone.get(system, 0)] for system in systems],
        "metric": label,
        "outcomes": OUTCOMES,
        "axes": _axes(records, questions),
        "inAll": len(records.cases),
        "questions": [
            _entry(question, records, library)
            | {"answers": [_answer(answers.get(system), system, values) for system in systems]}
            for question, (_, answers) in zip(questions, asked, strict=True)
        ],
    }


def _axes(records: RunRecords, questions: Sequence[Question]) -> list[dict[str, object]]:
    """Return the axes on which questions differ: the values of each, and every question's place among them."""
    found: list[dict[str, object]] = []
    sets: list[str] = [question.set for question in questions]
    for name, of in {"set": sets, **keys(questions, records.documents)}.items():
        known = sorted({value for value in of if value})
        if len(known) > 1 or (known and "" in of):
            place = {value: at for at, value in enumerate(known)}
            found.append({"name": name, "values": known, "of": [place.get(value, -1) for value in of]})
    return found


def _entry(question: Question, records: RunRecords, library: Library) -> dict[str, object]:
    evidence = question.evidence or records.evidence.get(question.pair_id, ())
    entry: dict[str, object] = {
        "id": question.pair_id,
        "set": question.set,
        "question": clip(question.question, LONGEST),
        "references": [clip(text, LONGEST) for text in question.references[:3]],
        "history": [[turn.role, clip(turn.content, LONGEST)] for turn in question.history],
        "answerable": question.answerable,
        "sources": [excerpt_data(excerpt) for excerpt in library.of(evidence, ROOM)],
    }
    return {name: value for name, value in entry.items() if value not in ("", [], {}) or name == "answerable"}


def _answer(case: Case | None, system: str, values: Values) -> list[object] | None:
    if case is None:
        return None
    question = case.question
    value = values.get((system, question.set, question.pair_id))
    sources = list(dict.fromkeys(citation.source for citation in case.answer.citations))
    shown = None if value is None else round(value, 1)
    return [clip(case.text, LONGEST), shown, OUTCOMES.index(outcome(case)), sources]
