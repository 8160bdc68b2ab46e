"""The town's register in prose: one document a district, every fact in one sentence, worded in one of several ways."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.town.people import ATTRIBUTES, Attribute, Person, Town

WORDINGS: dict[Attribute, tuple[str, str]] = {
    "trade": ("The main trade of {name} is {value}.", "The usual trade of {name} is {value}."),
    "workplace": ("{name} works at {value}.", "{name} serves at {value}."),
    "origin": ("{name} originates from {value}.", "The family of {name} originates from {value}."),
    "instrument": ("The main instrument of {name} is {value}.", "The usual instrument of {name} is {value}."),
    "house": ("The house of {name} is called {value}.", "The house of {name} is named {value}."),
    "year": ("{name} moved to the town in {value}.", "{name} came to the town in {value}."),
}
"""How the register says a fact."""
_OPENINGS = (
    "This book of the register is kept for the district of {district}.",
    "It lists those who live there, in the order in which the clerk came to their doors.",
)


def sentence(person: Person, attribute: Attribute, wording: int | None = None) -> str:
    """Return a fact as the register says it, or in another of its wordings."""
    form = WORDINGS[attribute][person.said[attribute] if wording is None else wording]
    return form.format(name=person.name, value=person.facts[attribute])


def paragraph(person: Person, luck: Random) -> str:
    """Return what the register says of a person, in an order of its own."""
    return " ".join(sentence(person, attribute) for attribute in luck.sample(ATTRIBUTES, len(ATTRIBUTES)))


def source_of(district: str) -> str:
    """Return the file name of a district's document."""
    return f"{district.lower()}.md"


def document(town: Town, district: str) -> str:
    """Return the document of a district, in Markdown."""
    luck = Random(f"document {town.seed} {district}")
    people = [person for person in town.people if person.district == district]
    opening = " ".join(_OPENINGS).format(district=district)
    return "\n\n".join([f"# {district}", opening, *(paragraph(person, luck) for person in people)]) + "\n"


def write_documents(town: Town, folder: Path) -> None:
    """Write the document of every district into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for district in town.districts:
        (folder / source_of(district)).write_text(document(town, district), encoding="utf-8")
