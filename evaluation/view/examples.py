"""Questions that show what the figures mean: the best and worst answers of a system, and where systems part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from doceo.core.fingerprint import sha256
from doceo.core.records import Question, SetName
from evaluation.case import Case
from evaluation.view.answers import Values, take_in_turn
from evaluation.view.outcomes import Outcome, outcome
from evaluation.view.passages import Excerpt, Library, clip
from evaluation.view.records import RunRecords

EACH = 2
"""Questions of each kind."""
LONGEST_ANSWER = 420
_Key = tuple[SetName, str]


@dataclass(frozen=True)
class Reply:
    """One system's answer to a question; `value` is its value in the metric that the examples are chosen by."""

    system: str
    tone: int
    text: str
    outcome: Outcome
    sources: tuple[str, ...]
    value: float | None


@dataclass(frozen=True)
class Card:
    """A question with its references, every system's answer, and the evidence in its source."""

    question: str
    set: str
    answerable: bool
    references: tuple[str, ...]
    replies: tuple[Reply, ...]
    evidence: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Gallery:
    """Examples of one kind."""

    id: str
    title: str
    note: str
    cards: tuple[Card, ...]


def galleries(
    records: RunRecords, library: Library, tone: Mapping[str, int], focus: str, values: Values, seed: int
) -> list[Gallery]:
    """Return the best and the worst answers of a system and the questions on which systems part; none comes twice.

    Args:
        records: The run.
        library: Its documents.
        tone: System -> the number of its colour.
        focus: The system whose answers they are.
        values: What good and bad is measured by, as of `item_values`.
        seed: Decides among questions that are equally telling.
    """
    asked = records.cases
    measured = {key: v for key in asked if (v := values.get((focus, *key))) is not None}
    missed = [key for key in measured if asked[key][focus].question.answerable]
    wrong = [key for key in missed if outcome(asked[key][focus]) != "right"]
    spread = {key: _spread(key, asked[key], values) for key in asked}
    kinds: list[tuple[str, str, str, list[_Key], Callable[[_Key], float]]] = [
        (
            "worst",
            f"Worst answers of {focus}" if wrong else f"Lowest scores of {focus}",
            "What it gets most wrong, of questions that the documents answer."
            if wrong
            else "None of its answers to what the documents answer is wrong; these share the fewest words with what is "
            "expected, such as a whole sentence where a word would do.",
            wrong or missed,
            lambda key: measured[key] + 1000 * asked[key][focus].answer.refused,
        ),
        (
            "parted",
            "Where the systems part",
            "One answers well, another badly.",
            [key for key in spread if spread[key] > 0],
            lambda key: -spread[key],
        ),
        (
            "best",
            f"Best answers of {focus}",
            "What it gets most right.",
            [key for key in measured if outcome(asked[key][focus]) == "right"],
            lambda key: -measured[key],
        ),
    ]
    used: set[_Key] = set()
    found = []
    for name, title, note, keys, rank in kinds:
        chosen = _chosen([key for key in keys if key not in used], rank, f"{name} {seed}")
        used |= set(chosen)
        if chosen:
            cards = tuple(_card(asked[key], records, values, tone, library) for key in chosen)
            found.append(Gallery(name, title, note, cards))
    return found


def _chosen(keys: Sequence[_Key], rank: Callable[[_Key], float], salt: str) -> list[_Key]:
    """Return the first by rank, of every set in turn."""
    ordered = sorted(keys, key=lambda key: (rank(key), sha256(f"{salt} {key[1]}")))
    groups: dict[SetName, list[_Key]] = {}
    for key in ordered:
        groups.setdefault(key[0], []).append(key)
    return take_in_turn(list(groups.values()), EACH)


def _spread(key: _Key, answers: Mapping[str, Case], values: Values) -> float:
    """Return how far the best and the worst answer to a question are apart, where all were measured."""
    known = [value for system in answers if (value := values.get((system, *key))) is not None]
    return max(known) - min(known) if len(known) == len(answers) > 1 else 0.0


def _card(
    answers: Mapping[str, Case], records: RunRecords, values: Values, tone: Mapping[str, int], library: Library
) -> Card:
    question: Question = next(iter(answers.values())).question
    return Card(
        question=question.question,
        set=question.set,
        answerable=question.answerable,
        references=question.references,
        replies=tuple(
            Reply(
                system=system,
                tone=tone.get(system, 0),
                text=clip(case.text, LONGEST_ANSWER),
                outcome=outcome(case),
                sources=tuple(dict.fromkeys(citation.source for citation in case.answer.citations)),
                value=values.get((system, question.set, question.pair_id)),
            )
            for system, case in answers.items()
        ),
        evidence=tuple(library.of(question.evidence or records.evidence.get(question.pair_id, ()))),
    )
