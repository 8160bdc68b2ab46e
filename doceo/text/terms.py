"""Terms of a text in any language, for comparing texts: words, and single characters where words have no blanks.

Unlike a reader's words they keep what tells technical questions apart: the marks of `C++`, `C#` and `.NET`, and the
dashes and the case of options such as `-r` and `-R`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from doceo.text.words import stem

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""A character of a script that writes no blanks between words: Thai, Lao, Burmese, Khmer, kana, Chinese."""
_LETTERS = r"[\w\u0300-\u036f\u0900-\u0dff]+"
_TERM = re.compile(
    rf"(?<![\w.-])-{{1,2}}[A-Za-z0-9][\w-]*|(?:(?<!\w)\.(?=[^\W\d_]))?{_LETTERS}"
    rf"(?:[+#]+(?!\w)|(?:['’](?=[^\W\d_])|[.,](?=\d)|-(?=\w)){_LETTERS})*"
)


def terms(text: str) -> tuple[str, ...]:
    """Return the terms of a text in order, case folded but for options such as `-R`; typographic marks made plain."""
    if not text.isascii():
        text = UNSPACED.sub(r" \g<0> ", text).replace("’", "'")
    return tuple(term if term[0] == "-" else term.casefold() for term in _TERM.findall(text))


def shingles(found: Sequence[str], size: int = 2) -> frozenset[str]:
    """Return the runs of `size` neighbouring terms; fewer terms are one run."""
    if len(found) <= size:
        return frozenset([" ".join(found)])
    return frozenset(map(" ".join, zip(*(found[i:] for i in range(size)), strict=False)))


@lru_cache(maxsize=65536)
def stemmed(term: str) -> str:
    """Return the light stem of a term; options, figures and terms with marks are returned as they are."""
    return stem(term) if term.isalpha() or "'" in term else term
