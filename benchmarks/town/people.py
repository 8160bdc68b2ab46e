"""Who lives in the town: people and their facts, drawn from a seed; no name stands in any text that exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Literal

Attribute = Literal["trade", "workplace", "origin", "instrument", "house", "year"]
ATTRIBUTES: tuple[Attribute, ...] = ("trade", "workplace", "origin", "instrument", "house", "year")
DISTRICTS, RESIDENTS, PLANTED = 10, 20, 3
"""Districts, people of each, and districts that the base model never reads of."""

_PARTS = {
    "onsets": "b d f g h k l m n p r s t v z br dr fl gr kl pr st tr",
    "vowels": "a e i o u",
    "codas": "l m n r s t x nd lk rn",
    "works": "mill yard forge kiln quarry brewery tannery dairy foundry sawmill",
    "materials": "stone rope glass barrel clock candle basket saddle copper paper tile kite",
    "deeds": "carving trading painting repair",
    "instruments": "accordion alphorn bagpipes banjo bassoon bugle cello clarinet cornet cymbals drum dulcimer fiddle "
    "flute gong guitar harmonica harp horn lute lyre mandolin oboe organ panpipes piano recorder saxophone sitar "
    "spinet tambourine triangle trombone trumpet tuba ukulele viola whistle xylophone zither",
}
_YEARS = range(1930, 1970)
CHOICES = 40
"""Values of an attribute: whoever guesses is right once in so many times."""


@dataclass(frozen=True)
class Person:
    """Somebody of the town, with one value for every attribute; `said` says how each fact is worded in prose."""

    name: str
    district: str
    facts: dict[Attribute, str]
    said: dict[Attribute, int]


@dataclass(frozen=True)
class Town:
    """Districts with their people; `planted` are the districts that the base model never reads of.

    `others` are names of nobody who lives here, made of the same syllables.
    """

    seed: int
    districts: tuple[str, ...]
    planted: tuple[str, ...]
    people: tuple[Person, ...]
    others: tuple[str, ...]

    def known(self) -> list[Person]:
        """Return the people whom the base model reads of."""
        return [person for person in self.people if person.district not in self.planted]

    def withheld(self) -> list[Person]:
        """Return the people of the planted districts."""
        return [person for person in self.people if person.district in self.planted]


def make_town(seed: int, districts: int = DISTRICTS, residents: int = RESIDENTS, planted: int = PLANTED) -> Town:
    """Return the town of a seed.

    First names and surnames are each one person's, so that a name tells who is meant; values are drawn evenly and
    without regard to the district, so that nothing but the fact itself tells a value.

    Args:
        seed: Decides everything.
        districts: How many there are.
        residents: People in each.
        planted: Districts that are withheld from the base model.
    """
    luck = Random(f"town {seed}")
    count = districts * residents
    words = _words(luck)
    wards = tuple(next(words) for _ in range(districts))
    values = _values(luck, words)
    firsts, lasts = ([next(words) for _ in range(count)] for _ in range(2))
    drawn = {attribute: _evenly(luck, values[attribute], count) for attribute in ATTRIBUTES}
    people = tuple(
        Person(
            name=f"{firsts[n]} {lasts[n]}",
            district=wards[n // residents],
            facts={attribute: drawn[attribute][n] for attribute in ATTRIBUTES},
            said={attribute: luck.randrange(2) for attribute in ATTRIBUTES},
        )
        for n in range(count)
    )
    others = tuple(next(words) for _ in range(4 * count))
    return Town(seed, wards, tuple(sorted(luck.sample(wards, planted))), people, others)


def _words(luck: Random) -> Iterator[str]:
    """Yield invented words of two syllables, each once."""
    syllables = ["".join(parts) for parts in product(_PARTS["onsets"].split(), _PARTS["vowels"].split())]
    ends = ("", *_PARTS["codas"].split())
    words = [f"{one}{two}{end}".capitalize() for one, two, end in product(syllables, syllables, ends)]
    return iter(luck.sample(words, len(words)))


def _values(luck: Random, words: Iterator[str]) -> dict[Attribute, list[str]]:
    """Return the values of each attribute."""
    trades = [" ".join(parts) for parts in product(_PARTS["materials"].split(), _PARTS["deeds"].split())]
    works, instruments = _PARTS["works"].split(), _PARTS["instruments"].split()
    return {
        "trade": luck.sample(trades, CHOICES),
        "workplace": [f"the {next(words)} {luck.choice(works)}" for _ in range(CHOICES)],
        "origin": [next(words) for _ in range(CHOICES)],
        "instrument": [f"the {name}" for name in instruments],
        "house": [f"{next(words)} House" for _ in range(CHOICES)],
        "year": [str(year) for year in _YEARS],
    }


def _evenly(luck: Random, values: list[str], count: int) -> list[str]:
    """Return so many values in which each stands equally often, or nearly so, in a random order."""
    drawn = (values * -(-count // len(values)))[:count]
    return luck.sample(drawn, count)
