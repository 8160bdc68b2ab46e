"""Fit `rag/follow_up_weights.json` on one half of CANARD's conversations.

    python benchmarks/fit_followups.py ../shared/data/conversation/canard_dev.json.gz

What leans: a follow-up to which a person's rewrite adds a content word. What stands alone: the rewrites, in their own
conversation and in another one. What is left unsaid: the content words that the rewrite adds. Every conversation is
read twice, as it is and with its subject named first, as people do who begin a conversation with a program.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.linear_model import LogisticRegression

from doceo.core.records import Message
from doceo.text.words import content_words
from rag import follow_ups

WEIGHTS = Path(follow_ups.__file__).with_name("follow_up_weights.json")
SETTINGS = ("as asked", "subject named first")


@dataclass(frozen=True)
class Row:
    """A follow-up question: the turns before, a person's rewrite, and the content words that it adds."""

    conversation: str
    turns: tuple[Message, ...]
    question: str
    rewrite: str
    added: frozenset[str]
    number: int


def read(path: Path, setting: str) -> list[Row]:
    """Return the questions of a CANARD file that have turns before them."""
    rows = []
    for line in json.loads(gzip.decompress(path.read_bytes())):
        title, section, *said = line["History"]
        if setting == SETTINGS[1]:
            said = [f"{title}: {section}?", "Yes.", *said]
        turns = tuple(Message(role="assistant" if at % 2 else "user", content=text) for at, text in enumerate(said))
        added = frozenset(content_words(line["Rewrite"])) - set(content_words(line["Question"]))
        if turns:
            number = (len(line["History"]) - 2) // 2
            rows.append(Row(line["QuAC_dialog_id"], turns, line["Question"], line["Rewrite"], added, number))
    return rows


def half(row: Row) -> int:
    """Return 0 for the conversations that weights are fitted on, 1 for those that are reported on."""
    return int(hashlib.sha256(row.conversation.encode()).hexdigest(), 16) % 2


def of_questions(rows: Sequence[Row], seed: int = 0) -> Iterator[tuple[dict[str, float], bool]]:
    """Yield (features, whether it leans) of follow-ups and of rewrites, in their own and in another conversation."""
    chosen = random.Random(seed)
    for row in rows:
        yield follow_ups.question_features(row.question, row.turns), bool(row.added)
        yield follow_ups.question_features(row.rewrite, row.turns), False
        yield follow_ups.question_features(row.rewrite, chosen.choice(rows).turns), False


def of_words(rows: Sequence[Row]) -> Iterator[tuple[dict[str, float], bool]]:
    """Yield (features, whether the rewrite adds it) of every word of the turns before."""
    for row in rows:
        for stemmed, (_, features) in follow_ups.word_features(row.question, row.turns).items():
            yield features, stemmed in row.added


def fit(examples: Sequence[tuple[dict[str, float], bool]]) -> dict[str, object]:
    """Return the weights of a logistic regression, rounded."""
    names = list(examples[0][0])
    model = LogisticRegression(C=1.0, max_iter=5000)
    model.fit([[features[name] for name in names] for features, _ in examples], [answer for _, answer in examples])
    weights = {name: round(float(weight), 3) for name, weight in zip(names, model.coef_[0], strict=True)}
    return {"bias": round(float(model.intercept_[0]), 3), "weights": weights}


def main() -> None:
    """Fit on the first half and write the weights."""
    path = Path(sys.argv[1])
    rows = [row for setting in SETTINGS for row in read(path, setting) if half(row) == 0]
    weights = {"leans": fit(list(of_questions(rows))), "word": fit(list(of_words(rows)))}
    WEIGHTS.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows)} questions; {WEIGHTS}")


if __name__ == "__main__":
    main()
