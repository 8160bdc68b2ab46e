"""Did the server read the whole prompt? Some cut it to their own context without a word.

A server says how many tokens it read. No common tokenizer makes fewer tokens than there are words, so that a number
below that is proof; a number that is a round power of two, where our count is higher, is what a cut leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.records import Message

_FEWEST = 512
"""Prompts of fewer words are not cut by any server."""
_SMALLEST_CONTEXT = 1024


def shortfall(messages: Sequence[Message], counted: int | None, read: int, model: str) -> str:
    """Return what is to be said where a server read less than it was sent, else nothing.

    Args:
        messages: The prompt.
        counted: Its tokens by our count.
        read: Its tokens as the server reports them; 0 where it does not.
        model: The model's name.
    """
    words = sum(len(message.content.split()) for message in messages)
    round_number = read >= _SMALLEST_CONTEXT and read & (read - 1) == 0 and counted is not None and read < counted
    if not read or not (round_number or (words >= _FEWEST and read < words)):
        return ""
    return (
        f"{model} read {read:,} tokens of a prompt of about {counted or words:,}: its server cuts prompts without "
        f"saying so. Give it a larger context there, or say here what it reads: --context-tokens {read}."
    )
