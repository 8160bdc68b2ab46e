"""Lists of nouns and adjectives that tell whether a phrase says which thing it means."""

from __future__ import annotations

from doceo.text.words import closed

BARE_HEADS = closed(
    "result results reason reasons example examples case cases way ways thing things problem problems point "
    "points fact idea question questions answer difference differences list lists table tables figure figures "
    "section sections chapter chapters text author authors reader step steps part parts rest first second third "
    "fourth last latter former other others above following same kind kinds type types number goal goals purpose "
    "aim advantage advantages disadvantage disadvantages effect effects solution consequence exception exceptions "
    "company system user users man woman people person boy girl group team process method approach program "
    "project file document situation place time times day days year years event report study paper article book "
    "story game word words line lines word name order rules rule value values version public nation department "
    "agency government world country city state industry field area community organization package policy audit "
    "institution case-in-point callback argument parameter node instruction structure event note notes topic "
    "subject field method model test tests data"
)
"""Nouns that name nothing in particular without more words: "the result", "a file"."""

CLASS_NOUNS = closed(
    "library program option verb file format parameter field package gate command stage key function method class "
    "module folder directory flag variable keyword reason metric tool term word name language property attribute "
    "setting switch protocol model letter suffix prefix status"
)
"""Nouns that a name can follow: "the option --seed"."""

LOOSE = closed(
    "new old first second third fourth last main current whole entire final original early late latest next "
    "previous other same resulting major important common basic key general simple usual typical possible only "
    "best better good bad great small large big little long short different various several additional further "
    "specific particular certain actual real true full single proper appropriate necessary relevant recent "
    "special given right wrong easy hard easiest simplest most more obvious remaining corresponding required "
    "above following top bottom separate shared underlying existing finished complete careful useful good real "
    "initial preferred recommended alternative normal local native young two three four five six seven eight nine "
    "ten one"
)
"""Adjectives that do not say which thing is meant: "the new version"."""
