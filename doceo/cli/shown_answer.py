"""How an answer looks on a terminal: its words, its sources with what they say, and how it came about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from doceo.cli.console import Console
from doceo.core.records import Answer, Citation, Hit, Trace
from doceo.text.passages import heading_line

WIDEST = 100
"""Columns that are used, however wide the terminal is: longer lines are hard to read."""
_LONGEST_QUOTE = 600
"""Characters of a quote that are shown."""


def show_answer(console: Console, answer: Answer, *, text: bool = True) -> None:
    """Show an answer and, under it, the sources that it cites; with a trace, how it came about."""
    width = min(console.width, WIDEST)
    if text:
        for paragraph in (answer.text or "(The model wrote nothing.)").split("\n"):
            console.show(_wrapped(paragraph, width))
    if answer.refused and answer.reason:
        console.show(_wrapped(f"({answer.reason})", width))
    if answer.short and answer.short != answer.text:
        console.show(_wrapped(f"In short: {answer.short}", width))
    if answer.citations:
        console.show("\nSources" if text else "Sources")
    for citation in answer.citations:
        for line in _source(citation, width):
            console.show(line)
    if answer.trace is not None:
        show_trace(console, answer, answer.trace)


def show_trace(console: Console, answer: Answer, trace: Trace) -> None:
    """Show how an answer came about: queries, hits with their place in each arm, parts of the prompt, seconds."""
    width = min(console.width, WIDEST)
    if trace.queries:
        console.show(f"\nSearched for (rewriting: {trace.rewriting})")
        for query in trace.queries:
            console.show(_wrapped(query, width, "  "))
    if answer.hits:
        arms = sorted({arm for hit in answer.hits for arm in hit.arms})
        flagged = any(hit.flags for hit in answer.hits)
        headers = ["found", "score", *(f"{arm} rank, score" for arm in arms), *(["flagged"] if flagged else [])]
        console.table(headers, [_hit(hit, arms, flagged=flagged) for hit in answer.hits], title="")
    if answer.chance is not None:
        console.show(f"Chance of these passages holding the answer: {answer.chance:.2f}")
    if trace.segments:
        rows = [
            [s.name, f"{s.tokens:,}", f"{s.left_out:,}" if s.left_out else "", s.sha256[:8]] for s in trace.segments
        ]
        console.table(["prompt", "tokens", "left out", "hash"], rows, title="")
    usage = answer.usage
    if trace.counted_tokens is not None:
        cached = f", {usage.cached_tokens:,} of them cached" if usage.cached_tokens else ""
        cost = f", {usage.cost:.5f} USD" if usage.cost else ""
        console.show(
            f"Tokens: {trace.counted_tokens:,} counted, {usage.prompt_tokens:,} read{cached}, "
            f"{usage.completion_tokens:,} written{cost}"
        )
    steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in trace.seconds.items())
    console.show(f"Seconds: {usage.seconds:.2f}{f' ({steps})' if steps else ''}")
    for note in trace.notes:
        console.show(_wrapped(f"Note: {note}", width))


def _source(citation: Citation, width: int) -> Iterator[str]:
    """Yield where a quote stands, and the quote."""
    page = f", page {citation.page}" if citation.page else ""
    headings = heading_line(citation.title, citation.heading_path)
    mark = "" if citation.verified else "  (not verified: these words may not say that)"
    flagged = f"  (its passage reads like an order: {', '.join(citation.flags)})" if citation.flags else ""
    yield _wrapped(f"{citation.source}{page}{mark}{flagged}", width, f"  [{citation.n}] ", "      ")
    if headings and headings != citation.source:
        yield _wrapped(headings, width, "      ")
    quote = " ".join(citation.quote.split())
    if len(quote) > _LONGEST_QUOTE:
        quote = quote[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."
    yield _wrapped(f"\u201c{quote}\u201d", width, "      ")


def _hit(hit: Hit, arms: Sequence[str], *, flagged: bool) -> list[str]:
    page = f", page {hit.page}" if hit.page else ""
    place = f": {hit.heading_path[-1]}" if hit.heading_path else ""
    cells = [f"{hit.arms[arm].rank}, {hit.arms[arm].score:.3f}" if arm in hit.arms else "-" for arm in arms]
    flags = [", ".join(hit.flags)] if flagged else []
    return [f"{hit.source}{page}{place}", f"{hit.score:.3f}", *cells, *flags]


def _wrapped(text: str, width: int, first: str = "", other: str | None = None) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if other is None else other,
        break_long_words=False,
        break_on_hyphens=False,
    )
