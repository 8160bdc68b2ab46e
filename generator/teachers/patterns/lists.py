"""What are the parts, kinds, steps? Which ones are there?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doceo.text.words import NUMERALS, is_plural
from generator.teachers.grammar.standing import PRONOUN, refers_elsewhere
from generator.teachers.statement import Candidate, Statement, full, tidy

_KINDS = re.compile(
    rf"(?:there (?:are|is)|(?P<has>[A-Z][^,;:]{{2,60}}?) (?:has|have|knows?|distinguish(?:es)?|recogni[sz]es?|"
    rf"supports?|offers?|provides?|defines?|uses?))\s"
    rf"(?P<n>{'|'.join(sorted(NUMERALS))}|\d+)\s(?P<what>(?:[a-z][\w-]*\s)"
    rf"{{0,3}}?[a-z][\w-]*s(?:\sof\s[^:;,.]{{2,50}})?)\s?(?P<when>today|now|in all)?\s?:\s(?P<items>[^:;]+)",
    re.I,
)
_LEAD = re.compile(r"(?:the following|as follows|following|these|below)", re.I)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the list that stands inside a statement: "The N of X are a, b and c"."""
    clause = statement.clause
    if clause.negated or clause.intro[1] or statement.standing < 0.5:
        return
    if (
        not clause.copular
        or clause.aux not in ("are", "were")
        or not statement.core
        or clause.tokens[clause.subject.start].lower != "the"
    ):
        return
    items = statement.of(*statement.core)
    if (
        statement.breaks
        or not re.search(r",\s.*\b(?:and|or)\s|\band\s", items)
        or not is_plural(statement.head.text)
        or "(" in items
    ):
        return
    if clause.tokens[clause.rest].tag not in ("NOM", "NAME", "CODE", "DET"):
        return
    yield Candidate(
        f"What {clause.aux} {statement.subject}?",
        tidy(items),
        "list",
        "medium",
        0.85 * statement.weight,
        "list",
    )


def inline(text: str) -> Iterator[Candidate]:
    """Yield the list after a colon: "Doceo has three gates: form, exact and near"."""
    match = _KINDS.fullmatch(text.rstrip(". "))
    if match is None or not re.search(r"\b(?:and|or)\b", match["items"]) or len(match["items"].split()) > 60:
        return
    who = match["has"]
    if who and (
        refers_elsewhere(who)
        or PRONOUN.search(who)
        or (re.match(r"(?:The|A|An)\s\w+\Z", who) and not re.search(r"[A-Z]", who[1:]) and who.startswith("The"))
    ):
        return
    if who:
        who = (
            who
            if re.match(r"[A-Z]\w*[A-Z]|[A-Z][a-z]+(?:\s[A-Z]|\Z)", who)
            and not re.match(r"(?:The|A|An|Every|Each)\b", who)
            else who[:1].lower() + who[1:]
        )
        verb = re.search(
            r"\b(has|have|knows?|distinguish(?:es)?|recogni[sz]es?|supports?|offers?|provides?|defines?|uses?)\b",
            text[len(match["has"]) :],
        )
        base = {"has": "have"}.get(verb[1], re.sub(r"(?<=sh)es\Z|s\Z", "", verb[1])) if verb else "have"
        do = "do" if verb and verb[1] == base else "does"
        yield Candidate(
            f"Which {match['n']} {match['what']} {do} {who} {base}?",
            tidy(match["items"]),
            "list",
            "medium",
            0.88,
            "kinds",
        )
    elif " of " in match["what"]:
        yield Candidate(
            f"What are the {match['n']} {match['what']}?", tidy(match["items"]), "list", "medium", 0.85, "kinds"
        )


def bulleted(lead: str, items: Sequence[str]) -> Iterator[Candidate]:
    """Yield the list that a line ending in a colon opens: "A bug report has to name:" and its items."""
    lead = lead.rstrip(" :")
    if (
        not 2 <= len(items) <= 9
        or len(lead.split()) > 16
        or sum(len(item.split()) for item in items) > 60
        or PRONOUN.search(lead)
        or refers_elsewhere(_LEAD.sub("", lead))
    ):
        return
    if any(not item or item[-1] in ":" or len(item.split()) > 14 for item in items):
        return
    answer = "; ".join(item.rstrip(" .;,") for item in items) + "."
    if match := re.fullmatch(
        r"(?:The )?(?P<what>.{6,90}?) (?P<be>are|is|include|includes)(?: the following| as follows)?", lead
    ):
        what = match["what"]
        if (
            match["be"] == "are"
            and re.search(r"\b(?:of|for|to|in)\b", what)
            and not re.match(r"(?:Here|There|Some|Other|Among)\b", what)
        ):
            what = ("the " if lead.startswith("The ") else "") + (
                what if lead.startswith("The ") else what[:1].lower() + what[1:]
            )
            yield Candidate(f"What are {what}?", full(answer), "list", "medium", 0.8, "bullets")
