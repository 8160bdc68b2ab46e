"""Is an answer the whole of what its sentence says, or only the first of several things?"""

from __future__ import annotations

import re

from doceo.text.verbs import FORMS
from doceo.text.words import BE, DO, MODALS, closed
from generator.teachers.statement import Candidate

_GOES_ON = re.compile(r"\s*(?P<comma>,?)\s*(?P<join>and|or|nor|as well as|but also)\s+(?:\w+ly\s+)?(?P<next>\S+)")
_LISTS_ON = re.compile(r",\s+(?P<next>[\w“\"'-]+)(?P<rest>.*)", re.S)
_HYPHEN = re.compile(r"\A[-–/]\w")
_ADJECTIVE = re.compile(r"\b(?:\w+-\w+|\w{3,}(?:ive|ous|ic|able))\Z")
_GLUED = re.compile(r"[a-z]{3,}\.\s+[A-Z][a-z]+\s")
_OPENERS = closed(
    "which who whose where when while although though but because since so if unless with without after before in on "
    "at during by for from under until as including such due following despite whereas making leading resulting then "
    "citing saying not rather called named known also"
)
_CLAUSE = closed("it he she they this that these there then thus so")
_NO_PHRASE = ("date", "entity", "definition", "boolean", "comparison", "quantity")


def is_cut(candidate: Candidate, text: str) -> bool:
    """Tell whether a sentence goes on with more of what a candidate's answer begins to tell."""
    answer = candidate.answer.rstrip(".")
    at = text.lower().rfind(answer.lower())
    if at < 0 or len(answer) < 3:
        return False
    after = text[at + len(answer) :]
    if _HYPHEN.match(after) or _GLUED.search(answer) or (after[:1] == "," and _ADJECTIVE.search(answer)):
        return True
    if candidate.pattern == "where" and re.search(r"\d", answer) and re.match(r", [A-Z]", after):
        return True
    if candidate.kind in _NO_PHRASE:
        return False
    if joined := _GOES_ON.match(after):
        return not _opens_clause(joined["next"], after[joined.end() :], comma=bool(joined["comma"]))
    listed = _LISTS_ON.match(after)
    if listed is None or listed["next"].lower() in _OPENERS or listed["next"].endswith("ing"):
        return False
    return bool(re.search(r"\b(?:and|or)\b", listed["rest"])) and candidate.pattern not in ("where", "done where")


def _opens_clause(word: str, rest: str, *, comma: bool) -> bool:
    """Tell whether a word after "and" is the verb or, after a comma, the subject of a further clause."""
    lower = word.lower().strip(",;")
    if lower in BE | DO | MODALS or lower in ("has", "have", "had", "cannot", "not") or lower in _CLAUSE:
        return True
    if any(form in ("past", "s") for _, form in FORMS.get(lower, ())):
        return True
    return comma and any(w in BE | MODALS | {"has", "have", "had"} for w in rest.lower().split()[:8])
