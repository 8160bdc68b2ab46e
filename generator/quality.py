"""The form gate: a pair that a stranger can read without its source."""

from __future__ import annotations

import re

from doceo.core.records import Pair, Verdict

_DEICTIC = re.compile(
    r"\b(?:(?:this|that|the (?:above|following|given|previous|preceding|next|present|current|provided))\s+"
    r"(?:\w+\s+)?(?:section|chapter|passage|text|paragraph|document|page|figure|table|list|example|excerpt|article|"
    r"snippet|context|command|code|sentence)s?"
    r"|(?:in|according to|from|by|of) the (?:passage|text|excerpt|document|context|snippet|paragraph|source text)"
    r"|(?:mentioned|described|listed|shown|discussed) (?:above|below|here|earlier)|the following|as follows"
    r"|the (?:table|figure|list|example|diagram|chart) (?:above|below)"
    r"|the (?:author|speaker|writer)s? (?:of this|mention|describe|say|state))\b",
    re.IGNORECASE,
)
_BARE_PRONOUN = re.compile(
    r"^(?:what|when|where|why|how|who|which)(?: \w+)? (?:is|are|was|were|does|do|did|can|has|have|will|should) "
    r"(?:it|they|he|she|this|these|those|that)\b(?! \w+ (?:that|which))",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\b(?:n/?a|none|unknown|not specified|not mentioned|todo|tbd|lorem ipsum)\b\.?$", re.IGNORECASE
)

LONGEST_QUESTION = 300
LONGEST_ANSWER = 2000


def form_verdict(pair: Pair) -> Verdict | None:
    """Return why a pair's form is not acceptable, or None where it is."""
    question, answer = pair.question.strip(), pair.answer.strip()
    detail = ""
    if not answer:
        detail = "the answer is empty"
    elif len(question.split()) < 3 or not re.search(r"[^\W\d_]{2,}", question):
        detail = "the question is too short"
    elif len(question) > LONGEST_QUESTION:
        detail = f"the question is longer than {LONGEST_QUESTION} characters"
    elif len(answer) > LONGEST_ANSWER:
        detail = f"the answer is longer than {LONGEST_ANSWER} characters"
    elif found := _DEICTIC.search(question):
        detail = f"the question points at its source: {found.group()!r}"
    elif found := _BARE_PRONOUN.match(question):
        detail = f"the question does not name its subject: {found.group()!r}"
    elif pair.answerable and (found := _PLACEHOLDER.match(answer)):
        detail = f"the answer says nothing: {found.group()!r}"
    elif answer.casefold().rstrip(".") in question.casefold():
        detail = "the question contains the answer"
    return Verdict(accepted=False, reason="form", detail=detail) if detail else None
