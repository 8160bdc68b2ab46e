"""What a provider's stream has to be: pieces of text, and last the whole reply that they join to."""

from __future__ import annotations

from collections.abc import Iterable

from doceo.core.records import ChatReply


def streamed(parts: Iterable[str | ChatReply]) -> tuple[list[str], ChatReply]:
    """Return the pieces of a stream and the reply that ends it."""
    *pieces, reply = parts
    assert isinstance(reply, ChatReply)
    said = [piece for piece in pieces if isinstance(piece, str)]
    assert said == pieces
    assert "".join(said) == reply.text
    return said, reply
