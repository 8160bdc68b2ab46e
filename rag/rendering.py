"""An answer as it is shown: without links and images to other hosts (`doceo.text.links`).

Addresses stay, as words, where they stand in a source: in the quotes of the citations, or in the passages at hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from doceo.core.records import Answer, Passage
from doceo.text.links import addresses, links_left_out, without_foreign_links


def rendered(
    answer: Answer, passages: Sequence[Passage] = (), *, hosts: Collection[str] = (), as_code: bool = False
) -> Answer:
    """Return an answer whose text is safe to show.

    Args:
        answer: The answer.
        passages: What it was made from, where that is at hand; else the quotes of its citations tell what addresses
            stand in the sources.
        hosts: Hosts to which links and images stay, such as a service's own.
        as_code: For clients that render Markdown: addresses between backticks, of which none makes a link.
    """
    known = addresses([*(citation.quote for citation in answer.citations), *(passage.text for passage in passages)])
    text = without_foreign_links(answer.text, hosts=hosts, known=known, as_code=as_code)
    short = without_foreign_links(answer.short, hosts=hosts, known=known) if answer.short else answer.short
    return (
        answer
        if (text, short) == (answer.text, answer.short)
        else answer.model_copy(update={"text": text, "short": short})
    )


def rendering(
    pieces: Iterable[str], passages: Sequence[Passage] = (), *, hosts: Collection[str] = (), as_code: bool = False
) -> Iterator[str]:
    """Yield an answer that comes in pieces as it may be shown; a piece that may be half a link waits for the rest."""
    known = addresses(passage.text for passage in passages)
    return links_left_out(pieces, hosts=hosts, known=known, as_code=as_code)
