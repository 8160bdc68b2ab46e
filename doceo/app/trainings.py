"""Which runs are one training, done again with another seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from doceo.app.evaluated import Evaluated
from doceo.core.fingerprint import canonical
from evaluation.traits import tuned

_CONFIG = "FinetuneConfig"


def trainings(evaluated: Sequence[Evaluated]) -> dict[str, list[str]]:
    """Return name -> the RUN/SYSTEM that are one system trained with several seeds, two of them or more.

    They have the same rows, base and settings but for the seed, are called alike, and answered in the same way.
    """
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for one in evaluated:
        for system in one.answers:
            if tuned(system) and not system.startswith("adapter:") and (recipe := _recipe(one, system)):
                text, seed = recipe
                groups.setdefault((text, system), {}).setdefault(seed, f"{one.name}/{system}")
    repeated = {key: list(by_seed.values()) for key, by_seed in groups.items() if len(by_seed) > 1}
    names = Counter(_name(system, members) for (_, system), members in repeated.items())
    found: dict[str, list[str]] = {}
    for (_, system), members in repeated.items():
        name = _name(system, members)
        first = members[0].removesuffix(f"/{system}")
        found[name if names[name] == 1 else f"{first} .../{name}"] = members
    return found


def _name(system: str, members: Sequence[str]) -> str:
    return f"{system} ({len(members)} seeds)"


def _recipe(one: Evaluated, system: str) -> tuple[str, int] | None:
    """Return all that an adapter and a system's answers were made from but the seed, and the seed.

    None without adapter.
    """
    made = one.training
    config = made.config.get(_CONFIG) if made else None
    if made is None or not isinstance(config, dict):
        return None
    apart = {key: value for key, value in config.items() if key != "seed"}
    answering = one.answering
    given = {key: made_of for key, made_of in answering.prompts.items() if _decides(key, system)}
    same = [apart, made.inputs, answering.config, given]
    return canonical(same), made.seed


def _decides(given: str, system: str) -> bool:
    """Return whether a system's answers depend on what a manifest of answers names beside settings and files.

    Hashes of systems hold the adapter; of prompts its own counts; questions that differ are not compared anyway.
    """
    kind, _, name = given.partition(" ")
    return kind not in ("system", "questions") and (kind != "prompt" or system.endswith(f"@{name}"))


def alike(evaluated: Sequence[Evaluated], repeated: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return RUN/SYSTEM -> an earlier one that gives the same answers, of runs that are one training with other seeds.

    A system that knows nothing of the adapter, such as `base`, answers the same in all of them.
    """
    trained = {member for members in repeated.values() for member in members}
    of_training = {one.name for one in evaluated if any(f"{one.name}/{system}" in trained for system in one.answers)}
    found: dict[str, str] = {}
    first: dict[tuple[str, str], str] = {}
    for one in evaluated:
        for system, lines in one.answers.items():
            name = f"{one.name}/{system}"
            if one.name in of_training and not tuned(system):
                said = canonical(sorted([line.set, line.pair_id, line.answer.text] for line in lines))
                if (other := first.setdefault((system, said), name)) != name:
                    found[name] = other
    return found
