"""Words of a text, the closed word classes of English, and a light stem."""

from __future__ import annotations

import re
from functools import lru_cache


def closed(words: str) -> frozenset[str]:
    """Return the closed list of words that a string holds, parted by blanks."""
    return frozenset(words.split())


WORD = re.compile(r"[^\W_]+(?:['’._-][^\W_]+)*")
"""A word as a reader sees it: letters and digits, with inner apostrophes, hyphens, dots and underscores."""

DETERMINERS = closed("the a an")
QUANTIFIERS = closed("all every each any some no many most several few both much more fewer less enough another other")
DEMONSTRATIVES = closed("this that these those such")
POSSESSIVES = closed("my your his her its our their whose")
PRONOUNS = closed(
    "i you he she it we they me him us them one ones mine yours hers ours theirs myself yourself himself herself "
    "itself ourselves themselves everyone everybody everything someone somebody something anyone anybody anything "
    "nobody nothing none there"
)
PREPOSITIONS = closed(
    "of in on at by for from with to into onto over under between among within without through during before "
    "after since until against about as per via across along around behind beside besides beyond despite except "
    "inside outside like near off out than toward towards upon up down above below throughout unlike versus plus "
    "alongside amid amongst atop"
)
MODALS = closed("can could may might must shall should will would cannot")
BE = closed("is are was were am")
HAVE = closed("has have had")
DO = closed("does do did")
AUXILIARIES = MODALS | BE | HAVE | DO
SUBORDINATORS = closed(
    "because although though while whereas if unless when whenever where wherever whether until once since so"
)
RELATIVES = closed("which who whom whose that where when")
QUESTION_WORDS = closed("what when where who whom whose which why how")
CONJUNCTIONS = closed("and or but nor yet")
NUMERALS = closed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
    "billion trillion dozen half"
)
ADVERBS = closed(
    "not never always often usually sometimes also only just even still already now then thus therefore hence "
    "however too very quite rather almost again once twice soon later early here currently first second last "
    "finally instead otherwise moreover furthermore perhaps maybe yet ever seldom rarely well far away together "
    "apart back forth directly originally initially"
)
IRREGULAR_PLURALS = closed(
    "people children men women data media criteria phenomena indices matrices vertices mice feet teeth geese "
    "series species police"
)
SINGULAR_S = closed(
    "this is was has does its process access class address analysis basis thesis business loss bias bus status "
    "corpus axis progress success mess pass less glass mass gas lens news physics mathematics statistics "
    "economics congress canvas always perhaps across series species business os https dns css apis census "
    "consensus focus virus bonus plus menus synopsis hypothesis emphasis crisis diagnosis synthesis parenthesis "
    "kubernetes redis windows postgres loss"
)
STOP_WORDS = (
    DETERMINERS
    | QUANTIFIERS
    | DEMONSTRATIVES
    | POSSESSIVES
    | PRONOUNS
    | PREPOSITIONS
    | AUXILIARIES
    | SUBORDINATORS
    | RELATIVES
    | QUESTION_WORDS
    | CONJUNCTIONS
    | closed("not be been being having doing own same so too very just also only s t don")
)
"""Words that carry no topic of their own, in lower case."""


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, in order."""
    return [match.group().lower() for match in WORD.finditer(text)]


def content_words(text: str) -> list[str]:
    """Return the stems of the words of a text that are no stop words, in order."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a light stem of a word in lower case: plural, -ing and -ed endings removed, and a final -e.

    Meant for comparing words, not for showing them.
    """
    word = word.replace("’", "'").removesuffix("'s")
    if len(word) > 3 and word not in SINGULAR_S:
        if word.endswith("ies") and len(word) > 4:
            word = word[:-3] + "y"
        elif word.endswith(("sses", "xes", "ches", "shes", "zes")):
            word = word[:-2]
        elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3 and re.search("[aeiouy]", root):
            word = root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root
            break
    if word.endswith("ed") and len(word) == 4:
        return word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def is_plural(word: str) -> bool:
    """Guess whether a noun is plural from its form."""
    lower = word.lower()
    if lower in IRREGULAR_PLURALS:
        return lower not in ("series", "species", "data", "media")
    if lower in SINGULAR_S or lower.endswith(("ss", "us", "is", "'s", "’s")):
        return False
    return (lower.endswith("s") and len(lower) > 3) or bool(re.fullmatch(r"[A-Z]{2,}s", word))
