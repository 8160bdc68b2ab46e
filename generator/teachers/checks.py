"""What every candidate has to pass, whatever pattern made it: complete, self-contained, English, not trivial."""

from __future__ import annotations

import re

from doceo.text.words import STOP_WORDS, WORD, closed, content_words
from generator.teachers.grammar.people import BODIES
from generator.teachers.grammar.standing import (
    FIRST_PERSON,
    POINTING,
    PRONOUN,
    answer_refers_elsewhere,
    holds_bare_noun,
    refers_elsewhere,
)
from generator.teachers.statement import Candidate

LONGEST_QUESTION = 24
LONGEST_ANSWER = 70
_BROKEN = re.compile(
    r"https?://|www\.|\S+@\S+\.\S|[{}<>|\\^]|\[|\]|\.\.\.|…|\ufffd|[=;]|\s-\s|\b(\w+) \1\b|--+\s|\s[,.;]\s|"
    r",\?|\s[-–]\W*\?|\bfoo\b|\([a-z]\)|\bet al\b|©|®|\*",
    re.I,
)
_BROKEN_ANSWER = re.compile(
    r"[a-z]\.\d+\s[A-Z]|\ufffd|\bet al\b|\.\.\.\s*\Z|[{}|\\]|\[\[|\]\(|©|https?://\S+\s\S+\shttps?://|\S{60,}|\s\*|\*\s"
)
_DANGLING = re.compile(
    r"\b(?:the|a|an|of|and|or|to|for|with|in|on|by|from|as|than|is|are|was|were|that|which|its|their|at|but|"
    r"not|also|only|be)\W*\Z",
    re.I,
)
_LEFT_HANGING = re.compile(
    r"\b(?:it|them|him|the|a|an|and|or|that|which|its|their|but|not|than|only|merely|very)\?\Z", re.I
)
_ODD = re.compile(
    r"\bthe -|\b(?:despite|although|regardless of|of each|also|e\.g|i\.e|"
    r"the (?:larg|great|high|old|small|long|earli|tall|strong)est of)\b",
    re.I,
)
_BARE_BODY = re.compile(
    rf"\b[Tt]he (?:{'|'.join(sorted(word.capitalize() for word in BODIES))})(?:['’]s)?\b"
    r"(?! (?:of|for|on|to|in)? ?[A-Z])"
)
_BARE_MOST = re.compile(r"What (?:is|was|are|were) the (?:\w+est|most \w+)\b(?!.* (?:of|in|for|to|that|on)\b).*\?")
_OPENS_SENTENCE = re.compile(
    r"\A(?:however|therefore|thus|moreover|furthermore|but|and|so(?! that)|also|then|otherwise|instead|hence|"
    r"finally|still|yet|for example|for instance)\b",
    re.I,
)
_LEANS = re.compile(
    r"\binstead\b|\b(?:it|them|him|her|himself|herself|there|so)\W*\Z|\bher\b.*\bhis\b|\bhis\b.*\bher\b", re.I
)
_ENGLISH = closed("the of and is are to on by for with that it as be has were can which from at not have this")
_ALSO_ENGLISH = closed("a an in was his her its under after into during their")


def passes(candidate: Candidate) -> bool:
    """Tell whether a candidate is fit to be proposed."""
    return _question_stands(candidate.question) and _answer_stands(candidate.answer) and not _trivial(candidate)


def _question_stands(question: str) -> bool:
    count = len(question.split())
    if not 3 <= count <= LONGEST_QUESTION or len(question) > 170 or not question.endswith("?"):
        return False
    if (
        _BROKEN.search(question)
        or refers_elsewhere(question)
        or not _balanced(question)
        or _LEFT_HANGING.search(question)
        or holds_bare_noun(question)
        or _BARE_BODY.search(question)
        or _BARE_MOST.fullmatch(question)
    ):
        return False
    body = question.split(" ", 1)[1]
    if found := PRONOUN.search(body):
        if found.group().lower() not in (
            "its",
            "their",
            "his",
            "her",
            "themselves",
            "itself",
            "it",
            "they",
        ) and not re.search(r"\b(?:are|is|were) there\b", question):
            return False
        # A pronoun is clear where the subject of the question stands before it.
        if found.group().lower() != "there" and len(body[: found.start()].split()) < 3:
            return False
    return not _foreign(question) and not _ODD.search(question)


def _answer_stands(answer: str) -> bool:
    count = len(answer.split())
    if not 1 <= count <= LONGEST_ANSWER or not any(char.isalnum() for char in answer):
        return False
    if (
        _BROKEN_ANSWER.search(answer)
        or not _balanced(answer)
        or FIRST_PERSON.search(answer)
        or _DANGLING.search(answer)
    ):
        return False
    if answer_refers_elsewhere(answer) or _OPENS_SENTENCE.search(answer):
        return False
    if _LEANS.search(answer):
        return False
    return count > 2 or (not POINTING.search(answer) and not PRONOUN.search(answer))


def _trivial(candidate: Candidate) -> bool:
    """Tell whether the answer holds nothing that the question does not."""
    if candidate.kind == "comparison":
        return False
    asked, answered = set(content_words(candidate.question)), content_words(candidate.answer)
    fresh = sum(word not in asked for word in answered)
    short = len(answered) < 4 or candidate.kind == "boolean"
    if candidate.kind == "reason" and len(re.sub(r"\AIn order ", "", candidate.answer).split()) < 4:
        return True
    return not asked or (bool(answered) and fresh < (1 if short else 2))


def _balanced(text: str) -> bool:
    return text.count("(") == text.count(")") and text.count("“") == text.count("”") and text.count('"') % 2 == 0


def _foreign(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return not letters or sum(char > "\u024f" for char in letters) > 0.1 * len(letters)


def is_english(text: str, share: float = 0.18) -> bool:
    """Tell whether a text is English prose.

    At least a share of its words are stop words, one of them only English, or three rare in other languages.
    """
    found = WORD.findall(text.lower())
    if len(found) < 4 or (_ENGLISH.isdisjoint(found) and len(_ALSO_ENGLISH.intersection(found)) < 3):
        return False
    return sum(word in STOP_WORDS for word in found) >= share * len(found)
