"""An answer as it may be shown: without links and images to other hosts (`doceo.text.links`).

Addresses stay, as words, where they stand in the passages that the answer was made from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from doceo.core.records import Passage
from doceo.text.links import LinksLeftOut, addresses


def rendering(passages: Sequence[Passage] = (), *, hosts: Collection[str] = ()) -> LinksLeftOut:
    """Return what takes an answer piece by piece and gives it back as it may be shown; half a link waits for the rest.

    Args:
        passages: What the model was given.
        hosts: Hosts to which links and images stay, such as a service's own.
    """
    return LinksLeftOut(hosts=hosts, known=cache(lambda: addresses(passage.text for passage in passages)))
