"""What a round came to, worked out from its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from data import manifest as manifests
from data.jsonl import read_json, read_rows
from data.store import ADAPTER, DATASET, PAIRS, Run
from doceo.app.loop.dataset import LEAKS
from doceo.app.loop.tested import Tested, changes
from doceo.app.stages.adapter import FINETUNING
from doceo.app.stages.learned import LEARNED
from doceo.app.stages.scores import load_scores
from doceo.core.loop import Leaks, RoundRecord, Taught, Trained, Unlearned
from doceo.core.records import Pair, Question
from generator.corpus import Corpus
from generator.learning import Learned

RIGHT = 50.0
"""Value of the loop's metric from which an answer counts as right, where it is said what was unlearned."""
WAITED = 3
"""Evaluations without a better loss after which a training stops, where the config does not say."""


@dataclass(frozen=True)
class Rounds:
    """The rounds of a loop as records.

    Attributes:
        corpus: The corpus of the rounds.
        areas: Names of the areas.
        axis: What they are.
        made: Records that were worked out already, by folder.
    """

    corpus: Corpus
    areas: Sequence[str]
    axis: str
    made: dict[str, RoundRecord] = field(default_factory=dict)

    def record(self, number: int, tested: Tested, before: Tested, folder: str) -> RoundRecord:
        """Return the record of a round, `before` being the round before or the base."""
        if folder not in self.made:
            self.made[folder] = self._record(number, tested, before, folder)
        return self.made[folder]

    def _record(self, number: int, tested: Tested, before: Tested, folder: str) -> RoundRecord:
        run, exam = tested.run, tested.exam
        bank = {pair.id for pair in exam.bank}
        new = [pair for pair in tested.pairs if pair.round == number]
        return RoundRecord(
            round=number,
            folder=folder,
            allotted=allotted(run),
            made=made_by_area(tested.pairs, number),
            banked=sum(pair.id in bank for pair in new),
            pairs=len(tested.pairs),
            by_area=_counted(tested.pairs),
            leaks=Leaks.model_validate(read_json(run.file(DATASET, LEAKS))),
            training=training(run),
            scores=tuple(load_scores(run)),
            means=tested.means(),
            change=tuple(changes(tested, before)),
            gaps=tuple(tested.gaps(self.corpus, self.areas, self.axis)),
            taught=taught(tested),
            unlearned=unlearned(tested, before),
            learned=_learned(run),
        )


def _counted(pairs: Sequence[Pair]) -> dict[str, int]:
    return dict(sorted(Counter(pair.topic for pair in pairs).items()))


def _learned(run: Run) -> tuple[str, ...]:
    """Return what rejections and a review changed in how the round's pairs were made, in words."""
    path = run.path / LEARNED
    found = Learned.model_validate(read_json(path)).changes if path.exists() else ()
    return tuple(str(change) for change in found if change.changed)


def made_by_area(pairs: Sequence[Pair], number: int) -> dict[str, int]:
    """Return how many pairs were made in a round, by area."""
    return _counted([pair for pair in pairs if pair.round == number])


def allotted(run: Run) -> dict[str, int]:
    """Return the new pairs that a round was to make, by area. Raises StageMissing."""
    made = manifests.read(run.file(PAIRS, "pairs.jsonl").parent)
    assert made is not None
    recipe = made.config["RoundConfig"]
    assert isinstance(recipe, dict)
    return dict(recipe["allotted"])


def unlearned(tested: Tested, before: Tested) -> Unlearned:
    """Return which questions were right before and are wrong now, and what became of the general text."""
    common = [q.pair_id for q in tested.exam.questions if q.pair_id in tested.values and q.pair_id in before.values]
    lost = [i for i in common if before.values[i] >= RIGHT > tested.values[i]]
    gained = [i for i in common if tested.values[i] >= RIGHT > before.values[i]]
    loss = _finetuning(tested.run).get("forgetting")
    first, now = (float(loss["base_loss"]), float(loss["loss"])) if isinstance(loss, dict) else (None, None)
    return Unlearned(
        lost=len(lost),
        gained=len(gained),
        lost_questions=tuple(lost),
        general_loss_before=first,
        general_loss=now,
        rise=None if first is None or now is None else round(now - first, 4),
    )


def taught(tested: Tested) -> Taught:
    """Return how the taught questions are answered whose fact is among the pairs, and how the others are."""
    stated: dict[str, list[Pair]] = {}
    for pair in tested.pairs:
        for evidence in pair.evidence:
            stated.setdefault(evidence.span.document_id, []).append(pair)
    asked = [q for q in tested.exam.questions if q.set.startswith("taught") and q.pair_id in tested.values]
    known = [q for q in asked if any(_states(pair, q) for pair in stated.get(_document(q), ()))]
    ids = {question.pair_id for question in known}
    yes = [tested.values[q.pair_id] for q in known]
    no = [tested.values[q.pair_id] for q in asked if q.pair_id not in ids]
    return Taught(
        facts=len(yes),
        of=len(asked),
        score=round(float(np.mean(yes)), 4) if yes else None,
        others=round(float(np.mean(no)), 4) if no else None,
    )


def _document(question: Question) -> str:
    return question.evidence[0].span.document_id if question.evidence else ""


def _states(pair: Pair, question: Question) -> bool:
    """Say whether a pair teaches what a question asks: the same words prove both, and an answer is the same."""
    right = {_plain(reference) for reference in question.references}
    return _plain(pair.answer) in right and any(
        mine.span.document_id == other.span.document_id
        and mine.span.start < other.span.end
        and other.span.start < mine.span.end
        for mine in pair.evidence
        for other in question.evidence
    )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def training(run: Run) -> Trained | None:
    """Return how a round's adapter was trained; None where somebody else's training says nothing of it."""
    found = _finetuning(run)
    if not found:
        return None
    return Trained(**{name: found[name] for name in Trained.model_fields if name != "stopped"}, stopped=_stopped(run))


def _finetuning(run: Run) -> Mapping[str, object]:
    path = run.path / ADAPTER / FINETUNING
    found = read_json(path) if path.exists() else {}
    assert isinstance(found, dict)
    return found


def _stopped(run: Run) -> str:
    made, found = manifests.read(run.path / ADAPTER), _finetuning(run)
    config = made.config.get("FinetuneConfig") if made else None
    patience = (config.get("patience") if isinstance(config, dict) else None) or WAITED
    lines = [row for _, row in read_rows(run.path / ADAPTER / "training.jsonl")]
    best = int(str(found["best_step"]))
    later = sum(row["eval_loss"] is not None and int(str(row["step"])) > best for row in lines)
    if best < int(str(found["steps"])) and later >= int(str(patience)):
        return f"the loss on other facts did not fall for {later} evaluations; step {best} is kept"
    return "all passes done"
