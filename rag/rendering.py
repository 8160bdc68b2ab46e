"""An answer as it may be shown: without links and images to other hosts (`doceo.text.links`).

Addresses stay, as words, where they stand in the passages that the answer was made from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from doceo.core.records import Passage
from doceo.text.links import addresses, links_left_out


def rendering(pieces: Iterable[str], passages: Sequence[Passage] = (), *, hosts: Collection[str] = ()) -> Iterator[str]:
    """Yield an answer that comes in pieces as it may be shown; a piece that may be half a link waits for the rest.

    Args:
        pieces: What the model says.
        passages: What it was given.
        hosts: Hosts to which links and images stay, such as a service's own.
    """
    known = addresses(passage.text for passage in passages)
    return links_left_out(pieces, hosts=hosts, known=known)
