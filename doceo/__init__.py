"""Doceo: documents in; a tuned, tested, citing assistant out, with the numbers that prove it.

    import doceo
    run = doceo.run("papers/", pairs=200)
    print(run.pairs[0].question, run.pairs[0].evidence[0].quote)
    print(doceo.ask("What is measured?", run=run))

Names are loaded on first use, so that `import doceo` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doceo.app.face import RunResult, ask, chat, generate, index, loop, run
    from doceo.core.errors import DoceoError
    from doceo.core.records import Answer, Pair, Score

__all__ = ["Answer", "DoceoError", "Pair", "RunResult", "Score", "ask", "chat", "generate", "index", "loop", "run"]

_HOMES = {
    "Answer": "doceo.core.records",
    "DoceoError": "doceo.core.errors",
    "Pair": "doceo.core.records",
    "RunResult": "doceo.app.face",
    "Score": "doceo.core.records",
    "ask": "doceo.app.face",
    "chat": "doceo.app.face",
    "generate": "doceo.app.face",
    "index": "doceo.app.face",
    "loop": "doceo.app.face",
    "run": "doceo.app.face",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'doceo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
