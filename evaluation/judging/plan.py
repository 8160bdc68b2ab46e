"""Which answers a judge is asked about, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doceo.core.config import JudgeConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import SetName
from evaluation.case import Case
from evaluation.judging.rubric import Rubric
from evaluation.judging.shown import answer_id


@dataclass(frozen=True)
class ToMark:
    """An answer to be marked, the systems that gave it, and which of the repeats it is."""

    answer: str
    case: Case
    systems: tuple[str, ...]
    repeat: int


@dataclass(frozen=True)
class ToCompare:
    """An answer and the baseline's to one question, in one of their two orders; `base_case` is the baseline's."""

    answer: str
    base: str
    case: Case
    base_case: Case
    systems: tuple[str, ...]
    round: int
    base_first: bool


@dataclass(frozen=True)
class Plan:
    """All that a judge is asked, in the order of the questions. `local` counts answers that may not be shown to it."""

    marks: list[ToMark] = field(default_factory=list)
    comparisons: list[ToCompare] = field(default_factory=list)
    local: int = 0


@dataclass(frozen=True)
class _Given:
    """The answers to one question: id -> case, and id -> systems."""

    cases: dict[str, Case] = field(default_factory=dict)
    systems: dict[str, list[str]] = field(default_factory=dict)

    def answer_of(self, system: str) -> str | None:
        return next((answer for answer, systems in self.systems.items() if system in systems), None)


def plan(
    answered: Mapping[str, Sequence[Case]],
    rubric: Rubric,
    config: JudgeConfig,
    baseline: str,
    local: frozenset[str] = frozenset(),
) -> Plan:
    """Return what a judge is to be asked.

    The same answer by two systems is asked about once, and is as good as itself. Where not all questions are judged,
    those are that come first by a hash of seed and id: the same ones for every system, and more of them later.

    Args:
        answered: System -> its answers.
        rubric: The points; an answer that no point applies to is not marked.
        config: Repeats, comparisons, questions and seed.
        baseline: The system that the others are compared with.
        local: Ids of documents that the judge may not see; answers that rest on one are left out.
    """
    found = Plan()
    held_back = 0
    for given in _chosen(_by_question(answered), config).values():
        private = {answer for answer, case in given.cases.items() if _documents(case) & local}
        held_back += len(private)
        base = given.answer_of(baseline)
        for answer, case in given.cases.items():
            if answer in private:
                continue
            systems = tuple(given.systems[answer])
            if rubric.of(case):
                found.marks.extend(ToMark(answer, case, systems, repeat) for repeat in range(config.repeats))
            others = tuple(system for system in systems if system != baseline)
            if base is not None and others and base not in private:
                found.comparisons.extend(_compared(answer, base, given, others, config.comparisons))
    return Plan(found.marks, found.comparisons, held_back)


def _by_question(answered: Mapping[str, Sequence[Case]]) -> dict[tuple[SetName, str], _Given]:
    found: dict[tuple[SetName, str], _Given] = {}
    for system, cases in answered.items():
        for case in cases:
            given = found.setdefault((case.question.set, case.question.pair_id), _Given())
            answer = answer_id(case)
            given.cases.setdefault(answer, case)
            given.systems.setdefault(answer, []).append(system)
    return found


def _chosen(given: Mapping[tuple[SetName, str], _Given], config: JudgeConfig) -> dict[tuple[SetName, str], _Given]:
    if config.questions is None:
        return dict(given)
    kept: set[tuple[SetName, str]] = set()
    for set_name in {key[0] for key in given}:
        of_set = [key for key in given if key[0] == set_name]
        kept.update(sorted(of_set, key=lambda key: sha256(f"{config.seed}:{key[1]}"))[: config.questions])
    return {key: one for key, one in given.items() if key in kept}


def _compared(answer: str, base: str, given: _Given, systems: tuple[str, ...], rounds: int) -> list[ToCompare]:
    orders = (True, False) if answer != base else (True,)
    return [
        ToCompare(answer, base, given.cases[answer], given.cases[base], systems, number, base_first)
        for number in range(rounds if answer != base else min(rounds, 1))
        for base_first in orders
    ]


def _documents(case: Case) -> set[str]:
    """Return the ids of the documents that an answer, or what is known of the right one, rests on."""
    question, answer = case.question, case.answer
    spans = [evidence.span for evidence in question.evidence] + [hit.span for hit in answer.hits]
    return {span.document_id for span in spans} | {citation.document_id for citation in answer.citations}
