"""LangSmith, to which LangChain reports what it does where the environment says so: off here unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reporting(on: bool) -> Iterator[None]:
    """Have LangChain's calls in the block reported to LangSmith, or not, whatever LANGSMITH_TRACING and its like say.

    It holds for the thread or task at hand and what that starts; a generator has to leave the block before it yields.
    """
    from langsmith import tracing_context

    with tracing_context(enabled=on):
        yield


def langsmith_host() -> str:
    """Return the host that reports go to."""
    from urllib.parse import urlsplit

    from langsmith.utils import get_api_url

    return urlsplit(get_api_url(None)).netloc.rpartition("@")[2]


def wait_for_reports() -> None:
    """Return once what was to be reported has been."""
    from langchain_core.tracers.langchain import wait_for_all_tracers

    wait_for_all_tracers()
