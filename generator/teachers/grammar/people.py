"""Who or what is it? Whether a name or a noun means a person, by lists of given names, titles and roles."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.text.words import closed
from generator.teachers.grammar.tokens import Token

_TITLES = closed(
    "mr mrs ms dr sir lord lady king queen prince princess pope emperor empress president professor general "
    "colonel captain saint judge justice senator governor archbishop bishop duke count baron sultan khan "
    "chancellor cardinal"
)
GIVEN = closed(
    "aaron abraham adam ada al alan albert alex alexander alfred alice allen andrew angela ann anna anne anthony "
    "anton antonio arthur barack barbara ben benjamin bernard bill bob boris brad brian bruce carl carlos carol "
    "caroline catherine charles charlie charlotte chris christian christine christopher claude colin craig dan "
    "daniel david deborah denis dennis diana diane dick donald dorothy doug douglas ed edgar edith eduard edward "
    "edwin elizabeth ellen emil emily emma eric ernest ethan eugene eva felix fiona francis franklin frank fred "
    "frederick friedrich gabriel gary geoffrey george georg gerald gilbert giovanni giuseppe gordon grace graham "
    "greg gregory gustav guy hans harold harry heinrich helen henri henry herbert hermann howard hugh ian "
    "ibrahim igor isaac ivan jack jacob jacques jake james jan jane janet jason jean jeff jeffrey jennifer "
    "jerome jerry jessica jim jimmy joan joe johann john johannes jon jonathan joseph josef joshua juan judith "
    "julia julian jun karen karl kate katherine keith ken kenneth kevin kim konrad larry laura lawrence leo leon "
    "leonard leonid leslie lewis linda lisa louis louise lucas lucy ludwig luis luke marc marcus margaret maria "
    "marie mark martha martin mary matthew maurice max maximilian melissa michael michel mike miguel mohammed "
    "muhammad nancy neil nicholas nick nicolas nikola noah norman oliver oscar otto pat patricia patrick paul "
    "pedro peter phil philip pierre rachel ralph ray raymond rebecca rené richard rick robert robin roger roland "
    "ron ronald rosa rose roy rudolf russell ruth ryan sam samuel sandra sara sarah scott sean sebastian sergei "
    "sharon simon sophia stefan stephen steve steven stuart susan sylvester sylvia terry theodor theodore thomas "
    "tim timothy tom tony victor viktor vincent vladimir walter warren wayne werner wilhelm will william "
    "wolfgang"
)
"""Given names, in small letters."""

BODIES = closed(
    "university college school institute company corporation party council committee court church army navy "
    "agency society association foundation museum library hospital bank newspaper magazine network band team "
    "league union river lake mountain mountains island islands city county country province state states kingdom "
    "empire republic dynasty treaty act war battle festival station park building theater theatre bridge tower "
    "railway airport district commission department ministry board office bureau service group fund project "
    "program programme conference administration authority services center centre corps bank academy senate "
    "assembly"
)
"""Last words of the names of bodies, places and events, in small letters."""
ROLES = closed(
    "president chairman chair director leader founder author inventor king queen emperor governor minister "
    "secretary mayor bishop pope captain commander architect composer conductor designer developer engineer "
    "scientist physicist chemist biologist mathematician historian philosopher writer poet novelist journalist "
    "editor publisher producer actor actress singer musician painter sculptor artist politician lawyer judge "
    "general colonel soldier explorer merchant missionary monk priest theologian economist sociologist "
    "psychologist physician doctor surgeon nurse teacher professor student scholar researcher astronaut pilot "
    "athlete player coach manager executive officer owner heir son daughter brother sister wife husband father "
    "mother king ruler statesman diplomat ambassador activist programmer astronomer geologist botanist critic "
    "presenter host successor predecessor maintainer official lieutenant democrat veteran expatriate aristocrat "
    "noble nobleman chief prophet martyr lawmaker expert reformer"
)
PEOPLE = ROLES | closed(
    "team maintainers authors developers user users administrator administrators trustee government person "
    "people engineers member members staff editors programmers scientists students uploader officers congress "
    "parliament person man woman children men women"
)
"""Nouns for which a question says "who"."""


def is_person(found: Sequence[Token]) -> bool:
    """Tell whether a noun phrase surely names a person: a title or given name before a name, or a role before one."""
    names = [token for token in found if token.tag == "NAME"]
    if (
        not names
        or any(token.text in ("'s", "’s", "'") for token in found)
        or any(token.lower in BODIES or not token.text[:1].isalpha() for token in names)
    ):
        return False
    opening = found[0].lower.rstrip(".")
    if opening in _TITLES and len(names) >= 2:
        return True
    if found[0].tag == "NAME" and opening in GIVEN and len(names) >= 2:
        return True
    role = next((token for token in found if token.lower in ROLES), None)
    return role is not None and found[-1].tag == "NAME" and len(names) >= 2 and not any(t.tag == "PREP" for t in found)


def body_noun(found: Sequence[Token]) -> str:
    """Return the noun of a name such as "Harvard College" in lower case, by which one can ask "which college"."""
    last = found[-1]
    return (
        last.lower
        if len(found) >= 2 and last.lower not in ("union", "states") and last.tag == "NAME" and last.lower in BODIES
        else ""
    )


def means_person(found: Sequence[Token]) -> bool:
    """Tell whether a description such as "a Scottish inventor who ..." is of a person."""
    for token in found:
        if token.tag in ("PREP", "REL", "PUNCT", "TO") or token.lower == "that":
            return False
        if token.lower in ROLES or (token.lower.endswith(("ist", "ician")) and token.lower not in ("list", "artist")):
            return True
    return False


def may_be_person(found: Sequence[Token]) -> bool:
    """Tell whether a name may be a person's, as far as the name alone tells: two or more plain capitalised words."""
    names = [token for token in found if token.tag == "NAME"]
    return len(names) >= 2 and not any(t.lower in BODIES or not t.text.isalpha() or t.text.isupper() for t in names)
