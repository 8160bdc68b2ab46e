"""Whether an exported model is the one that was trained: token ids, predictions, answers, end marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from data.jsonl import write_json
from doceo.core.protocols import Progress
from doceo.core.records import Record
from finetune.export.measured import Measured, Written
from finetune.export.reference import Case, Reference

REPORT = "parity.json"
TIE = 1e-3
"""Lead of the reference's likeliest token, in logits, below which the next is as good and is not counted."""
MOST_LOSS = 80.0
"""Losses above this, in nats, count as this: such chances are too small for the float32 that llama.cpp reports."""

BROKEN_AGREEMENT, BROKEN_RISE = 0.8, 0.2
"""Fewer equal predictions, or more rise of the loss, than any loss of precision explains: the file is broken."""


class Tolerance(Record):
    """What an export may differ by.

    Least share of equal predictions, most rise of the loss (a share of it), whether greedy answers have to be equal,
    and whether anything beyond makes the export fail.
    """

    top1_agreement: float
    loss_rise: float
    equal_answers: bool
    strict: bool


EXACT = Tolerance(top1_agreement=1.0, loss_rise=0.001, equal_answers=True, strict=True)
HALF = Tolerance(top1_agreement=0.99, loss_rise=0.005, equal_answers=False, strict=False)
COARSE = Tolerance(top1_agreement=0.97, loss_rise=0.02, equal_answers=False, strict=False)
TOLERANCES = {"f32": EXACT, "f16": HALF, "q8_0": COARSE}
"""By number format of a GGUF file. Token ids and end marks have to be equal always."""
MERGED = {
    "float32": EXACT,
    "float16": HALF.model_copy(update={"strict": True}),
    "bfloat16": COARSE.model_copy(update={"strict": True}),
}
"""By number format of a merged folder; bfloat16 keeps eight bits of a number, as Q8_0 does."""


class Parity(Record):
    """The report. Losses are in nats a token; `passed` is None where nothing could be run.

    `positions` predictions were compared, of which `ties` are not in `top1_agreement`; `answers_equal` of `answers`
    greedy answers, `answer_tokens` tokens in all, were equal until a tie. `warns` means that `passed` is False by the
    loss of precision that the format brings, not by a fault. `checked_with` names the program that ran the export.
    """

    passed: bool | None
    token_ids_equal: bool | None = None
    top1_agreement: float | None = None
    loss: float | None = None
    loss_reference: float | None = None
    tolerance: Tolerance
    loss_rise: float | None = None
    positions: int = 0
    ties: int = 0
    prompts: int = 0
    answers: int = 0
    answers_equal: int = 0
    answer_tokens: int = 0
    ends_equal: bool | None = None
    logits_max_difference: float | None = None
    warns: bool = False
    problems: tuple[str, ...] = ()
    form: str = ""
    checked_with: str = ""
    reference: str = ""
    note: str = ""

    @property
    def failed(self) -> bool:
        """True where the export is not the same model and must not be used."""
        return self.passed is False and not self.warns


class _Found(NamedTuple):
    ids_equal: bool
    agreement: float
    loss: float
    loss_reference: float
    ties: int
    positions: int
    answers_equal: int
    answer_tokens: int
    ends_equal: bool


def compare(reference: Reference, candidate: Measured, tolerance: Tolerance, progress: Progress) -> Parity:
    """Measure an export on the reference's cases and say whether it is within its tolerance.

    Errors of the candidate's program are raised as they come.
    """
    found = _measure(reference, candidate, progress)
    rise = found.loss / found.loss_reference - 1
    wrong = {
        "the prompts' token ids differ": not found.ids_equal,
        "an answer would not end where the trained model ends it": not found.ends_equal,
        "the predictions are others altogether": found.agreement < BROKEN_AGREEMENT or not rise <= BROKEN_RISE,
    }
    answers_differ = found.answers_equal < len(reference.cases)
    apart = {
        f"only {found.agreement:.2%} of the predictions agree, not {tolerance.top1_agreement:.0%}": found.agreement
        < tolerance.top1_agreement,
        f"the loss rises by {rise:.2%}, more than {tolerance.loss_rise:.1%}": not rise <= tolerance.loss_rise,
        f"{len(reference.cases) - found.answers_equal} of {len(reference.cases)} answers differ": answers_differ
        and tolerance.equal_answers,
    }
    problems = [text for text, is_so in (wrong | apart).items() if is_so]
    return Parity(
        passed=not problems,
        token_ids_equal=found.ids_equal,
        top1_agreement=round(found.agreement, 6),
        loss=round(found.loss, 6),
        loss_reference=round(found.loss_reference, 6),
        tolerance=tolerance,
        loss_rise=round(rise, 6),
        positions=found.positions,
        ties=found.ties,
        prompts=len(reference.cases),
        answers=len(reference.cases),
        answers_equal=found.answers_equal,
        answer_tokens=found.answer_tokens,
        ends_equal=found.ends_equal,
        warns=bool(problems) and not any(wrong.values()) and not tolerance.strict,
        problems=tuple(problems),
    )


def write_report(folder: Path, parity: Parity) -> None:
    """Write parity.json. Raises StorageError."""
    write_json(folder / REPORT, parity.model_dump(mode="json"))


def _measure(reference: Reference, candidate: Measured, progress: Progress) -> _Found:
    losses: list[float] = []
    expected: list[float] = []
    agree: list[bool] = []
    ids_equal, equal, compared = True, 0, 0
    with progress.task("compare", total=len(reference.cases), unit="conversations") as task:
        for case in reference.cases:
            ids_equal = ids_equal and all(way == case.prompt for way in candidate.prompts(case.messages))
            scored = candidate.score(case.ids)
            losses += _bounded(scored.losses)
            expected += _bounded(case.scored.losses)
            agree += _agreement(case, scored.best)
            same, tokens = _same_answer(case.written, candidate.write(case.prompt, len(case.written.ids)), reference)
            equal, compared = equal + same, compared + tokens
            task.advance()
    return _Found(
        ids_equal,
        sum(agree) / len(agree) if agree else 1.0,
        sum(losses) / len(losses),
        sum(expected) / len(expected),
        ties=len(losses) - len(agree),
        positions=len(losses),
        answers_equal=equal,
        answer_tokens=compared,
        ends_equal=all(candidate.stops_at(token) for token in reference.ends),
    )


def _bounded(losses: Sequence[float]) -> list[float]:
    """Return losses with `MOST_LOSS` for those above it, and for those that are no number."""
    return [loss if loss <= MOST_LOSS else MOST_LOSS for loss in losses]


def _agreement(case: Case, best: Sequence[int]) -> list[bool]:
    """Return for each position that is no tie whether the likeliest tokens are equal."""
    rows = zip(case.scored.best, best, case.scored.margins, strict=True)
    return [mine == theirs for mine, theirs, margin in rows if margin >= TIE]


def _same_answer(reference: Written, written: Written, whole: Reference) -> tuple[bool, int]:
    """Return whether two answers are equal up to the reference's first tie, and how many tokens that is."""
    tie = next((n for n, margin in enumerate(reference.margins) if margin < TIE), len(reference.ids))
    for n in range(tie):
        if n >= len(written.ids):
            # llama.cpp ends at every mark that it knows as an end, also at ones that this model does not answer with
            return n > 0 and reference.ids[n - 1] in whole.special, n
        if written.ids[n] != reference.ids[n]:
            return False, n
    return True, tie
