"""Back from a question's word order to the statement's: "did Ada write X" becomes "Ada wrote X"."""

from __future__ import annotations

from doceo.text.verb_lists import NOUN_LIKE
from doceo.text.verbs import FORMS, VERBS
from doceo.text.words import BE, DETERMINERS, DO, MODALS, POSSESSIVES, PREPOSITIONS, is_plural

_NEVER_BEFORE = DETERMINERS | POSSESSIVES | PREPOSITIONS | {"to", "and", "or"}


def uninverted(inverted: str) -> str | None:
    """Return the statement behind an inverted clause, or None where its main verb is not sure.

    The first word is the auxiliary; the verb is the first later word that has the form which the auxiliary asks for.
    """
    words = inverted.split()
    aux = words[0].lower()
    form = "base" if aux in DO | MODALS else "participle" if aux in BE else ""
    at = next((i for i in range(2, len(words)) if _is_verb(words, i, form, aux)), None) if form else None
    if at is None:
        return None
    negated = words[at - 1] == "not"
    subject, rest = words[1 : at - negated], words[at + 1 :]
    if not subject:
        return None
    if aux in DO and not negated:
        verb = VERBS[words[at]]
        return " ".join([*subject, {"does": verb.s, "did": verb.past}.get(aux, verb.base), *rest])
    helper = "cannot" if negated and aux == "can" else f"{aux} not" if negated else aux
    how = [subject.pop()] if len(subject) > 1 and subject[-1].endswith("ly") else []
    return " ".join([*subject, helper, *how, words[at], *rest])


def _is_verb(words: list[str], at: int, form: str, aux: str) -> bool:
    word, before = words[at], words[at - 1]
    found = [base for base, name in FORMS.get(word, ()) if name == form]
    if not found or before.lower() in _NEVER_BEFORE:
        return False
    if form == "participle":
        return at + 1 >= len(words) or not words[at + 1].islower() or words[at + 1] in PREPOSITIONS | {"to", "as"}
    plural = is_plural(before) and aux != "does"
    return word not in NOUN_LIKE or before[:1].isupper() or before == "not" or before.endswith("ly") or plural
