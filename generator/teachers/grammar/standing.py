"""Can these words stand alone? What a stranger could not resolve without the text around it."""

from __future__ import annotations

import re

from doceo.text.words import STOP_WORDS, closed
from generator.teachers.grammar.clause import Clause
from generator.teachers.grammar.phrases import NounPhrase
from generator.teachers.grammar.terms import Terms
from generator.teachers.grammar.tokens import Token

POINTING = re.compile(
    r"\b(?:this|these|those|such|above|below|following|follows|previous(?:ly)?|preceding|aforementioned|respective(?:ly)?|latter|former|"
    r"here|hereby|herein|thereof|therein|aforesaid|likewise|another|others?|else|earlier|later|next|again|both|remaining|last|similar(?:ly)?|"
    r"(?:of|in|for|from|to|on|with|by|at|as|under|into|than)\sthat\s\w+|"
    r"said|same|instead|so far|further|as such|at this|at that|"
    r"(?:first|second|third|fourth|fifth|other|new|old|current|entire|final|resulting|original|present) (?:one|ones|case|example|step|kind|type|group|"
    r"approach|method|way|part|point|option|question|problem|issue|book|chapter|section|paper))\b",
    re.I,
)
_REFERENCE = re.compile(
    r"\b(?:sections?|chapters?|figures?|figs?\.?|tables?|appendi(?:x|ces)|pages?|equations?|eq\.|examples?|footnotes?|paragraphs?|listings?|"
    r"volumes?|annex|items?|lines?|parts?|rows?|columns?|steps?|nos?\.)\s*(?:\(?\d|[A-Z]\b|[ivx]+\b)|\bsee\b|\bcf\.|\bop\. cit|\bibid|\bp\.\s*\d|\bpp\.|§",
    re.I,
)
ANSWER_POINTING = re.compile(
    r"\b(?:this|these|those|such (?!as)|above|below|following|follows|previous(?:ly)?|preceding|aforementioned|latter|former|here|hereby|herein|"
    r"(?:of|in|for|from|to|on|with|by|at|as|under|into|than)\sthat\s\w+|thereof|therein|aforesaid|likewise|said|so far|as such)\b",
    re.I,
)
FIRST_PERSON = re.compile(r"\b(?:I|we|our|ours|my|mine|me|us|let's|ourselves|myself)\b")
PRONOUN = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|themselves|he|him|his|himself|she|her|hers|herself|ones?|there|thus|one's)\b",
    re.I,
)
_BARE_HEADS = closed(
    "result results reason reasons example examples case cases way ways thing things problem problems point "
    "points fact idea question questions answer difference differences list lists table tables figure figures "
    "section sections chapter chapters text author authors reader step steps part parts rest first second third "
    "fourth last latter former other others above following same kind kinds type types number goal goals purpose "
    "aim advantage advantages disadvantage disadvantages effect effects solution consequence exception exceptions "
    "company system user users man woman people person boy girl group team process method approach program "
    "project file document situation place time times day days year years event report study paper article book "
    "story game word words line lines word name order rules rule value values version public nation department "
    "agency government world country city state industry field area community organization institution "
    "case-in-point callback argument parameter node instruction structure event note notes topic subject field "
    "method model test tests data"
)
CLASS_NOUNS = closed(
    "library program option verb file format parameter field package gate command stage key function method class "
    "module folder directory flag variable keyword reason metric tool term word name language property attribute "
    "setting switch protocol model letter suffix prefix status"
)
_LOOSE = closed(
    "new old first second third fourth last main current whole entire final original early late latest next "
    "previous other same resulting major important common basic key general simple usual typical possible only "
    "best better good bad great small large big little long short different various several additional further "
    "specific particular certain actual real true full single proper appropriate necessary relevant recent "
    "special given right wrong easy hard easiest simplest most more obvious remaining corresponding required "
    "above following top bottom separate shared underlying existing finished complete careful useful good real "
    "initial preferred recommended alternative normal local native young two three four five six seven eight nine "
    "ten one"
)


def answer_refers_elsewhere(text: str) -> bool:
    """Tell whether an answer points at its surroundings; it may say "another" or "the same" where a question may not."""
    return bool(ANSWER_POINTING.search(text) or _REFERENCE.search(text) or FIRST_PERSON.search(text))


def refers_elsewhere(text: str) -> bool:
    """Tell whether a text points at its surroundings: this, the following, section 3, see below, we."""
    return bool(POINTING.search(text) or _REFERENCE.search(text) or FIRST_PERSON.search(text))


_BARE = re.compile(r"\bthe (\w+)(?=\?|,| (?:and|or|by|on|at|with|as|when|if|is|are|be|was|were|have|has|from|into)\b)")


def holds_bare_noun(question: str) -> bool:
    """Tell whether a question speaks of "the file" or "the value" without saying which."""
    return any(match[1].lower() in _BARE_HEADS for match in _BARE.finditer(question))


def phrase_standing(clause: Clause, phrase: NounPhrase, terms: Terms) -> float:
    """Return how well a subject stands alone, from 0 (a stranger asks "which one?") to 1 (a name)."""
    tokens = list(clause.tokens[phrase.start : phrase.end])
    text = clause.without(phrase.start, phrase.end, phrase.cut)
    first = tokens[0]
    if refers_elsewhere(text) or PRONOUN.search(text) or any(t.tag in ("PRON", "POSS", "DEM") for t in tokens):
        return 0.0
    if first.tag == "PREP" or first.lower in (
        "some",
        "many",
        "several",
        "most",
        "few",
        "another",
        "other",
        "all",
        "enough",
        "neither",
        "either",
        "more",
        "less",
        "much",
        "any",
    ):
        return 0.0
    head = clause.tokens[phrase.head]
    core = [t for t in clause.tokens[phrase.start : phrase.head + 1] if t.tag not in ("DET", "QUANT")]
    anchored = any(_is_anchor(t) for t in tokens[1:] if t.tag in ("NAME", "CODE")) or first.tag in ("NAME", "CODE")
    if (
        head.lower in _BARE_HEADS
        and len(core) == 1
        and not anchored
        and phrase.end == phrase.head + 1
        and head.tag != "CODE"
    ):
        return 0.0 if first.lower == "the" else 0.45 if first.lower in ("a", "an") else 0.3
    if first.lower == "the":
        return _definite(clause, phrase, core, terms, anchored=anchored)
    if first.tag in ("NAME", "CODE"):
        return 1.0 if len(core) > 1 or first.tag == "CODE" or len(first.text) > 2 else 0.5
    if clause.past and not anchored:
        return 0.25 if first.tag in ("DET", "NUM") else 0.4
    if first.tag == "NUM":
        return 0.3
    if first.tag == "QUANT":
        return 0.75 if len(core) > 1 or anchored else 0.45
    if len(core) > 1 and core[0].lower in _LOOSE and not anchored and phrase.end == phrase.head + 1:
        return 0.5 if len(core) == 2 else 0.7
    if len(core) > 1 and head.lower in _BARE_HEADS and not anchored and not terms.is_term(core[-2].lower, head.lower):
        return 0.5
    if len(core) == 1 and first is head and not phrase.plural and not anchored:
        return 0.7 if terms.count(head.lower) >= 6 else 0.45
    return 0.9 if len(core) > 1 or anchored else 0.75


def _is_anchor(token: Token) -> bool:
    return token.tag == "CODE" or any(char.isalpha() for char in token.text)


def _definite(clause: Clause, phrase: NounPhrase, core: list[Token], terms: Terms, *, anchored: bool) -> float:
    modifiers = [t for t in core[:-1] if t.lower not in _LOOSE and t.tag != "NUM"]
    after = clause.tokens[phrase.head + 1 : phrase.end]
    qualified = [
        t
        for t in after
        if t.tag in ("NOM", "NAME", "CODE") and t.lower not in STOP_WORDS and t.lower not in _BARE_HEADS
    ]
    if (
        len(core) == 2
        and core[0].lower in CLASS_NOUNS
        and core[1].tag in ("NOM", "NAME", "CODE")
        and not core[1].lower.endswith("s")
    ):
        return 0.85
    bare_inside = any(
        after[i].lower == "the" and (i + 2 >= len(after) or after[i + 1].lower in _BARE_HEADS)
        for i in range(len(after) - 1)
    )
    if any(t.text in ("'s", "’s") for t in core) and not anchored:
        return 0.4
    if anchored:
        return 0.95
    if modifiers and terms.is_term(modifiers[-1].lower, core[-1].lower):
        return 0.85
    if after and after[0].lower == "of" and qualified and not bare_inside:
        return 0.75
    if modifiers:
        return 0.45
    if qualified and not bare_inside:
        return 0.5
    if not core or core[-1].lower in _BARE_HEADS or len(core) > 1:
        return 0.0
    return 0.55 if terms.count(core[-1].lower) >= 6 else 0.2
