"""What will be trained, before it is: rows encoded, and a report on them; refused where nothing would be learned.

The command line and the HTTP service both check data by `prepare`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from data.alike import Alike, AlikeQuestions
from data.sft.preferences import CHOSEN, PREFERRED
from doceo.core.errors import TrainingError
from doceo.core.fingerprint import identify
from doceo.providers.chat_turns import end_of_turn, takes_system
from finetune.checks import Checked, Row
from finetune.data_report import NAMED, DataReport, named
from finetune.examples import IGNORED, Dataset, encode_rows, marked

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHORTEST = 32
"""Upper end of the first bar of the histogram, in tokens; every further one doubles it."""
_DAMAGED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]")
"""Characters that texts have by accident: \ufffd stands where one could not be read."""


class Prepared(NamedTuple):
    """Rows ready for training and for validation, and the report on them."""

    train: Dataset
    validation: Dataset
    report: DataReport


def prepare(
    tokenizer: PreTrainedTokenizerBase,
    name: str,
    checked: Checked,
    max_length: int,
    *,
    train: Sequence[Row] | None = None,
    held: Sequence[Row] = (),
) -> Prepared:
    """Encode rows and report on them.

    Args:
        tokenizer: The base's.
        name: The file, for the report and for errors.
        checked: The rows of the file as the checks left them.
        max_length: Most tokens of a row.
        train: The rows to train on where some of the file's were held out; left out, all.
        held: Rows to validate on.

    Raises TrainingError where nothing would be learned, or the chat template refuses a row.
    """
    rows = checked.rows if train is None else train
    encoded = encode_rows(tokenizer, rows, max_length)
    _refuse_empty(encoded, rows, name, max_length)
    alike = _alike(rows, held)
    report = DataReport(
        file=name,
        forms=checked.forms,
        rows=len(rows),
        repeated=len(checked.repeated),
        repeated_places=tuple(checked.repeated[:NAMED]),
        too_long=len(encoded.too_long),
        too_long_places=tuple(encoded.too_long[:NAMED]),
        max_length=max_length,
        examples=len(encoded.rows),
        tokens=encoded.tokens,
        learned_tokens=encoded.learned,
        learned_share=round(encoded.learned / encoded.tokens, 4),
        end_of_turn=end_of_turn(tokenizer) or str(tokenizer.eos_token),
        ended=_ended(tokenizer, encoded),
        lengths=_histogram(encoded),
        longest=max(row.length for row in encoded.rows),
        validation_rows=len(held),
        same_questions=sum(found == "same" for _, found in alike),
        near_questions=sum(found == "near" for _, found in alike),
        overlapping_places=tuple(row.place for row, _ in alike)[:NAMED],
        sample=marked(tokenizer, encoded.rows[0]),
    )
    validation = encode_rows(tokenizer, held, max_length)
    notes = (*_on_rows(report, encoded), *_on_held(held, validation), *_on_texts(tokenizer, rows))
    return Prepared(encoded, validation, report.model_copy(update={"notes": notes}))


def _refuse_empty(encoded: Dataset, rows: Sequence[Row], name: str, max_length: int) -> None:
    if not encoded.rows and rows:
        raise TrainingError(
            f"All {len(rows)} rows of {name} are longer than {max_length} tokens.",
            hint="Use shorter passages, or a base that reads more (--finetune-max-length up to its context).",
        )
    if not encoded.learned:
        raise TrainingError(
            f"Nothing of {name} would be learned: no row has a token to learn.",
            hint="Every row needs an assistant's answer, or a text.",
        )


def _ended(tokenizer: PreTrainedTokenizerBase, encoded: Dataset) -> int:
    """Return how many rows have an end at which answering stops as the last token that they learn."""
    ends = set(tokenizer.convert_tokens_to_ids([end_of_turn(tokenizer) or tokenizer.eos_token, tokenizer.eos_token]))
    last = [next((label for label in reversed(row.labels) if label != IGNORED), None) for row in encoded.rows]
    return sum(label in ends for label in last)


def _alike(rows: Sequence[Row], held: Sequence[Row]) -> list[tuple[Row, Alike]]:
    """Return the held-out rows whose question is trained too, each with how near it is."""
    asked = AlikeQuestions([row.question for row in rows] if held else [])
    return [(row, found) for row, found in zip(held, asked.among([r.question for r in held]), strict=True) if found]


def _histogram(encoded: Dataset) -> dict[int, int]:
    bars: Counter[int] = Counter()
    for row in encoded.rows:
        end = SHORTEST
        while end < row.length:
            end *= 2
        bars[end] += 1
    return dict(sorted(bars.items()))


def _on_rows(report: DataReport, encoded: Dataset) -> Iterator[str]:
    """Yield, in words, what becomes of rows that somebody may not expect."""
    if report.repeated:
        where = named(report.repeated_places, report.repeated)
        yield f"{report.repeated:,} rows repeat an earlier one and are left out ({where})."
    if report.too_long:
        long = f"{report.too_long:,} rows are longer than {report.max_length:,} tokens and are left out"
        more = "--finetune-max-length allows more, up to the base's context"
        yield f"{long} ({named(report.too_long_places, report.too_long)}); {more}."
    if {PREFERRED, CHOSEN} & report.forms.keys() and not any(row.rejected for row in encoded.rows):
        yield "Of two answers the preferred one is learned alone; --objective dpo learns from both."
    if encoded.cut:
        yield f"{encoded.cut:,} plain texts are cut into rows of {report.max_length:,} tokens."
    if encoded.split:
        why = "the chat template writes earlier turns otherwise once they are answered"
        yield f"{encoded.split:,} conversations become a row for each answer: {why}."
    if found := report.same_questions + report.near_questions:
        trained = f"{found:,} of {report.validation_rows:,} held-out questions are trained too"
        where = f"{report.same_questions:,} word for word ({named(report.overlapping_places, found)})"
        yield f"{trained}, {where}: the validation loss will look better than it is."


def _on_held(held: Sequence[Row], validation: Dataset) -> Iterator[str]:
    """Yield, in words, what of the rows to validate on is not read."""
    if validation.too_long:
        left = f"{len(validation.too_long):,} of {len(held):,} rows to validate on are too long and are left out"
        none = "" if validation.rows else "; nothing is left to validate on"
        yield f"{left} ({named(validation.too_long, len(validation.too_long))}){none}."


def _on_texts(tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row]) -> Iterator[str]:
    """Yield, in words, what the chat template makes of the rows' texts that somebody may not expect."""
    if any(row.messages and row.messages[0].role == "system" for row in rows) and not takes_system(tokenizer):
        yield "The chat template has no place for a system message; it is put before the user's first words."
    marks = {*map(str, tokenizer.all_special_tokens), end_of_turn(tokenizer)} - {""}
    special = re.compile("|".join(map(re.escape, sorted(marks))))
    places = [row.place for row in rows if any(map(special.search, row.texts))]
    if places:
        where = named(places, len(places))
        yield f"{len(places):,} rows hold special tokens as text, which end or begin turns in their midst ({where})."
    damaged = [row.place for row in rows if any(map(_DAMAGED.search, row.texts))]
    if damaged:
        found = f"{len(damaged):,} rows hold control characters or \ufffd, which a damaged text leaves"
        yield f"{found} ({named(damaged, len(damaged))}): they are learned as they stand."
    if others := _otherwise(rows):
        found = f"{len(others):,} rows answer what an earlier row asks, and answer it otherwise"
        yield f"{found} ({named(others, len(others))}): where only one answer is right, keep that one."


def _otherwise(rows: Sequence[Row]) -> list[str]:
    """Return the places of rows of which an earlier one has the same turns before another last answer."""
    first: dict[str, str] = {}
    found = []
    for row in rows:
        if row.rejected:
            continue  # several choices between answers to one question are usual
        *before, said = [_plain(message.content) for message in row.messages[: max(row.taught, default=-1) + 1]] or [""]
        answer = identify("", said)
        if said and first.setdefault(identify("", before), answer) != answer:
            found.append(row.place)
    return found


def _plain(text: str) -> str:
    """Return a text as it is compared: whatever its case, white space and last mark."""
    return " ".join(text.casefold().split()).rstrip(" .?!")
