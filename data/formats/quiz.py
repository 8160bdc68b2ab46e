"""A quiz on paper or screen: one HTML page with the questions and, on a page of its own, the answers with sources.

The page loads nothing and runs no script. Spans, scores and what is known of the making stay out: it cannot be read
back as pairs.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from data.formats.provenance import Row, Said
from data.formats.sources import cited, flowing
from data.jsonl import write_text
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Message, Pair

_FOLDER = Path(__file__).parent
# Control characters and lone surrogates, which HTML and UTF-8 cannot hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class QuizItem(Row):
    """A question of the quiz with its answer; `places` holds (where it stands, the words there)."""

    question: Said
    history: tuple[Message, ...] = ()
    answer: Said
    places: tuple[tuple[str, str], ...] = ()


def write_quiz(
    pairs: Sequence[Pair],
    chunks: Mapping[str, Chunk],
    path: Path,
    *,
    sources: Mapping[str, str] | None = None,
    seed: int = 0,
    title: str = "Quiz",
) -> int:
    """Write the quiz in an order that the seed decides. Raises StorageError.

    Args:
        pairs: Its questions.
        chunks: Passages by id, for the headings above each answer.
        path: The HTML file.
        sources: Document id -> name.
        seed: Decides the order.
        title: Heading of the page.
    """
    shuffled = sorted(pairs, key=lambda pair: sha256(f"quiz {seed} {pair.id}"))
    items = [
        QuizItem(
            question=pair.question,
            history=pair.history,
            answer=flowing(pair.answer),
            places=tuple(cited(pair, chunks, sources or {})),
        )
        for pair in shuffled
    ]
    style = (_FOLDER / "quiz.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = (
        Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        .get_template("quiz.html")
        .render(
            title=title, items=items, style=Markup(style), policy=f"default-src 'none'; style-src 'sha256-{digest}'"
        )
    )
    write_text(path, _UNPRINTABLE.sub("\ufffd", page))
    return len(items)
