"""English verbs: a closed list of those that explaining prose is made of, and their forms by rule.

Forms follow the spelling rules of English (doubling, -e, -y) with the irregular verbs listed; the list is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from doceo.text.verb_lists import DOUBLING, IRREGULAR, REGULAR
from doceo.text.words import closed

Form = Literal["base", "s", "past", "participle", "ing"]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its base form and the forms made from it."""

    base: str
    s: str
    past: str
    participle: str
    ing: str


def _third_person(base: str) -> str:
    if base in ("be", "have", "do", "go"):
        return {"be": "is", "have": "has", "do": "does", "go": "goes"}[base]
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    return base[:-1] + "ies" if base.endswith("y") and base[-2] not in "aeiou" else base + "s"


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + base[-1] + "ed" if base in DOUBLING else base + "ed"


def _ing(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and base != "be":
        return base[:-1] + "ing"
    doubled = base in DOUBLING or base in {
        "begin",
        "cut",
        "dig",
        "forget",
        "get",
        "hit",
        "let",
        "put",
        "run",
        "set",
        "shut",
        "sit",
        "spin",
        "split",
        "swim",
        "win",
        "reset",
        "offset",
    }
    return base + base[-1] + "ing" if doubled else base + "ing"


def _table() -> dict[str, Verb]:
    table = {base: Verb(base, _third_person(base), _past(base), _past(base), _ing(base)) for base in REGULAR.split()}
    for entry in IRREGULAR.split("|"):
        base, past, participle = entry.split()
        table[base] = Verb(base, _third_person(base), past, participle, _ing(base))
    return table


VERBS: dict[str, Verb] = _table()
"""Every listed verb by its base form."""


_BRITISH = closed("cancel channel equal fuel label level marshal model signal total travel")


def _forms() -> dict[str, tuple[tuple[str, Form], ...]]:
    forms: dict[str, list[tuple[str, Form]]] = {}
    for verb in VERBS.values():
        named: list[tuple[str, Form]] = [
            (verb.base, "base"),
            (verb.s, "s"),
            (verb.past, "past"),
            (verb.participle, "participle"),
            (verb.ing, "ing"),
        ]
        for form, name in named:
            if form == "found" and name == "base":
                continue  # nearly always a form of "find"
            forms.setdefault(form, []).append((verb.base, name))
            if verb.base in _BRITISH and name in ("past", "participle", "ing"):
                forms.setdefault(verb.base + "l" + form.removeprefix(verb.base), []).append((verb.base, name))
    return {form: tuple(found) for form, found in forms.items()}


FORMS: dict[str, tuple[tuple[str, Form], ...]] = _forms()
"""Every form of a listed verb, in lower case, with the base forms and the forms it may be."""


def base_of(word: str, form: Form) -> str | None:
    """Return the base of a word that is this form of a listed verb, else None. The word is in lower case."""
    return next((base for base, name in FORMS.get(word, ()) if name == form), None)


def third_person(base: str) -> str:
    """Return the -s form of a verb given by its base form, listed or not."""
    return VERBS[base].s if base in VERBS else _third_person(base)
