"""Which script a text is in, and which of a few languages, by its commonest small words; meant for checks."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

_SCRIPTS = re.compile(
    r"(?P<latin>[A-Za-z\u00aa\u00b5\u00ba\u00c0-\u02af\u1e00-\u1eff]+)|(?P<han>[\u3400-\u4dbf\u4e00-\u9fff]+)"
    r"|(?P<kana>[\u3040-\u30ff]+)|(?P<hangul>[\u1100-\u11ff\uac00-\ud7af]+)|(?P<cyrillic>[\u0400-\u052f]+)"
    r"|(?P<greek>[\u0370-\u03ff\u1f00-\u1fff]+)|(?P<arabic>[\u0600-\u06ff]+)|(?P<hebrew>[\u0590-\u05ff]+)"
    r"|(?P<devanagari>[\u0900-\u097f]+)|(?P<thai>[\u0e00-\u0e7f]+)"
)
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
"""A letter of a script whose words are not, or not reliably, parted by spaces."""
_WORD = re.compile(r"[^\W\d_]+")
_SMALL: dict[str, str] = {
    "en": "the of and to is are was were that which what who when how why does did with for from by this have has",
    "de": "der die das und ist sind war waren wurde wurden nicht ein eine einen einem mit von für auf im zu den dem "
    "des welche welcher welches wer wie wann wo warum was wird werden hat auch",
    "fr": "le la les des et est sont était dans une pour que qui du au aux sur quel quelle quels quelles quand "
    "comment pourquoi où été avec ce cette par",
    "es": "el la los las y es son era fue en una para que de del al por con qué cuál cuándo cómo quién dónde se está",
    "it": "il lo gli e è sono era di che per una del della dei nel con quale quali quando come perché chi dove si",
    "pt": "o os as e é são era foi de que para uma do da dos em no na com qual quais quando como por quem onde se não",
    "nl": "de het een en is zijn was waren van in op met voor dat die niet wie wat wanneer hoe waarom welke waar wordt",
}
_NOT_LETTERS = "".join(chr(code) for code in range(128) if not chr(code).isalpha())
_LEFT_OUT = str.maketrans("", "", _NOT_LETTERS)
_BLANKED = str.maketrans(_NOT_LETTERS, " " * len(_NOT_LETTERS))
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _SMALL.items():
    for _one in set(_words.split()):
        _LANGUAGES_OF.setdefault(_one, []).append(_language)
SMALL_WORDS = frozenset(_LANGUAGES_OF)
"""The commonest words of these languages, that carry no meaning of their own."""
_SURE_WORDS = 8.0
_ASIAN = frozenset({"han", "kana", "hangul"})


def _letter_runs(text: str) -> list[str]:
    """Return the runs of letters in a text; plain ASCII, the common case, needs no pattern."""
    return text.translate(_BLANKED).split() if text.isascii() else _WORD.findall(text)


@lru_cache(maxsize=256)
def scripts(text: str) -> Counter[str]:
    """Return how many letters of a text each script has, such as latin, han or cyrillic."""
    if text.isascii():
        letters = len(text.translate(_LEFT_OUT))
        return Counter({"latin": letters} if letters else {})
    found: Counter[str] = Counter()
    for match in _SCRIPTS.finditer(text):
        found[match.lastgroup or ""] += len(match[0])
    return found


@lru_cache(maxsize=256)
def small_words(text: str) -> dict[str, float]:
    """Return the weight of the small words of each known language in a text; a shared word counts in parts."""
    found: dict[str, float] = {}
    for word in filter(SMALL_WORDS.__contains__, _letter_runs(text.lower())):
        languages = _LANGUAGES_OF[word]
        for language in languages:
            found[language] = found.get(language, 0.0) + 1.0 / len(languages)
    return found


def language_of(text: str) -> str:
    """Return the ISO code of a text's language where its small words leave no doubt, else ""."""
    found = sorted(((weight, language) for language, weight in small_words(text).items()), reverse=True)
    if not found or found[0][0] < _SURE_WORDS or (len(found) > 1 and found[0][0] < 2 * found[1][0]):
        return ""
    return found[0][1]


def other_language(question: str, passage: str) -> str:
    """Return in what a question differs from its passage's script or language, or "" where nothing tells.

    Names may stand in another script, so a question is at fault only where the passage has next to nothing of the
    script of most of its letters; and only where its small words are of one language, with two or more that the
    passage's language does not have, and none that only the passage's has.
    """
    asked, given = scripts(question), scripts(passage)
    if not asked or not given:
        return ""
    script, letters = asked.most_common(1)[0]
    total = given.total()
    if script in _ASIAN and sum(given[one] for one in _ASIAN) >= 0.1 * total:
        # Japanese and Korean mix scripts in any proportion.
        return ""
    if letters > 0.7 * asked.total() and given[script] < 0.1 * total:
        return f"{script} letters, the passage's are {given.most_common(1)[0][0]}"
    language = language_of(passage)
    if not language or script != "latin":
        return ""
    words = set(_letter_runs(question.lower()))
    own = {word for word in words if language in _LANGUAGES_OF.get(word, ())}
    foreign = [one for word in words - own for one in _LANGUAGES_OF.get(word, ())]
    other, count = Counter(foreign).most_common(1)[0] if foreign else ("", 0)
    return f"its words are of the language {other}, the passage's of {language}" if count >= 2 and not own else ""
