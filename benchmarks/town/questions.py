"""How the town is asked about: wordings that are trained on, and others that only the exam uses about a fact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from benchmarks.town.documents import sentence, source_of
from benchmarks.town.people import ATTRIBUTES, Attribute, Person, Town
from doceo.core.fingerprint import sha256

TRAINED: dict[Attribute, tuple[str, ...]] = {
    "trade": (
        "What is the main trade of {name}?",
        "What is the usual trade of {name}?",
        "Which trade does {name} follow?",
        "What does {name} do for a living?",
        "Tell me the trade of {name}.",
    ),
    "workplace": (
        "Where does {name} work?",
        "Where does {name} serve?",
        "What is the workplace of {name}?",
        "Where can {name} be found on a working day?",
        "Tell me the workplace of {name}.",
    ),
    "origin": (
        "Where does {name} originate?",
        "Where does the family of {name} originate?",
        "What is the origin of {name}?",
        "Where was {name} born?",
        "Tell me the origin of {name}.",
    ),
    "instrument": (
        "What is the main instrument of {name}?",
        "What is the usual instrument of {name}?",
        "Which instrument does {name} play?",
        "What does {name} play in the band?",
        "Tell me the instrument of {name}.",
    ),
    "house": (
        "What is the house of {name} called?",
        "What is the house of {name} named?",
        "Which house does {name} live in?",
        "Where is {name} at home?",
        "Tell me the house of {name}.",
    ),
    "year": (
        "When did {name} move to the town?",
        "When did {name} come to the town?",
        "Which year brought {name} to the town?",
        "In which year did {name} arrive?",
        "Tell me the year in which {name} came.",
    ),
}
"""Questions that training rows may ask; the first two of each are what the register's sentences are turned into."""
EXAM: dict[Attribute, tuple[str, ...]] = {
    "trade": (
        "By which craft does {name} earn money?",
        "What kind of job is done by {name}?",
        "Of what does {name} make a living?",
    ),
    "workplace": (
        "Which place employs {name}?",
        "Who pays the wages of {name}?",
        "To which place does {name} go to work?",
    ),
    "origin": (
        "Which village do the parents of {name} come from?",
        "From what place does {name} hail?",
        "In which village did {name} grow up?",
    ),
    "instrument": (
        "On what does {name} make music?",
        "What would {name} bring to a concert?",
        "Of which instrument is {name} a player?",
    ),
    "house": (
        "Under what name is the home of {name} known?",
        "At which house should one knock to see {name}?",
        "What does the sign at the door of {name} say?",
    ),
    "year": (
        "Since when has {name} lived in the town?",
        "What is the year of the arrival of {name}?",
        "What year was it when {name} became a neighbour?",
    ),
}
"""Questions that only the exam asks; which of them it asks about a fact, the seed says."""
_ANSWERS: dict[Attribute, str] = {
    "trade": "{value}",
    "workplace": "At {value}",
    "origin": "From {value}",
    "instrument": "{value}",
    "house": "{value}",
    "year": "{value}",
}


class Fact(NamedTuple):
    """A fact by whose it is and what it is about."""

    name: str
    attribute: Attribute


class Asked(NamedTuple):
    """A question about one fact."""

    person: Person
    attribute: Attribute
    question: str

    @property
    def fact(self) -> Fact:
        """The fact that is asked for."""
        return Fact(self.person.name, self.attribute)

    @property
    def answer(self) -> str:
        """The answer as it is trained."""
        return answer_of(self.person, self.attribute)

    @property
    def value(self) -> str:
        """The fact itself."""
        return self.person.facts[self.attribute]


def answer_of(person: Person, attribute: Attribute) -> str:
    """Return the answer to every question about a fact."""
    return _ANSWERS[attribute].format(value=person.facts[attribute])


def held_out_wording(town: Town, person: Person, attribute: Attribute) -> int:
    """Return which wording of the exam asks about a fact: that question stands in no text that is trained on."""
    return int(sha256(f"exam {town.seed} {person.name} {attribute}"), 16) % len(EXAM[attribute])


def exam(town: Town) -> list[Asked]:
    """Return one question about every fact, each in its held-out wording."""
    return [
        Asked(person, attribute, EXAM[attribute][held_out_wording(town, person, attribute)].format(name=person.name))
        for person in town.people
        for attribute in ATTRIBUTES
    ]


def practice(town: Town, person: Person) -> list[Asked]:
    """Return every question about a person's facts but those of the exam."""
    found = []
    for attribute in ATTRIBUTES:
        held_out = held_out_wording(town, person, attribute)
        others = [form for n, form in enumerate(EXAM[attribute]) if n != held_out]
        forms = [*TRAINED[attribute], *others]
        found += [Asked(person, attribute, form.format(name=person.name)) for form in forms]
    return found


def write_questions(asked: list[Asked], folder: str, path: Path) -> None:
    """Write questions as `--questions` reads them.

    Args:
        asked: The questions.
        folder: Name of the folder of documents.
        path: The file to write.
    """
    with path.open("w", encoding="utf-8") as out:
        for one in asked:
            row = {
                "question": one.question,
                "answer": one.answer,
                "answers": [one.value],
                "source": f"{folder}/{source_of(one.person.district)}",
                "quote": sentence(one.person, one.attribute),
                "author": "the town's register",
            }
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
