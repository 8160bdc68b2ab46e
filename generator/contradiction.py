"""Whether two questions ask the same in substance, and whether two answers can both be right.

Meant to be sure rather than complete: both sides of a contradiction are lost, and questions that differ in one word
are often opposites ("opened", "closed"), which no vector tells from synonyms. So the same in substance means: the
same words but for articles, auxiliaries, inflection and a few ways of asking for a time, place, person or reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from doceo.core.records import Pair
from doceo.text.figures import DATE, YEAR
from doceo.text.terms import UNSPACED, stemmed, terms
from doceo.text.words import DETERMINERS, STOP_WORDS, closed

_ASKING = tuple(
    (re.compile(pattern, re.IGNORECASE), asked)
    for pattern, asked in (
        (r"^(?:(?:in|on|at) )?(?:what|which) (?:year|date|day|time) ", "when "),
        (r"^(?:in|at) (?:what|which) (?:place|location) ", "where "),
        (r"^(?:what|which) person ", "who "),
        (r"^(?:for (?:what|which) reason|how come) ", "why "),
        (r"^which ", "what "),
    )
)
_PLAIN = DETERMINERS | closed("do does please")
_LOOSE = _PLAIN | closed("is are am was were be been has have did of in at on")
_SAME = {"are": "is", "am": "is", "were": "was"}
_NEGATIONS = closed(
    "not no never none neither nor nobody nothing nowhere without cannot unless except hardly "
    "nicht kein keine keinen keiner ohne nie pas sans jamais ni sin nunca 不 没 未 无 非"
)
_OPPOSITES = closed(
    "more less most least many few much little first last next previous earliest latest oldest newest old new "
    "before after above below over under up down in out into inside outside upward downward upwards downwards "
    "left right top bottom front back north south east west northern southern eastern western high low higher "
    "lower highest lowest upper large small larger smaller largest smallest big bigger biggest long short longer "
    "shorter longest shortest wide narrow deep shallow fast slow hot cold early late maximum minimum max min "
    "open opened close closed start started begin began end ended enable enabled disable disabled allow allowed "
    "forbid forbidden deny denied accept accepted reject rejected reduce reduced raise raised lowered add added "
    "remove removed increase increased decrease decreased rise rose fall fell win won lose lost buy bought sell "
    "sold import export input output read write send receive encode decode positive negative true false male "
    "female public private always sometimes all any some every only with for against to from by rich poor richer "
    "poorer advantage advantages disadvantage disadvantages cause causes effect effects same different good bad "
    "better worse best worst"
)
_YES = closed("yes ja oui sí si sim 是 对")
_NO = closed("no nein non não 否 不")
_SEVERAL = re.compile(
    r"\b(?:one (?:of|\w+ (?:of|that|who|which|in|for))|an? (?:example|instance|way|reason|kind|type) |examples?\b"
    r"|name (?:a|an|one|two|three|some)\b|such as\b)",
    re.IGNORECASE,
)
_LIST_LIKE = frozenset({"list", "procedure"})
_EXPLAINED = frozenset({"definition", "reason", "procedure", "summary", "list", "comparison"})
_NUMERALS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20",
}  # fmt: skip
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATIVE = ("non-", "non", "un", "in", "im", "ir", "il", "dis", "mis", "anti-", "anti")
_SHORT, _LONG = 8, 12
"""Terms up to which an answer is a name or a figure, and from which it is an explanation."""


def substance(question: str, *, loose: bool = False) -> tuple[str, ...]:
    """Return what a question asks, as stems in order.

    Args:
        question: Any text.
        loose: Leave out tense and the plainest prepositions too: enough only where vectors agree as well.
    """
    found = list(terms(_plainly_asked(question)))
    for i in range(len(found) - 1, 0, -1):
        # the tower's height: the height of the tower
        if found[i - 1].endswith("'s") and found[i - 1] not in ("what's", "it's", "who's"):
            found[i - 1 : i + 1] = [found[i], "of", found[i - 1]]
    left_out = _LOOSE if loose else _PLAIN
    stems = (_SAME.get(term) or stemmed(term) for term in found if term not in left_out)
    return tuple(stems)


def told_apart(one: str, other: str) -> bool:
    """Tell whether two questions differ in a figure, a name, an option, a negation or a word that has an opposite."""
    here, there = set(terms(one)), set(terms(other))
    only = here - there, there - here
    if any(_turns(term) for side in only for term in side) or _prefixed(*only) or _prefixed(*only[::-1]):
        return True
    return all(_names(text, side) for text, side in zip((one, other), only, strict=True)) or all(map(_figures, only))


def disagreement(one: Pair, other: Pair) -> str:
    """Return how the answers of one question exclude each other, in a few words, or nothing where they need not."""
    if one.answerable != other.answerable:
        return "one has an answer, one has none"
    if not one.answerable or _several(one) or _several(other):
        return ""
    here, there = terms(one.answer), terms(other.answer)
    if _polarity(here) * _polarity(there) < 0:
        return "yes and no"
    if _day_and_year(one.answer, other.answer):
        return ""
    if figures := _figures_exclude(here, there):
        return figures
    if (_polarity(here) and _polarity(there)) or one.kind in _EXPLAINED or other.kind in _EXPLAINED:
        return ""
    # two characters of a script without blanks are about a word
    words = (sum(0.5 if UNSPACED.match(term) else 1 for term in answer) for answer in (here, there))
    least = 0.5 if max(words) <= _SHORT else 0.2
    return "" if overlap(here, there) >= least else "different answers"


def agreeing(one: Pair, other: Pair) -> bool:
    """Tell whether two questions have answers that say the same, as far as words show."""
    if not one.answerable or not other.answerable:
        return False
    here, there = terms(one.answer), terms(other.answer)
    if here == there:
        return True
    if _polarity(here) != _polarity(there) or _figures_exclude(here, there):
        return False
    turned = (any(map(_turns, set(a) - set(b))) for a, b in ((here, there), (there, here)))
    return not all(turned) and overlap(here, there) >= 0.5


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Return how much of their content two answers share, 0 to 1; both are given as terms.

    It is the share of the shorter answer's content where that is short, and else the Dice coefficient; initials that
    stand for the other answer count as all of it.
    """
    if _initials(one) in other or _initials(other) in one:
        return 1.0
    here, there = _content(one), _content(other)
    shared, least = len(here & there), min(len(here), len(there))
    return shared / max(1, least) if least <= _SHORT else 2 * shared / (len(here) + len(there))


def _plainly_asked(question: str) -> str:
    question = question.strip()
    for pattern, asked in _ASKING:
        if match := pattern.match(question):
            return asked + question[match.end() :]
    return question


def _names(text: str, only: set[str]) -> set[str]:
    """Return those of some terms that are capitalised within a text, not at its start."""
    words = re.findall(r"[^\W\d_][\w'’+#-]*", text)[1:]
    return {word.casefold().replace("’", "'") for word in words if word[0].isupper()} & only


def _turns(term: str) -> bool:
    """Tell whether a term can turn a question into another: an option, a negation, a word with an opposite."""
    return term[0] == "-" or term in _NEGATIONS or term in _OPPOSITES or term.endswith("n't")


def _prefixed(plain: set[str], negated: set[str]) -> bool:
    return any(prefix + term in negated for term in plain for prefix in _NEGATIVE)


def _several(pair: Pair) -> bool:
    return pair.kind in _LIST_LIKE or _SEVERAL.search(pair.question) is not None


def _polarity(answer: Sequence[str]) -> int:
    first = answer[0] if answer else ""
    return (first in _YES) - (first in _NO)


def _figures(found: Iterable[str]) -> set[str]:
    """Return the numbers among some terms, as digits."""
    worded = " ".join(_NUMERALS.get(term, term) for term in found)
    return {figure.replace(",", "") for figure in _FIGURE.findall(worded)}


def _figures_exclude(one: Sequence[str], other: Sequence[str]) -> str:
    """Return the figures by which two answers exclude each other: neither has all of the other's."""
    here, there = _figures(one), _figures(other)
    if not here or not there or here <= there or there <= here:
        return ""
    if here & there and max(len(one), len(other)) > _LONG:
        # long answers with some figures in common can both be right
        return ""
    return f"{' '.join(sorted(here - there))} and {' '.join(sorted(there - here))}"


def _day_and_year(one: str, other: str) -> bool:
    """Tell whether one answer is a day without a year and the other has a year: both can be right."""
    dated, plain = (one, other) if YEAR.search(one) else (other, one)
    return YEAR.search(dated) is not None and YEAR.search(plain) is None and DATE.search(plain) is not None


def _content(answer: Sequence[str]) -> set[str]:
    """Return the stems of an answer's words that say something, and pairs of characters where words have no blanks."""
    words = {stemmed(term) for term in answer if term not in STOP_WORDS and not UNSPACED.match(term)}
    pairs = {a + b for a, b in pairwise(answer) if UNSPACED.match(a) and UNSPACED.match(b)}
    return words | pairs or set(answer)


def _initials(answer: Sequence[str]) -> str:
    """Return the first letters of an answer of several words, as an acronym of it would have them."""
    found = "".join(term[0] for term in answer if term not in STOP_WORDS)
    return found if len(found) > 1 else ""
