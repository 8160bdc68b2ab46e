"""Can these words stand alone? What a stranger could not resolve without the text around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from doceo.text.words import STOP_WORDS, closed
from generator.teachers.grammar.clause import Clause
from generator.teachers.grammar.nouns import BARE_HEADS, CLASS_NOUNS, LOOSE
from generator.teachers.grammar.people import GIVEN
from generator.teachers.grammar.phrases import NounPhrase
from generator.teachers.grammar.terms import Terms
from generator.teachers.grammar.tokens import Token

POINTING = re.compile(
    r"\b(?:this|these|those|such|above|below|following|follows|previous(?:ly)?|preceding|aforementioned|"
    r"respective(?:ly)?|latter|former|"
    r"here|hereby|herein|thereof|therein|aforesaid|likewise|another|others?|else|earlier|later|next|again|"
    r"both|remaining|last|similar(?:ly)?|"
    r"(?:of|in|for|from|to|on|with|by|at|as|under|into|than)\sthat\s\w+|"
    r"said|same|instead|so far|further|as such|at this|at that|"
    r"(?:first|second|third|fourth|fifth|other|new|old|current|entire|final|resulting|original|"
    r"present) (?:one|ones|case|example|step|kind|type|group|"
    r"approach|method|way|part|point|option|question|problem|issue|book|chapter|section|paper))\b",
    re.I,
)
_REFERENCE = re.compile(
    r"\b(?:sections?|chapters?|figures?|figs?\.?|tables?|appendi(?:x|ces)|pages?|equations?|eq\.|examples?|"
    r"footnotes?|paragraphs?|listings?|"
    r"volumes?|annex|plates?|items?|lines?|parts?|rows?|columns?|steps?|nos?\.)(?:\s*\(?\d|\s+(?-i:[A-Z]\b|[ivx]+\b))|\bsee\b|"
    r"\bcf\.|\bop\. cit|\bibid|\bp\.\s*\d|\bpp\.|§",
    re.I,
)
ANSWER_POINTING = re.compile(
    r"\b(?:this|these|those|such (?!as)|above|below|following|follows|previous(?:ly)?|preceding|"
    r"aforementioned|latter|former|here|hereby|herein|"
    r"(?:of|in|for|from|to|on|with|by|at|as|under|into|than)\sthat\s\w+|thereof|therein|aforesaid|likewise|"
    r"said|so far|as such)\b",
    re.I,
)
FIRST_PERSON = re.compile(r"\b(?:I|we|our|ours|my|mine|me|us|let's|ourselves|myself)\b")
PRONOUN = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|themselves|he|him|his|himself|she|her|hers|herself|ones?|"
    r"there|thus|one's)\b",
    re.I,
)
_UNCLEAR = closed("some many several most few another other all enough neither either more less much any")


def answer_refers_elsewhere(text: str) -> bool:
    """Tell whether an answer points at its surroundings; unlike a question it may say "another" or "the same"."""
    return bool(ANSWER_POINTING.search(text) or _REFERENCE.search(text) or FIRST_PERSON.search(text))


def refers_elsewhere(text: str) -> bool:
    """Tell whether a text points at its surroundings: this, the following, section 3, see below, we."""
    return bool(POINTING.search(text) or _REFERENCE.search(text) or FIRST_PERSON.search(text))


_BARE = re.compile(r"\bthe (\w+)(?=\?|,| (?:and|or|by|on|at|with|as|when|if|is|are|be|was|were|have|has|from|into)\b)")


_BARE_DEED = re.compile(
    r"\bthe (?:role|trend|university|data|report)\b(?! of\b| [A-Z])|"
    r"\bthe (?:merger|transaction|deal|acquisition|agreement|offer|proposal|decision|treaty|law|bill|act|attack|war|"
    r"battle|election|contract|sale|purchase|plan|throne|command|title|award|series|show|episode|album|song|film)"
    r"(?=\?| (?:on|at|by|during|after|before|since|until)\b)"
)


def holds_bare_noun(question: str) -> bool:
    """Tell whether a question speaks of "the file" or "the value" without saying which."""
    if _BARE_DEED.search(question):
        return True
    return any(match[1].lower() in BARE_HEADS for match in _BARE.finditer(question))


def phrase_standing(clause: Clause, phrase: NounPhrase, terms: Terms) -> float:
    """Return how well a subject stands alone, from 0 (a stranger asks "which one?") to 1 (a name)."""
    kept = (i for i in range(phrase.start, phrase.end) if not any(start <= i < end for start, end in phrase.cut))
    tokens = [clause.tokens[i] for i in kept]
    first, head = tokens[0], clause.tokens[phrase.head]
    if _is_unclear(tokens, clause.without(phrase.start, phrase.end, phrase.cut)):
        return 0.0
    core = [t for t in clause.tokens[phrase.start : phrase.head + 1] if t.tag not in ("DET", "QUANT")]
    anchored = any(_is_anchor(t) for t in tokens[1:] if t.tag in ("NAME", "CODE")) or first.tag in ("NAME", "CODE")
    alone = len(core) == 1 and phrase.end == phrase.head + 1 and head.tag != "CODE"
    if head.lower in BARE_HEADS and alone and not anchored:
        return 0.0 if first.lower == "the" else 0.45 if first.lower in ("a", "an") else 0.3
    if first.lower == "the":
        return _definite(clause, phrase, core, terms, anchored=anchored)
    if alone and first.tag == "NAME" and first.lower in GIVEN:
        return 0.3
    if first.tag in ("NAME", "CODE"):
        return 1.0 if len(core) > 1 or first.tag == "CODE" or len(first.text) > 2 else 0.5
    if clause.past and not anchored:
        return 0.25 if first.tag in ("DET", "NUM") else 0.4
    return 0.9 if anchored and first.tag not in ("NUM", "QUANT") else _indefinite(clause, phrase, core, terms)


def _is_unclear(tokens: list[Token], text: str) -> bool:
    """Tell whether a phrase leans on other sentences: pronouns, demonstratives, "most of them"."""
    first = tokens[0]
    if (
        first.tag == "PREP"
        or first.lower in _UNCLEAR
        or any(t.tag in ("PRON", "POSS", "DEM") or t.lower == "only" for t in tokens)
    ):
        return True
    if any(t.tag == "NOM" and t.has_form("past") and before.tag == "NAME" for before, t in pairwise(tokens)):
        return True
    return refers_elsewhere(text) or PRONOUN.search(text) is not None


def _indefinite(clause: Clause, phrase: NounPhrase, core: list[Token], terms: Terms) -> float:
    first, head = clause.tokens[phrase.start], clause.tokens[phrase.head]
    if first.tag == "NUM":
        return 0.3
    if len(core) == 1:
        if first.tag == "QUANT":
            return 0.45
        if first is head and not phrase.plural:
            return 0.7 if terms.count(head.lower) >= 6 else 0.45
        return 0.75
    if first.tag == "QUANT":
        return 0.75
    if core[0].lower in LOOSE and phrase.end == phrase.head + 1:
        return 0.5 if len(core) == 2 else 0.7
    if terms.is_term(core[-2].lower, head.lower):
        return 0.9
    if head.lower in BARE_HEADS:
        return 0.5
    return 0.9 if phrase.plural or first.tag == "DET" else 0.75


def _is_anchor(token: Token) -> bool:
    return token.tag == "CODE" or any(char.isalpha() for char in token.text)


def _definite(clause: Clause, phrase: NounPhrase, core: list[Token], terms: Terms, *, anchored: bool) -> float:
    if len(core) == 2 and core[0].lower in CLASS_NOUNS and core[1].nominal and not core[1].lower.endswith("s"):
        return 0.85
    if anchored:
        return 0.95
    if any(t.text in ("'s", "’s") for t in core):
        return 0.4
    modifiers = [t for t in core[:-1] if t.lower not in LOOSE and t.tag != "NUM"]
    if modifiers and terms.is_term(modifiers[-1].lower, core[-1].lower):
        return 0.85
    after = clause.tokens[phrase.head + 1 : phrase.end]
    if _says_which(after):
        return 0.75 if after[0].lower == "of" else 0.45 if modifiers else 0.5
    if modifiers:
        return 0.45
    if len(core) != 1 or core[0].lower in BARE_HEADS:
        return 0.0
    return 0.55 if terms.count(core[0].lower) >= 6 else 0.2


def _says_which(after: Sequence[Token]) -> bool:
    """Tell whether what follows a noun makes it definite: "of a chunk", but not "of the file"."""
    for i, token in enumerate(after[:-1]):
        if token.lower == "the" and (i + 2 >= len(after) or after[i + 1].lower in BARE_HEADS):
            return False
    return any(t.nominal and t.tag != "NUM" and t.lower not in STOP_WORDS | BARE_HEADS for t in after)
