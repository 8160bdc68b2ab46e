"""Options of commands and keys of configuration files: what each does, and what it is where it is left out.

Reads the lines in which manuals list them: "-f, --file FILE   Read from FILE", an option on a line of its own with its
explanation indented below, and "Default: 8000" in the explanation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from doceo.text.verbs import FORMS
from doceo.text.words import closed
from generator.teachers.statement import Candidate, full

_ARGUMENT = (
    r"(?:[ =]?(?:<[^<>\n]{1,30}>|\[[^\[\]\n]{1,30}\]|[A-Z][A-Z0-9_:,.-]*(?![a-z])|\{[^{}\n]{1,40}\}))?(?:\.\.\.)?"
)
_FLAG = rf"-{{1,2}}[A-Za-z][\w-]*{_ARGUMENT}"
_HEAD = re.compile(
    rf"(?P<indent>[ \t]*)(?:[-*][ \t]+)?`{{0,2}}"
    rf"(?P<flags>{_FLAG}(?:`{{0,2}}(?:, ?|/| \| )`{{0,2}}{_FLAG}){{0,3}})`{{0,2}}"
    r"(?:[ \t]*(?:\t|[ ]{2}|[:–—]|[ ]-[ ])[ \t]*(?P<told>\S.*))?\Z"
)
_NAME = re.compile(r"--?[A-Za-z][\w-]*")
_DEFAULT = re.compile(
    r"(?:\(|\[|\.\s|;\s|,\s)(?:the )?defaults?(?: value)?(?: is|:| =| to)? "
    r"[“\"'`]?(?P<value>[\w./:+-]{1,30}?)[”\"'`]?[\])]?\.?\Z",
    re.I,
)
_LONGEST = 60
_NO_VERB = closed("the a an this that these see same not if when as like for in on of and or")


@dataclass(frozen=True, slots=True)
class Option:
    """An option with its explanation and the characters `start` to `end` of the text where both stand."""

    name: str
    told: str
    start: int
    end: int


def options(text: str) -> Iterator[Option]:
    """Yield the options that lines of a text explain, in order. An option that is listed without a word is none."""
    lines = [(match.start(), match.group()) for match in re.finditer(r"[^\n]+", text)]
    for n, (at, line) in enumerate(lines):
        head = _HEAD.match(line)
        if head is None:
            continue
        told, end = [head["told"]] if head["told"] else [], at + len(line.rstrip())
        depth = len(head["indent"])
        for start, further in lines[n + 1 :]:
            indent = len(further) - len(further.lstrip())
            if indent <= depth or _HEAD.match(further) or text[end:start].count("\n") > 1:
                break
            told.append(further.strip())
            end = start + len(further.rstrip())
        names = _NAME.findall(head["flags"])
        longest = next((name for name in names if name.startswith("--")), names[0])
        if told:
            yield Option(longest, " ".join(told), at + depth, end)


def propose(option: Option) -> Iterator[Candidate]:
    """Yield what an option does, and what its default is."""
    told = " ".join(option.told.replace("`", "").split())
    default = _DEFAULT.search(told)
    if default:
        yield Candidate(
            f"What is the default of the option {option.name}?",
            default["value"],
            "fact",
            "easy",
            0.74,
            "option default",
        )
        told = told[: default.start() + 1].rstrip(" ([;,.")
    said = _first_sentences(told)
    words = said.split()
    if not 3 <= len(words) <= _LONGEST or words[0].lower() in _NO_VERB:
        return
    forms = {form for _, form in FORMS.get(words[0].lower().strip(",."), ())}
    if forms & {"base", "s"} and words[1].lower() not in ("of", "is", "for"):
        yield Candidate(f"What does the option {option.name} do?", full(said), "fact", "medium", 0.8, "option")


def _first_sentences(told: str) -> str:
    """Return as many whole sentences of an explanation as make a short answer."""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z])", told)
    chosen = parts[0]
    for part in parts[1:3]:
        if len(f"{chosen} {part}".split()) > 40:
            break
        chosen += f" {part}"
    return chosen
