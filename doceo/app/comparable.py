"""Whether the answers of two runs can be compared at all: same questions, same documents, same metrics."""

from __future__ import annotations

from collections.abc import Sequence

from data.store import SCORES, Run
from doceo.app.evaluated import Evaluated
from doceo.app.stages.scores import load_scores
from doceo.core.errors import NotComparable
from evaluation.comparison import Key, asked
from evaluation.traits import with_documents


def check_questions(one: Evaluated, other: Evaluated) -> None:
    """Raise NotComparable where two runs were not asked the same questions with the same right answers."""
    here, there = _asked(one), _asked(other)
    differ = [key for key in here if key in there and here[key] != there[key]]
    found = {
        f"only {one.name} asks {{}}": len(here.keys() - there.keys()),
        f"only {other.name} asks {{}}": len(there.keys() - here.keys()),
        "{} have other words, references or evidence": len(differ),
    }
    if words := [text.format(count) for text, count in found.items() if count]:
        raise NotComparable(
            f"{one.name} and {other.name} were not asked the same questions: {', '.join(words)} of {len(here)}.",
            hint="A gate needs one test set: evaluate both on it. `doceo compare` shows runs on what they share.",
        )


def _asked(one: Evaluated) -> dict[Key, object]:
    return asked((line for lines in one.answers.values() for line in lines), one.questions)


def check_indexes(now: Evaluated, before: Evaluated, systems: Sequence[str]) -> None:
    """Raise NotComparable where systems with documents searched another index in one run than in the other."""
    searching = [name for name in systems if with_documents(name)]
    here, there = (one.answering.prompts.get("index", "") for one in (now, before))
    if searching and here != there:
        raise NotComparable(
            f"{', '.join(searching)} searched one index in {now.name} and another in {before.name}.",
            hint="Leave them out with --systems, or compare them all the same with --across-indexes.",
        )


def check_signatures(now: Evaluated, before: Evaluated, metrics: Sequence[str]) -> None:
    """Raise NotComparable where the stored scores of a metric were made in another way in one run than in the other."""
    here, there = _signatures(now.run), _signatures(before.run)
    for name in metrics:
        if name in here and name in there and here[name] != there[name]:
            raise NotComparable(
                f"The scores of {name} were made in two ways: {here[name]} in {now.name}, {there[name]} in "
                f"{before.name}.",
                hint="Score both alike: doceo evaluate RUN, with the same program and settings.",
            )


def _signatures(run: Run) -> dict[str, str]:
    """Return metric -> how its stored scores were made, but for the resampling."""
    if not run.has(SCORES):
        return {}
    return {score.metric: score.signature.split("|bs:")[0] for score in load_scores(run)}
