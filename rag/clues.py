"""What speaks for a run of words being the answer: named clues that can be read, each with a number.

Of what kind the run is, what stands at its borders, how near the question's words are and on which side, and whether
the noun and the verb of the question stand beside it. `benchmarks/fit_quote.py` fits what each clue is worth.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from doceo.text.figures import figures
from doceo.text.words import STOP_WORDS, closed, is_plural
from rag.question import Asked, understand
from rag.spans import Place
from rag.tokens import Part, tokens

if TYPE_CHECKING:
    from rag.lexical import Lexical

Clues = dict[str, float]

_GROUPS: dict[Asked, str] = {
    "date": "time", "year": "time", "number": "amount", "quantity": "amount", "percent": "amount", "money": "amount",
}  # fmt: skip
_COARSE: dict[str, str] = {**{str(kind): group for kind, group in _GROUPS.items()}, "digits": "amount"}
_TELLING = closed(
    "in by at on from of to as for with because called named known is was are were the a an include includes including "
    "like through near during between since until about into after before than and or using every each over"
)
_IN_NAMES: frozenset[Part] = frozenset(
    {"name", "of", "determiner", "conjunction", "dash", "stop", "comma", "possessive", "adverb"}
)
_JOINS_NAMES: frozenset[Part] = frozenset({"of", "conjunction", "preposition"})
_FIRST_TELLS: frozenset[Part] = frozenset({"to", "preposition", "relative", "quantifier", "verb"})
_INSIDE: frozenset[Part] = frozenset(
    {"conjunction", "comma", "of", "preposition", "past", "ing", "adverb", "dash", "to", "verb"}
)
_RAREST = 8.0
"""An inverse document frequency that is high."""


class Asking:
    """A question with the stems of its words and what each is worth, for many sentences."""

    def __init__(self, question: str, lexical: Lexical) -> None:
        self.text = question.lower()
        self.understood = understand(question)
        self.asked, self.role = self.understood.asked, self.understood.role
        self.group = _GROUPS.get(self.asked, str(self.asked))
        self._lexical = lexical
        self._stems: dict[str, str] = {}
        self._weights: dict[str, float] = {}
        words = [token.lower for token in tokens(question) if token.is_word and token.lower not in STOP_WORDS]
        self.worth = {stem: self.weight(stem) for stem in map(self.stem, words)}
        self.total = sum(self.worth.values()) or 1.0
        head = [self.stem(word) for word in self.understood.head.split()]
        self.head, self.noun = self.worth.keys() & set(head), head[-1] if head else ""
        self.verb = self.stem(self.understood.verb) if self.understood.verb else ""

    def stem(self, word: str) -> str:
        """Return the stem of a word in lower case; of one with a hyphen, the stem of its first part."""
        if word not in self._stems:
            self._stems[word] = next(iter(self._lexical.stems(word)), word)
        return self._stems[word]

    def stems(self, text: str) -> set[str]:
        """Return the stems of all words of a text but stop words."""
        return set(self._lexical.terms(text)) if text.strip() else set()

    def weight(self, stem: str) -> float:
        """Return how telling a stem is."""
        if stem not in self._weights:
            self._weights[stem] = self._lexical.weight(stem)
        return self._weights[stem]


class Scene:
    """A sentence seen by someone with a question: gives the clues of any of its runs.

    Public: `tokens`, of which a run names the first and the last.
    """

    def __init__(self, asking: Asking, sentence: str) -> None:
        self._asking, self._sentence, self.tokens = asking, sentence, tokens(sentence)
        self._stems = [asking.stem(token.lower) if token.is_word else "" for token in self.tokens]
        self._content = [token.is_word and token.lower not in STOP_WORDS for token in self.tokens]
        known = zip(self._content, self._stems, strict=True)
        self._asked = [content and stem in asking.worth for content, stem in known]
        self._where = [at for at, asked in enumerate(self._asked) if asked]
        self._figures = {(figure.start, figure.end): figure.kind for figure in figures(sentence)}
        self._signs = _counted(token.part in ("comma", "colon", "bracket") for token in self.tokens)
        self._verbs = _counted(token.part in ("auxiliary", "past", "finite") for token in self.tokens)
        self._verb_at = [at for at, stem in enumerate(self._stems) if stem and stem == asking.verb]

    def text(self, place: Place) -> str:
        """Return the words of a run."""
        return self._sentence[self.tokens[place[0]].start : self.tokens[place[1]].end]

    def clues(self, place: Place) -> Clues:
        """Return the clues of a run by name."""
        return {**self._kind(place), **self._borders(place), **self._words(place), **self._near(place)}

    def form(self, place: Place) -> str:
        """Return what a run is: the kind of a figure, a name, a noun, a phrase, a clause."""
        first, last = place
        start, end = self.tokens[first].start, self.tokens[last].end
        kind = self._figures.get((start, end))
        if kind and kind != "name":
            return kind
        parts = [token.part for token in self.tokens[first : last + 1]]
        if parts[0] in ("to", "preposition", "relative", "verb"):
            return "clause"
        if parts[0] == "determiner":
            return "phrase"
        if any(k in ("date", "year") and start <= a and b <= end for (a, b), k in self._figures.items()):
            return "with time"
        if "number" in parts:
            return "digits" if all(part == "number" for part in parts) else "with number"
        if "name" in parts:
            return "name" if _IN_NAMES.issuperset(parts) else "with name"
        return "doing" if parts[0] == "ing" else "noun"

    def _kind(self, place: Place) -> Clues:
        asked, group, form = self._asking.asked, self._asking.group, self.form(place)
        length = _length(sum(token.is_word for token in self.tokens[place[0] : place[1] + 1]))
        found = [
            f"form {form}", f"{group}: {_COARSE.get(form, form)}", f"length {length}", f"{group}: length {length}",
            f"{form}: length {length}",
        ]  # fmt: skip
        if group in ("amount", "time"):
            found.append(f"{asked}: {form}")
        return dict.fromkeys(found, 1.0)

    def _borders(self, place: Place) -> Clues:
        first, last = place
        group, role, tokens = self._asking.group, self._asking.role, self.tokens
        before, behind = first - 1, last + 1
        found: list[str] = []
        if before >= 0 and tokens[before].part == "determiner":
            before -= 1
            found += ["article", f"before {self._mark(before)}, article"]
        left, right, begins, ends = self._mark(before), self._mark(behind), tokens[first].part, tokens[last].part
        found += [
            f"before {left}", f"after {right}", f"first {begins}", f"last {ends}", f"before {left}, first {begins}",
            f"last {ends}, after {right}", f"{role}: before {left}", f"{role}: after {right}",
        ]  # fmt: skip
        if before >= 0 and (word := tokens[before].lower) in _TELLING:
            found += [f"before '{word}'", f"{group}: before '{word}'"]
        if behind < len(tokens) and (word := tokens[behind].lower) in _TELLING:
            found.append(f"after '{word}'")
        if begins in _FIRST_TELLS:
            found += [f"first '{tokens[first].lower}'", f"{group}: first '{tokens[first].lower}'"]
        if before >= 1 and begins == tokens[before - 1].part == "name" and tokens[before].part in _JOINS_NAMES:
            found.append("inside a name")
        if left == right == "quote":
            found.append("quoted")
        return dict.fromkeys(found, 1.0)

    def _mark(self, at: int) -> str:
        if not 0 <= at < len(self.tokens):
            return "start" if at < 0 else "end"
        return self.tokens[at].part + (" asked" if self._asked[at] else "")

    def _words(self, place: Place) -> Clues:
        first, last = place
        asking = self._asking
        content = [at for at in range(first, last + 1) if self._content[at]] or [first]
        known = sum(self._asked[at] and self._stems[at] not in asking.head for at in content) / len(content)
        rare = [asking.weight(self._stems[at]) / _RAREST if self._content[at] else 0.0 for at in content]
        found = {"known": known, "rare": sum(rare) / len(rare), "rarest": max(rare), "late": first / len(self.tokens)}
        if known == 1.0 or self.text(place).lower() in asking.text:
            found["all known"] = 1.0
        found |= {f"{side} asked": 1.0 for side, at in (("first", first), ("last", last)) if self._asked[at]}
        if asking.noun:
            found |= dict.fromkeys(self._noun(place, content), 1.0)
        inside = {token.part for token in self.tokens[first + 1 : last]} & _INSIDE
        found |= {f"inside {part}": 1.0 for part in inside}
        if asking.understood.plural:
            found["plural"] = float(is_plural(self.tokens[last].lower))
        if "conjunction" in inside:
            found["several" if asking.understood.plural else "one of several"] = 1.0
        return found

    def _noun(self, place: Place, content: list[int]) -> Iterable[str]:
        """Yield how the noun that is asked for stands to a run."""
        first, last = place
        noun, group = self._asking.noun, self._asking.group
        if self._stems[last] == noun:
            yield from ("ends in noun", f"{group}: ends in noun")
        elif any(self._stems[at] in self._asking.head for at in content):
            yield "has noun"
        for name, at in (("next", last + 1), ("before", first - 1), ("two before", first - 2), ("two next", last + 2)):
            if 0 <= at < len(self._stems) and self._stems[at] == noun:
                yield from (f"noun {name}", f"{group}: noun {name}")

    def _near(self, place: Place) -> Clues:
        first, last = place
        asking, role = self._asking, self._asking.role
        nearest: dict[str, tuple[int, int]] = {}
        for at in self._where:
            if at < first or at > last:
                one = (first - at if at < first else at - last, at)
                nearest[self._stems[at]] = min(one, nearest.get(self._stems[at], one))
        shares = {at: asking.worth[stem] / asking.total / (1 + far / 4) for stem, (far, at) in nearest.items()}
        before = sum(share for at, share in shares.items() if at < first)
        behind = sum(shares.values()) - before
        found = {
            "near": before + behind, "near before": before, f"{role}: near before": before,
            f"{role}: near after": behind,
        }  # fmt: skip
        if nearest:
            far, at = min(nearest.values())
            left, right = (at, first) if at < first else (last + 1, at)
            found["nearest"] = 1 / far
            found["signs between"] = min(3, self._signs[right] - self._signs[left])
            found["verbs between"] = min(2, self._verbs[right] - self._verbs[left])
        if self._verb_at:
            found |= self._verb(place)
        return found

    def _verb(self, place: Place) -> Clues:
        """Return on which side of the question's verb a run stands, and how near."""
        first, last = place
        at = min(self._verb_at, key=lambda at: min(abs(at - first), abs(at - last)))
        side = "around" if first <= at <= last else "behind" if at < first else "before"
        far = 0 if side == "around" else first - at if at < first else at - last
        name = f"{self._asking.role}: {side} the verb"
        found = {name: 1.0, f"{name}, near": 1 / (1 + far / 2)}
        if far == 1 or (far == 2 and first and self.tokens[first - 1].part == "determiner"):
            found[f"{name}, beside"] = 1.0
        return found


def _counted(flags: Iterable[bool]) -> list[int]:
    """Return how many flags stand before each place."""
    return list(accumulate(flags, initial=0))


def _length(words: int) -> str:
    return str(words) if words < 4 else "4-5" if words < 6 else "6-8" if words < 9 else "9 or more"
