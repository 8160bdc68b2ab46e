"""Which language a text is in, and how many words it has, for any script. Offline and deterministic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN = "und"
"""ISO 639-2 code of a text whose language is not known, because there is too little of it or too much of a mixture."""

_LETTER = re.compile(r"[^\W\d_]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3041-\u30ff\uff66-\uff9f]")
_HANGUL = re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")
_UNSPACED = re.compile(r"[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[^\W_]\S*")
_NO_WORDS = re.compile(r"[|#*_=<>{}\[\]\\`~-]+|\w*\d\w*|\w+:/\S+")
"""Signs of tables and marks, numbers, addresses: they say nothing of the language."""
_SPACE = re.compile(r"\s")
_SLICE = 1 << 20
_FEWEST_LETTERS, _FEWEST_SIGNS = 12, 4
_SURE = 0.4
"""Probability from which an answer counts; measured: sentences of eight words get 0.44 or more, lists of names 0.11."""


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's main language, `und` where it cannot be told.

    Chinese, Japanese and Korean are told by their scripts, others by py3langid (naive Bayes over byte n-grams; Lui
    and Baldwin, ACL 2012, "langid.py"). Of a long text, twenty stretches are looked at, half of which must agree.
    """
    pieces = _pieces(text)
    language, count = Counter(map(_language_of, pieces)).most_common(1)[0]
    return language if 2 * count >= len(pieces) else UNKNOWN


def _language_of(piece: str) -> str:
    sample = _NO_WORDS.sub(" ", piece)
    letters = len(_LETTER.findall(sample))
    han, kana, hangul = (len(script.findall(sample)) for script in (_HAN, _KANA, _HANGUL))
    if han + kana + hangul > 0.3 * letters and letters >= _FEWEST_SIGNS:
        if hangul > han + kana:
            return "ko"
        return "ja" if kana > 0.1 * (han + kana) else "zh"
    if letters < _FEWEST_LETTERS:
        return UNKNOWN
    language, probability = likeliest_language(sample)
    return language if probability >= _SURE and language != "zxx" else UNKNOWN


def likeliest_language(text: str) -> tuple[str, float]:
    """Return py3langid's first choice for a text and its probability, however little text there is."""
    language, probability = identifier().classify(text)
    return str(language), float(probability)


def count_words(text: str) -> int:
    """Return how many words a text has; of Chinese and Japanese, which part no words, every character counts as one."""
    return sum(_words(part) for part in _parts(text))


def _words(part: str) -> int:
    if part.isascii():
        return len(_WORD.findall(part))
    return len(_WORD.findall(_UNSPACED.sub(" ", part))) + len(_UNSPACED.findall(part))


def _parts(text: str) -> Iterator[str]:
    """Yield stretches of about a million characters, cut at white space, so that counting takes little memory."""
    at = 0
    while at < len(text):
        cut = _SPACE.search(text, at + _SLICE)
        end = cut.start() if cut else len(text)
        yield text[at:end]
        at = end


def _pieces(text: str, count: int = 20, length: int = 1000) -> list[str]:
    if len(text) <= count * length:
        return [text]
    step = (len(text) - length) // (count - 1)
    return [text[i * step : i * step + length] for i in range(count)]


@cache
def identifier() -> LanguageIdentifier:
    """Return py3langid's model, loaded once; loading unpacks it into a file in the folder of temporary files."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    loaded = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # Varieties without a code of their own in ISO 639-1, such as Wu Chinese, would take from their main language.
    loaded.set_languages([code for code in loaded.nb_classes if len(code) == 2 or code == "zxx"])
    return loaded
