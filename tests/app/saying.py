"""A chat model on another machine, as far as the program knows, that answers from the teacher of the tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from doceo.core.records import ChatReply, ChatRequest

_SPEC = importlib.util.spec_from_file_location("teacher_server", Path(__file__).parents[1] / "teacher_server.py")
assert _SPEC is not None
assert _SPEC.loader is not None
teacher_server = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(teacher_server)


class Saying:
    """Notes all text that it is sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer as the teacher of the tests does."""
        self.texts += [message.content for message in request.messages]
        return ChatReply(text=teacher_server.reply(request.messages[-1].content))
